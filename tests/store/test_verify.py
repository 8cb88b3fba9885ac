"""Tests of the verification of a store."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tcray.store.driver_status import write_status
from tcray.store.lease import Lease, LeaseHolder, last_holder, request_stop
from tcray.store.process import Process
from tcray.store.store import Store, SweepStore
from tcray.store.verify import Issue, check_sweep, list_sweep_ids, verify

from .factories import SWEEP_ID, make_driver_status, make_run, make_stored_sweep, record, runs


@pytest.fixture
def sweep(store: Store) -> SweepStore:
    """Return the small sweep, which is sound."""
    return make_stored_sweep(store)


def messages(sweep: SweepStore) -> list[str]:
    """Return the messages of the sweep's issues."""
    return [issue.message for issue in check_sweep(sweep).issues]


def test_a_sound_sweep_has_no_issues(store: Store, sweep: SweepStore) -> None:
    """The summary line contains the numbers of runs and parts."""
    assert verify(store) == verify(store, SWEEP_ID) == []
    health = check_sweep(sweep)
    assert str(health) == f"{SWEEP_ID}: 12 runs in 11 parts, sound"
    assert health.notes == ()


def test_a_count_of_one_is_singular(store: Store) -> None:
    """A sweep with one proposal has 0 runs in 1 part."""
    sweep = store.sweep(SWEEP_ID)
    sweep.append("ledger", [make_run().proposal()])
    assert str(check_sweep(sweep)) == f"{SWEEP_ID}: 0 runs in 1 part, 1 issue"


def test_every_damaged_part_is_an_issue(sweep: SweepStore) -> None:
    """All damaged parts and foreign files are named, not only the first."""
    folder = Path(sweep.uri) / "curves" / SWEEP_ID
    parts = sorted(folder.iterdir())
    for part in parts:
        part.write_bytes(part.read_bytes()[:50])
    (folder / "notes.txt").touch()
    found = messages(sweep)
    assert found[:3] == [
        f"{parts[0]} is truncated or damaged",
        f"{parts[1]} is truncated or damaged",
        f"{folder}/notes.txt is no part of a trial store",
    ]


def test_an_equal_duplicate_is_not_an_issue(sweep: SweepStore) -> None:
    """A segment that was trained again after a crash differs only in time and host."""
    record(sweep, [make_run(loss=0.4, later=timedelta(days=1))])
    assert messages(sweep) == []


def test_a_conflicting_duplicate_is_an_issue(sweep: SweepStore) -> None:
    """On a CPU, the same training gives the same bits."""
    sweep.append("runs", [make_run(loss=0.41).run(), make_run(rank=4, loss=0.11).run()])
    run = "phase search cell mosi/rank=1 repeat 0 trial 0 seed 0"
    assert messages(sweep) == [
        f"table runs contains conflicting duplicates of 2 rows (the first written counts), for example of {run}"
    ]


def test_measurements_of_duplicates_may_differ_on_a_gpu(store: Store) -> None:
    """GPU arithmetic is not reproducible to the bit; states must still agree."""
    sweep = make_stored_sweep(store, manifest={"device": "cuda"})
    sweep.append("runs", [make_run(loss=0.41).run()])
    assert messages(sweep) == []
    sweep.append("runs", [make_run(state="PRUNED").run()])
    assert len(messages(sweep)) == 1


def test_a_crash_before_a_result_is_not_a_conflict(store: Store) -> None:
    """A run that crashed and then completed has two different rows, which is not an issue."""
    sweep = store.sweep(SWEEP_ID)
    sweep.append("runs", [make_run(state="FAILED", reason="crash", loss=9.0).run()])
    make_stored_sweep(store)
    assert messages(sweep) == []


def test_a_run_without_a_proposal_is_an_issue(sweep: SweepStore) -> None:
    """Every run is proposed in the ledger before it is trained."""
    sweep.append("runs", [make_run(trial=7).run()])
    assert messages(sweep) == ["phase search cell mosi/rank=1 repeat 0 trial 7 seed 0 has no proposal in the ledger"]


def test_a_run_with_another_id_than_its_proposal_is_an_issue(sweep: SweepStore) -> None:
    """The message contains both run ids."""
    sweep.append("ledger", [make_run(trial=7).proposal()])
    other = replace(make_run(trial=7), configuration=make_run(rank=2).configuration)
    sweep.append("runs", [other.run()])
    run = "phase search cell mosi/rank=1 repeat 0 trial 7 seed 0"
    assert messages(sweep) == [f"{run} has run id {other.run_id}, but was proposed as {make_run(trial=7).run_id}"]


def test_a_run_id_that_is_not_the_digest_of_its_run_is_an_issue(sweep: SweepStore) -> None:
    """The message contains the run id and the digest of the row's columns."""
    wrong = {"run_id": "0123456789abcdef"}
    sweep.append("ledger", [{**make_run(trial=7).proposal(), **wrong}])
    sweep.append("runs", [{**make_run(trial=7).run(), **wrong}])
    run, right = "phase search cell mosi/rank=1 repeat 0 trial 7 seed 0", make_run(trial=7).run_id
    assert messages(sweep) == [f"{run} has run id 0123456789abcdef, but its columns give {right}"]


def test_run_ids_of_another_engine_are_not_checked(store: Store) -> None:
    """A note states that they were not checked."""
    health = check_sweep(make_stored_sweep(store, manifest={"engine": "0"}))
    assert health.issues == ()
    assert health.notes == ("its run ids were not checked because another version of the training engine wrote them",)


def test_an_incomplete_confirm_run_is_an_issue(sweep: SweepStore) -> None:
    """The message lists everything that the run lacks."""
    everything = "curves, a clean evaluation, predictions, spectra, weights"
    run = make_run(phase="confirm", trial=3)
    sweep.append("ledger", [run.proposal()])
    sweep.append("runs", [run.run()])
    lost = make_run("mustard", phase="confirm", trial=0)
    sweep.delete_blob(sweep.paths.weights(lost.run_id))
    assert messages(sweep) == [
        f"phase confirm cell mosi/rank=1 repeat 0 trial 3 seed 1 lacks {everything}",
        "phase confirm cell mustard/rank=1 repeat 0 trial 0 seed 1 lacks weights",
    ]


def test_concatenation_has_no_spectra(sweep: SweepStore) -> None:
    """A run with fusion `concat` has no fusion tensor, so it lacks no spectra."""
    run = make_run(phase="confirm", trial=3)
    run = replace(run, configuration=replace(run.configuration, fusion="concat"))
    for table, rows in (("ledger", [run.proposal()]), ("curves", run.curve()), ("evaluations", run.evaluations())):
        sweep.append(table, rows)
    sweep.append("predictions", run.predictions())
    sweep.write_blob(sweep.paths.weights(run.run_id), b"w")
    sweep.append("runs", [run.run()])
    assert messages(sweep) == []


def test_a_table_without_a_manifest_is_an_issue(store: Store, sweep: SweepStore) -> None:
    """A sweep whose manifest was deleted is still found by its tables."""
    (Path(store.uri) / sweep.paths.manifest).unlink()
    assert list_sweep_ids(store) == [SWEEP_ID]
    assert verify(store) == [
        Issue(SWEEP_ID, f"{store.uri}/sweeps/{SWEEP_ID}/manifest.json is missing: the sweep was never started")
    ]


def leave_tmp(sweep: SweepStore) -> str:
    """Leave a part that a killed driver was writing; return the expected note."""
    path = Path(sweep.uri) / "runs" / SWEEP_ID / "00000099-00000000.parquet.0badcafe.tmp"
    path.write_bytes(b"half")
    return f"{path} was never completed; it is ignored"


def leave_checkpoint(sweep: SweepStore) -> str:
    """Leave a checkpoint of a finished sweep; return the expected note."""
    sweep.write_blob(sweep.checkpoint_path("abc", 9), b"state")
    sweep.write_manifest({**sweep.read_manifest(), "finished_at": "2026"})
    return "1 checkpoint left over from ended runs"


def leave_lease(sweep: SweepStore) -> str:
    """Leave the lease of a killed driver; return the expected note."""
    killed = LeaseHolder("t", replace(Process.current(), started="1"), acquired_at=0.0, renewed_at=time.time())
    sweep.filesystem.write(sweep.paths.lease(1), killed.to_json())
    return f"its last driver ({killed}) ended without releasing its lease; run the same command to resume"


@pytest.mark.parametrize("leave", [leave_tmp, leave_checkpoint, leave_lease])
def test_leftovers_are_notes(leave: Callable[[SweepStore], str], sweep: SweepStore) -> None:
    """The leftovers of a killed driver are reported, and the store is sound."""
    note = leave(sweep)
    health = check_sweep(sweep)
    assert (health.issues, health.notes) == ((), (note,))


def test_a_running_sweep_is_sound(sweep: SweepStore) -> None:
    """The note names the driver; the checkpoints of a running sweep are not leftovers."""
    sweep.write_blob(sweep.checkpoint_path("abc", 9), b"state")
    with Lease(sweep):
        health = check_sweep(sweep)
    assert health.issues == ()
    assert [note.startswith(f"it is being run by pid {Process.current().pid} on") for note in health.notes] == [True]


def test_a_stop_request_and_a_status_are_not_issues(sweep: SweepStore) -> None:
    """A stop request is noted while the driver runs; the driver's status is ignored."""
    with Lease(sweep):
        driver = last_holder(sweep)
        assert driver is not None
        request_stop(sweep, driver)
        write_status(sweep, make_driver_status(driver.token))
        health = check_sweep(sweep)
    assert (health.issues, health.notes) == ((), (f"it is being run by {driver}, which was asked to stop",))
    assert check_sweep(sweep).notes == ()


def test_the_small_sweep_has_twelve_runs() -> None:
    """The tests above depend on this number."""
    assert len(runs()) == 12
