"""`tcray stop`: ask the driver of a sweep to stop."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tcray.cli.stop import REPORT_SECONDS, command
from tcray.errors import InputError, Interrupted
from tcray.store.driver_status import write_status
from tcray.store.lease import Lease, LeaseHolder, is_stop_requested
from tcray.store.process import Process
from tcray.store.store import Store, SweepStore
from tests.store.factories import SWEEP_ID, make_driver_status, make_stored_sweep

HERE = LeaseHolder("t", Process.current(), acquired_at=0.0, renewed_at=0.0)
DEAD = replace(HERE, process=replace(HERE.process, started="1"))
GONE_ON = "; run `tcray sweep` with its file to resume"


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepStore:
    """Write the small sweep to `trials/`."""
    monkeypatch.chdir(tmp_path)
    return make_stored_sweep(Store.open("trials/", create=True))


def run(*arguments: str) -> Result:
    """Run `tcray stop`; a TcrayError is raised, as for `tcray`."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def write_lease(sweep: SweepStore, who: LeaseHolder) -> None:
    """Write the lease of `who`."""
    sweep.filesystem.write(sweep.paths.lease(1), who.to_json())


def test_a_driver_is_asked_to_stop_and_waited_for(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is printed meanwhile, and in the end the number of finished runs by the driver's last status."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += REPORT_SECONDS * 0.6
        assert is_stop_requested(sweep, HERE)
        if now[0] > 2 * REPORT_SECONDS:
            write_lease(sweep, replace(HERE, released=True))

    write_lease(sweep, HERE)
    write_status(sweep, make_driver_status(HERE.token))
    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    result = run("rank")
    assert result.stdout == f"sweep {SWEEP_ID}: it stopped with 389 of 1,234 runs done{GONE_ON}\n"
    assert result.stderr.splitlines() == [
        f"sweep {SWEEP_ID}, started 2026-05-04 12:30",
        f"{HERE} was asked to stop; it checks every few seconds and then ends as after Ctrl-C",
        f"waiting for {HERE}: 389 of 1,234 runs done",
    ]
    assert result.exit_code == 0


def test_a_driver_that_holds_a_lease_stops(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends after the driver, and the request is deleted with the lease."""
    with contextlib.ExitStack() as driver:
        lease = driver.enter_context(Lease(sweep, renew_seconds=0.01))

        def sleep(_: float) -> None:
            while not lease.stop_requested:
                pause.wait(0.005)
            driver.close()

        pause = threading.Event()
        monkeypatch.setattr("time.sleep", sleep)
        said = run("rank").stdout
    assert said.startswith(f"sweep {SWEEP_ID}: it stopped with 12 of 20 runs done{GONE_ON}\n")
    assert sweep.filesystem.kind(sweep.paths.stop) is None


def test_a_driver_that_dies_meanwhile_is_reported(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command does not wait any longer."""
    write_lease(sweep, HERE)
    monkeypatch.setattr("time.sleep", lambda _: write_lease(sweep, DEAD))
    assert run("rank").stdout == (f"sweep {SWEEP_ID}: its driver ({DEAD}) died with 12 of 20 runs done{GONE_ON}\n")


def test_the_next_driver_is_not_stopped(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another driver has taken over, the driver to which the request was addressed has ended."""
    write_lease(sweep, HERE)
    after = replace(HERE, token="u")  # noqa: S106  no password
    monkeypatch.setattr("time.sleep", lambda _: write_lease(sweep, after))
    assert run("rank").stdout == (f"sweep {SWEEP_ID}: it stopped with 12 of 20 runs done{GONE_ON}\n")
    assert not is_stop_requested(sweep, after)


@pytest.mark.parametrize(
    ("last", "how"),
    [
        (None, f"it stopped with 12 of 20 runs done{GONE_ON}"),
        (replace(HERE, released=True), f"it stopped with 12 of 20 runs done{GONE_ON}"),
        (DEAD, f"its driver ({DEAD}) died with 12 of 20 runs done{GONE_ON}"),
    ],
)
def test_a_sweep_that_is_not_running_is_reported(last: LeaseHolder | None, how: str, sweep: SweepStore) -> None:
    """This is not a failure, and no request is written."""
    if last is not None:
        write_lease(sweep, last)
    result = run("rank")
    assert (result.exit_code, result.stdout) == (0, f"sweep {SWEEP_ID} is not running: {how}\n")
    assert sweep.filesystem.kind(sweep.paths.stop) is None


def test_ctrl_c_ends_only_the_waiting(sweep: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request to stop remains."""

    def press(_: float) -> None:
        raise KeyboardInterrupt

    write_lease(sweep, HERE)
    monkeypatch.setattr("time.sleep", press)
    with pytest.raises(Interrupted) as caught:
        run("rank")
    assert str(caught.value) == "this command no longer waits; the sweep stops nevertheless"
    assert is_stop_requested(sweep, HERE)


def test_an_unknown_sweep_is_wrong_input(sweep: SweepStore) -> None:
    """The message is that of every command."""
    with pytest.raises(InputError, match="no sweep is called 'rang' in"):
        run("rang")
