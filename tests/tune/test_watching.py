"""A sweep that is watched, and stopped, by whoever reads its store."""

from __future__ import annotations

import io
import socket
import threading
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from tcray.errors import Interrupted
from tcray.store.driver_status import DriverStatus, read_activity
from tcray.store.lease import Lease, ask_to_stop, last_holder
from tcray.store.store import Store, SweepStore
from tcray.store.verify import verify
from tcray.tune.run import SweepResult, run_sweep
from tcray.tune.status import reporter as lookout

from .factories import export, make_sweep, run_without_ray
from .fakes import FakeTrain


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither heart nor lookout takes its time."""
    monkeypatch.setattr("tcray.tune.run.Lease", partial(Lease, beat_seconds=0.05))
    monkeypatch.setattr(lookout, "TELL_SECONDS", 0.1)


def run(folder: Path, toy: FakeTrain) -> SweepResult:
    """Runs the small sweep."""
    console = Console(file=io.StringIO(), width=200)
    return run_sweep(make_sweep(folder), str(folder / "trials"), console=console, train=toy)


def the_sweep(folder: Path) -> SweepStore:
    """What it has recorded."""
    store = Store.open(str(folder / "trials"))
    return store.sweep(store.resolve("small")[0])


def told(store: SweepStore) -> DriverStatus | None:
    """What whoever drives it, or drove it last, is at."""
    driver = last_holder(store)
    return read_activity(store, driver.token) if driver is not None else None


def stop_in_the_middle(folder: Path, seen: list[DriverStatus]) -> None:
    """Waits until some runs are done and others under way, and asks the driver to stop."""
    pause = threading.Event()
    while not (folder / "trials" / "runs").exists():
        pause.wait(0.05)
    store = the_sweep(folder)
    while (activity := told(store)) is None or not (activity.ended and activity.running):
        pause.wait(0.05)
    seen.append(activity)
    driver = last_holder(store)
    assert driver is not None
    ask_to_stop(store, driver)


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
def test_a_sweep_is_stopped_from_elsewhere_and_goes_on(tmp_path: Path) -> None:
    """It ends as at Ctrl-C, says who stopped it, and goes on to the same store; what its driver is at is told."""
    seen: list[DriverStatus] = []
    stopper = threading.Thread(target=stop_in_the_middle, args=(tmp_path, seen))
    stopper.start()
    with pytest.raises(
        Interrupted, match=r"^stopped by `tcray stop` with \d+ of 32 runs done; the same command goes on"
    ):
        run(tmp_path, FakeTrain(str(tmp_path / "trace"), seconds=0.3))
    stopper.join()

    (midway,) = seen
    (host,) = midway.hosts
    assert (socket.gethostname(), "up", 2) == (host.name, host.state, host.slots)
    assert midway.ended == host.runs <= midway.planned == 32
    assert 1 <= host.packs <= 2
    store = the_sweep(tmp_path)
    last = told(store)
    assert last is not None
    assert len(store.read("runs", ["run_id"])) == last.ended < 32
    assert last_holder(store).released  # type: ignore[union-attr]  # there was one

    result = run(tmp_path, FakeTrain(str(tmp_path / "trace")))
    undisturbed = run_without_ray(
        tmp_path / "by hand", make_sweep(tmp_path), FakeTrain(str(tmp_path / "trace by hand"))
    )
    assert export(undisturbed) == export(result.store)
    assert [] == verify(Store.open(str(tmp_path / "trials")))
    end = told(store)
    assert end is not None
    assert (32, 0, 32 - last.ended) == (end.ended, end.running, end.hosts[0].runs), "by this driver"
