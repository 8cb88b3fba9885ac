"""`tcray status`: how far every sweep has come."""

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
from tests.store.recorded import a_manifest, a_sweep, an_activity


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store in `trials/`."""
    monkeypatch.chdir(tmp_path)
    return Store.open("trials/", create=True)


def said(*arguments: str) -> str:
    """What `tcray status` prints; a TcrayError is raised, as it would be to `tcray`."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False).stdout


def test_every_sweep_has_a_line(store: Store):
    """First started first: how far it is, whether anyone is at it, and on which data."""
    a_sweep(store)
    done = a_manifest("prior-1", started_at="2026-05-01T08:00:00+00:00", finished_at="2026-05-01T09:00:00+00:00")
    store.sweep("prior-1").write_manifest({**done, "planned_runs": 1234})
    assert said().splitlines() == [
        "sweep              started           complete  pruned  failed  planned  state     datasets",
        "prior-1            2026-05-01 08:00         0       0       0     1234  finished  mosi, mustard (twin)",
        "rank-1a2b3c4d5e6f  2026-05-04 12:30         8       2       2       20  stopped   mosi, mustard (twin)",
    ]


def test_a_running_sweep_says_where(store: Store):
    """On which host, and as which process."""
    with Lease(a_sweep(store)):
        assert f"running on {socket.gethostname()} (pid {Process.current().pid})" in said()


def test_one_sweep_is_told_in_detail(store: Store):
    """Its question, its progress by dataset and phase, its failures, and its best run of each dataset."""
    a_sweep(store)
    assert said("rank").splitlines() == [
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


def test_a_running_sweep_tells_of_its_hosts(store: Store):
    """How long it will take; a line a host, and what waits and why."""
    sweep = a_sweep(store)
    with Lease(sweep) as lease:
        assert "slots" not in said("rank"), "before the driver has said anything"
        write_status(sweep, an_activity(lease.token))
        lines = said("rank").splitlines()
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
        write_status(sweep, an_activity(lease.token, hosts=(), pending_reasons={}))
        assert said("rank").splitlines()[-1].startswith("mustard (twin)"), "nothing where there is no host"
    assert "slots" not in said("rank"), "nobody is at it"


def test_following_wants_a_sweep(store: Store):
    """It is said which sweeps there are elsewhere."""
    with pytest.raises(InputError) as caught:
        said("--follow")
    assert str(caught.value) == (
        "--follow needs a sweep\nName it, as in `tcray status SWEEP --follow`; `tcray status` lists the sweeps."
    )


def test_following_what_nobody_runs_ends_at_once(store: Store):
    """With 0 where it is finished, else with 1; either way it is said how far it is."""
    sweep = a_sweep(store)
    with pytest.raises(SweepError) as caught:
        said("rank", "--follow")
    assert caught.value.message == (
        "sweep rank-1a2b3c4d5e6f is not running: it stopped with 12 of 20 runs done; "
        "run `tcray sweep` with its file to resume"
    )
    sweep.write_manifest({**sweep.read_manifest(), "finished_at": "2026-05-04T12:40:00+00:00"})
    assert said("rank", "--follow") == (
        "sweep rank-1a2b3c4d5e6f is not running: it is finished, with 12 of 20 runs done\n"
    )


def test_a_sweep_without_runs_is_told_too(store: Store):
    """What is not there yet is left out."""
    store.sweep("new-1").write_manifest(a_manifest("new-1", name="new"))
    assert said("new") == "Does rank matter?\n0 complete, 0 pruned, 0 failed of 20\nstopped\n"


def test_a_store_without_sweeps_says_so(store: Store):
    """It is no error."""
    assert said() == f"{store.uri} has no sweep yet\n"


def test_no_store_is_a_sentence(tmp_path: Path):
    """It says what to do."""
    with pytest.raises(InputError) as caught:
        said("--store", str(tmp_path / "nowhere"))
    assert str(caught.value) == (
        f"there is no trial store at {tmp_path}/nowhere\nRun `tcray sweep FILE` first, or name the store with --store."
    )
