"""Tests of a sweep that is watched and stopped by another process that reads its store."""

from __future__ import annotations

import io
import socket
import threading
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from tcray.errors import Interrupted
from tcray.store.driver_status import DriverStatus, read_status
from tcray.store.lease import Lease, last_holder, request_stop
from tcray.store.store import Store, SweepStore
from tcray.store.verify import verify
from tcray.tune.run import SweepResult, run_sweep
from tcray.tune.status import reporter

from .factories import export, make_sweep, run_without_ray
from .fakes import FakeTrain


@pytest.fixture(autouse=True)
def _short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renew the lease and write the status at short intervals."""
    monkeypatch.setattr("tcray.tune.run.Lease", partial(Lease, renew_seconds=0.05))
    monkeypatch.setattr(reporter, "WRITE_SECONDS", 0.1)


def run(folder: Path, train: FakeTrain) -> SweepResult:
    """Run the small sweep."""
    console = Console(file=io.StringIO(), width=200)
    return run_sweep(make_sweep(folder), str(folder / "trials"), console=console, train=train)


def open_sweep(folder: Path) -> SweepStore:
    """Return the stored sweep."""
    store = Store.open(str(folder / "trials"))
    return store.sweep(store.resolve("small")[0])


def read_last_status(store: SweepStore) -> DriverStatus | None:
    """Return the status of the current or last driver."""
    driver = last_holder(store)
    return read_status(store, driver.token) if driver is not None else None


def stop_midway(folder: Path, seen: list[DriverStatus]) -> None:
    """Wait until some runs are done and others are in training, and request a stop."""
    pause = threading.Event()
    while not (folder / "trials" / "runs").exists():
        pause.wait(0.05)
    store = open_sweep(folder)
    while (status := read_last_status(store)) is None or not (status.ended and status.running):
        pause.wait(0.05)
    seen.append(status)
    driver = last_holder(store)
    assert driver is not None
    request_stop(store, driver)


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
def test_a_sweep_is_stopped_and_resumed(tmp_path: Path) -> None:
    """A stop request ends the sweep as Ctrl-C does; its status is in the store; a second run resumes it."""
    seen: list[DriverStatus] = []
    stopper = threading.Thread(target=stop_midway, args=(tmp_path, seen))
    stopper.start()
    message = r"^stopped by `tcray stop` with \d+ of 32 runs done\. Run the same command to resume\."
    with pytest.raises(Interrupted, match=message):
        run(tmp_path, FakeTrain(str(tmp_path / "trace"), seconds=0.3))
    stopper.join()

    (midway,) = seen
    (host,) = midway.hosts
    assert (socket.gethostname(), "up", 2) == (host.name, host.state, host.slots)
    assert midway.ended == host.runs <= midway.planned == 32
    assert 1 <= host.packs <= 2
    store = open_sweep(tmp_path)
    last = read_last_status(store)
    assert last is not None
    assert len(store.read("runs", ["run_id"])) == last.ended < 32
    assert last_holder(store).released  # type: ignore[union-attr]  # there was one

    result = run(tmp_path, FakeTrain(str(tmp_path / "trace")))
    expected = run_without_ray(tmp_path / "expected", make_sweep(tmp_path), FakeTrain(str(tmp_path / "other trace")))
    assert export(expected) == export(result.store)
    assert [] == verify(Store.open(str(tmp_path / "trials")))
    end = read_last_status(store)
    assert end is not None
    assert (32, 0, 32 - last.ended) == (end.ended, end.running, end.hosts[0].runs), "runs of this driver only"
