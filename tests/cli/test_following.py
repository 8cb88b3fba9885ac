"""A running sweep, followed until its driver ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tcray.cli.following import SILENT_SECONDS, FollowedSweep, describe_state, follow
from tcray.errors import Interrupted, SweepError
from tcray.store.driver_status import write_status
from tcray.store.lease import LeaseHolder
from tcray.store.process import Process
from tcray.store.store import Store, SweepStore
from tests.store.factories import SWEEP_ID, make_driver_status, make_stored_sweep

DRIVER = LeaseHolder("t", Process.current(), acquired_at=0.0, renewed_at=0.0)
ENDED = replace(DRIVER, released=True)
DEAD = replace(DRIVER, process=replace(DRIVER.process, started="1"))
GONE_ON = "; run `tcray sweep` with its file to resume"

Step = Callable[[], Any]


@pytest.fixture
def sweep(tmp_path: Path) -> SweepStore:
    """Write the small sweep, with this process as its driver."""
    recorded = make_stored_sweep(Store.open(str(tmp_path / "trials"), create=True))
    write_lease(recorded, DRIVER)
    return recorded


def write_lease(sweep: SweepStore, who: LeaseHolder) -> None:
    """Write the lease of `who`."""
    sweep.filesystem.write(sweep.paths.lease(1), who.to_json())


def report(sweep: SweepStore, **changes: Any) -> Step:
    """Return a step in which the driver writes its status."""
    return lambda: write_status(
        sweep, make_driver_status("t", **{"hosts": (), "pending_reasons": {}, "best": (), **changes})
    )


def end(sweep: SweepStore, who: LeaseHolder = ENDED, finished: str | None = None) -> Step:
    """Return a step in which the driver ends."""

    def step() -> None:
        sweep.write_manifest({**sweep.read_manifest(), "finished_at": finished})
        write_lease(sweep, who)

    return step


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run the given steps while the sweep is followed, one whenever the follower sleeps, six seconds apart."""
    now = [0.0]

    def play(*steps: Step) -> None:
        left = list(steps)

        def sleep(_: float) -> None:
            now[0] += 6.0
            left.pop(0)()

        monkeypatch.setattr("time.sleep", sleep)
        monkeypatch.setattr("time.monotonic", lambda: now[0])

    return play


def test_a_sweep_is_shown_until_it_is_finished(
    sweep: SweepStore, script: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines are printed from the driver's first status to its last, and then how the sweep ended."""
    script(
        report(sweep, complete=100),
        report(sweep, complete=200),
        report(sweep, complete=300),
        report(sweep, complete=1145, running=0, seconds_left=None),
        end(sweep, finished="2026-05-04T12:40:00+00:00"),
    )
    follow(sweep)
    counts = "(88 pruned, 1 failed), 32 running, about 14 min left"
    assert capsys.readouterr().out.splitlines() == [
        f"{DRIVER} is starting",
        f"rank: 189 of 1,234 runs done {counts}",
        f"rank: 389 of 1,234 runs done {counts}",
        "rank: 1,234 of 1,234 runs done (88 pruned, 1 failed), 0 running",
        f"sweep {SWEEP_ID} is not running: it is finished, with 1,234 of 1,234 runs done",
    ]


@pytest.mark.parametrize(
    ("who", "how"),
    [
        (ENDED, f"it stopped with 389 of 1,234 runs done{GONE_ON}"),
        (DEAD, f"its driver ({DEAD}) died with 389 of 1,234 runs done{GONE_ON}"),
    ],
)
def test_a_sweep_that_stops_unfinished_is_a_failure(
    sweep: SweepStore, script: Callable[..., None], who: LeaseHolder, how: str
) -> None:
    """The exit code is 1, so that `tcray status SWEEP --follow && …` works."""
    script(report(sweep), end(sweep, who))
    with pytest.raises(SweepError) as caught:
        follow(sweep)
    assert str(caught.value) == f"sweep {SWEEP_ID} is not running: {how}"
    assert caught.value.exit_code == 1


def test_ctrl_c_does_not_stop_the_sweep(sweep: SweepStore, script: Callable[..., None]) -> None:
    """The driver does not notice it."""

    def press() -> None:
        raise KeyboardInterrupt

    script(report(sweep), press)
    with pytest.raises(Interrupted) as caught:
        follow(sweep)
    assert str(caught.value) == "no longer followed; the sweep keeps running"
    assert sweep.filesystem.kind(sweep.paths.stop) is None


def test_a_driver_that_takes_over_is_followed(sweep: SweepStore, script: Callable[..., None]) -> None:
    """Until it writes a status, the status of the driver before it remains."""
    watched = FollowedSweep(sweep)
    report(sweep)()
    assert watched.poll()
    before = watched.status
    write_lease(sweep, replace(DRIVER, token="u"))  # noqa: S106  no password
    assert watched.poll()
    assert before == watched.status is not None
    write_status(sweep, make_driver_status("u"))
    assert watched.poll()
    assert watched.status == make_driver_status("u")


def test_a_silent_driver_is_reported(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its silence is measured by the follower's clock, because clocks of hosts differ."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    watched = FollowedSweep(sweep)
    report(sweep, pending_reasons={"busy": "9 runs wait: every slot is busy"})()
    watched.poll()
    now[0] = SILENT_SECONDS - 1
    watched.poll()
    assert list(watched.current_status().pending_reasons) == ["busy"]
    now[0] = SILENT_SECONDS + 5
    watched.poll()
    assert list(watched.current_status().pending_reasons.values()) == [
        "no status from the driver for 35 s",
        "9 runs wait: every slot is busy",
    ]
    report(sweep, at=time.time())()
    watched.poll()
    assert not watched.current_status().pending_reasons


def test_the_state_is_described_by_the_last_driver(sweep: SweepStore) -> None:
    """Runs are counted if it never wrote a status; a sweep without a driver has stopped."""
    assert describe_state(sweep, None) == f"it stopped with 12 of 20 runs done{GONE_ON}"
    assert describe_state(sweep, DEAD) == f"its driver ({DEAD}) died with 12 of 20 runs done{GONE_ON}"
    end(sweep, finished="2026-05-04T12:40:00+00:00")()
    assert describe_state(sweep, DEAD) == "it is finished, with 12 of 20 runs done"
