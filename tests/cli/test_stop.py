"""`tcray stop`: asks whoever runs a sweep to stop."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tcray.cli import stop
from tcray.cli.stop import REPORT_SECONDS, command
from tcray.errors import InputError, Interrupted
from tcray.store.driver_status import write_status
from tcray.store.lease import Lease, LeaseHolder, is_stop_requested
from tcray.store.process import Process
from tcray.store.store import Store, SweepStore
from tests.store.recorded import SWEEP_ID, a_sweep, an_activity

HERE = LeaseHolder("t", Process.current(), acquired_at=0.0, renewed_at=0.0)
DEAD = replace(HERE, process=replace(HERE.process, started="1"))
GONE_ON = "; run `tcray sweep` with its file to resume"


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepStore:
    """The small sweep, in `trials/`."""
    monkeypatch.chdir(tmp_path)
    return a_sweep(Store.open("trials/", create=True))


def stopped(*arguments: str) -> Result:
    """What `tcray stop` comes to; a TcrayError is raised, as it would be to `tcray`."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def hold(sweep: SweepStore, who: LeaseHolder) -> None:
    """Leaves the lease of `who`."""
    sweep.filesystem.write(sweep.paths.lease(1), who.to_json())


def test_a_driver_is_asked_and_waited_for(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told that it waits; and in the end how far the sweep came, by the driver's last word."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += REPORT_SECONDS * 0.6
        assert is_stop_requested(sweep, HERE)
        if now[0] > 2 * REPORT_SECONDS:
            hold(sweep, replace(HERE, released=True))

    hold(sweep, HERE)
    write_status(sweep, an_activity(HERE.token))
    monkeypatch.setattr(stop.time, "sleep", sleep)
    monkeypatch.setattr(stop.time, "monotonic", lambda: now[0])
    result = stopped("rank")
    assert result.stdout == f"sweep {SWEEP_ID}: it stopped with 389 of 1,234 runs done{GONE_ON}\n"
    assert result.stderr.splitlines() == [
        f"sweep {SWEEP_ID}, started 2026-05-04 12:30",
        f"{HERE} was asked to stop; it checks every few seconds and then ends as after Ctrl-C",
        f"waiting for {HERE}: 389 of 1,234 runs done",
    ]
    assert result.exit_code == 0


def test_a_driver_that_holds_a_lease_hears_it(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends when it comes to know, and then the command does; the request is gone with it."""
    with contextlib.ExitStack() as driver:
        lease = driver.enter_context(Lease(sweep, renew_seconds=0.01))

        def sleep(_: float) -> None:
            while not lease.stop_requested:
                pause.wait(0.005)
            driver.close()

        pause = threading.Event()
        monkeypatch.setattr(stop.time, "sleep", sleep)
        said = stopped("rank").stdout
    assert said.startswith(f"sweep {SWEEP_ID}: it stopped with 12 of 20 runs done{GONE_ON}\n")
    assert sweep.filesystem.kind(sweep.paths.stop) is None


def test_a_driver_that_dies_meanwhile_is_said_to(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for any longer."""
    hold(sweep, HERE)
    monkeypatch.setattr(stop.time, "sleep", lambda _: hold(sweep, DEAD))
    assert stopped("rank").stdout == (f"sweep {SWEEP_ID}: its driver ({DEAD}) died with 12 of 20 runs done{GONE_ON}\n")


def test_the_next_driver_is_left_alone(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """If one has taken over by the time that is seen, the one that was asked has ended."""
    hold(sweep, HERE)
    after = replace(HERE, token="u")  # noqa: S106  no password
    monkeypatch.setattr(stop.time, "sleep", lambda _: hold(sweep, after))
    assert stopped("rank").stdout == (f"sweep {SWEEP_ID}: it stopped with 12 of 20 runs done{GONE_ON}\n")
    assert not is_stop_requested(sweep, after)


@pytest.mark.parametrize(
    ("last", "how"),
    [
        (None, f"it stopped with 12 of 20 runs done{GONE_ON}"),
        (replace(HERE, released=True), f"it stopped with 12 of 20 runs done{GONE_ON}"),
        (DEAD, f"its driver ({DEAD}) died with 12 of 20 runs done{GONE_ON}"),
    ],
)
def test_what_nobody_runs_is_not_stopped(last: LeaseHolder | None, how: str, sweep: SweepStore) -> None:
    """That is no failure: it is said, and nobody is asked."""
    if last is not None:
        hold(sweep, last)
    result = stopped("rank")
    assert (result.exit_code, result.stdout) == (0, f"sweep {SWEEP_ID} is not running: {how}\n")
    assert sweep.filesystem.kind(sweep.paths.stop) is None


def test_ctrl_c_ends_the_waiting_alone(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver stays asked."""

    def press(_: float) -> None:
        raise KeyboardInterrupt

    hold(sweep, HERE)
    monkeypatch.setattr(stop.time, "sleep", press)
    with pytest.raises(Interrupted) as caught:
        stopped("rank")
    assert str(caught.value) == "this command no longer waits; the sweep stops nevertheless"
    assert is_stop_requested(sweep, HERE)


def test_a_sweep_that_is_not_there_is_a_sentence(sweep: SweepStore) -> None:
    """As with every command."""
    with pytest.raises(InputError, match="no sweep is called 'rang' in"):
        stopped("rang")
