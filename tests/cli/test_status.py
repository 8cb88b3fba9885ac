"""`tcray status`: progress of the sweeps of a store."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from tcray.cli.status import command
from tcray.errors import InputError, SweepError
from tcray.store.driver_status import write_status
from tcray.store.lease import Lease
from tcray.store.process import Process
from tcray.store.store import Store
from tests.store.factories import make_driver_status, make_manifest, make_stored_sweep


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return an empty store in `trials/`."""
    monkeypatch.chdir(tmp_path)
    return Store.open("trials/", create=True)


def run(*arguments: str) -> str:
    """Return the output of `tcray status`; a TcrayError is raised, as for `tcray`."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False).stdout


def test_every_sweep_has_a_line(store: Store) -> None:
    """A line has progress, state and datasets; lines are in the order of starting."""
    make_stored_sweep(store)
    done = make_manifest("prior-1", started_at="2026-05-01T08:00:00+00:00", finished_at="2026-05-01T09:00:00+00:00")
    store.sweep("prior-1").write_manifest({**done, "planned_runs": 1234})
    assert run().splitlines() == [
        "sweep              started           complete  pruned  failed  planned  state     datasets",
        "prior-1            2026-05-01 08:00         0       0       0     1234  finished  mosi, mustard (twin)",
        "rank-1a2b3c4d5e6f  2026-05-04 12:30         8       2       2       20  stopped   mosi, mustard (twin)",
    ]


def test_a_running_sweep_has_its_host(store: Store) -> None:
    """The host and the process id of its driver are shown."""
    with Lease(make_stored_sweep(store)):
        assert f"running on {socket.gethostname()} (pid {Process.current().pid})" in run()


def test_one_sweep_is_shown_in_detail(store: Store) -> None:
    """The output has its question, progress by dataset and phase, failures, and the best run of each dataset."""
    make_stored_sweep(store)
    assert run("rank").splitlines() == [
        "Does rank matter?",
        "8 complete, 2 pruned, 2 failed of 20",
        "stopped",
        "",
        "dataset         phase    complete  pruned  failed",
        "mosi            search          2       2       0",
        "mosi            confirm         2       0       0",
        "mustard (twin)  search          2       0       2",
        "mustard (twin)  confirm         2       0       0",
        "",
        "2 FAILED on mustard: diverged",
        "",
        "best so far     valid.loss  phase   repeat  trial  seed  cell",
        "mosi                   0.1  search       0      0     0  mosi/rank=4",
        "mustard (twin)         0.1  search       0      0     0  mustard/rank=4",
    ]


def test_a_running_sweep_has_its_hosts(store: Store) -> None:
    """The output has the remaining time, one line per host, and the reasons for pending runs."""
    sweep = make_stored_sweep(store)
    with Lease(sweep) as lease:
        assert "slots" not in run("rank"), "before the driver has said anything"
        write_status(sweep, make_driver_status(lease.token))
        lines = run("rank").splitlines()
        assert lines[2] == f"running on {socket.gethostname()} (pid {Process.current().pid}), about 14 min left"
        assert lines[-8:] == [
            "",
            "host  state    slots  packs  runs done  runs/h",
            "h1    up           4      4        240   1,234",
            "h2    leaving      4      1        120",
            "h3    gone                          29",
            "",
            "70 runs wait: every slot is busy",
            "h2 is leaving: no new pack begins there",
        ]
        write_status(sweep, make_driver_status(lease.token, hosts=(), pending_reasons={}))
        assert run("rank").splitlines()[-1].startswith("mustard (twin)"), "nothing where there is no host"
    assert "slots" not in run("rank"), "nobody is at it"


def test_follow_needs_a_sweep(store: Store) -> None:
    """The remedy names the command that lists the sweeps."""
    with pytest.raises(InputError) as caught:
        run("--follow")
    assert str(caught.value) == (
        "--follow needs a sweep\nName it, as in `tcray status SWEEP --follow`; `tcray status` lists the sweeps."
    )


def test_following_a_sweep_that_is_not_running_ends_at_once(store: Store) -> None:
    """The exit code is 0 if it is finished and 1 otherwise; both times its progress is printed."""
    sweep = make_stored_sweep(store)
    with pytest.raises(SweepError) as caught:
        run("rank", "--follow")
    assert caught.value.message == (
        "sweep rank-1a2b3c4d5e6f is not running: it stopped with 12 of 20 runs done; "
        "run `tcray sweep` with its file to resume"
    )
    sweep.write_manifest({**sweep.read_manifest(), "finished_at": "2026-05-04T12:40:00+00:00"})
    assert run("rank", "--follow") == (
        "sweep rank-1a2b3c4d5e6f is not running: it is finished, with 12 of 20 runs done\n"
    )


def test_a_sweep_without_runs_is_shown(store: Store) -> None:
    """Empty sections are left out."""
    store.sweep("new-1").write_manifest(make_manifest("new-1", name="new"))
    assert run("new") == "Does rank matter?\n0 complete, 0 pruned, 0 failed of 20\nstopped\n"


def test_an_empty_store_is_reported(store: Store) -> None:
    """It is not an error."""
    assert run() == f"{store.uri} has no sweep yet\n"


def test_a_missing_store_is_reported(tmp_path: Path) -> None:
    """The remedy is to run a sweep."""
    with pytest.raises(InputError) as caught:
        run("--store", str(tmp_path / "nowhere"))
    assert str(caught.value) == (
        f"there is no trial store at {tmp_path}/nowhere\nRun `tcray sweep FILE` first, or pass the store with --store."
    )
