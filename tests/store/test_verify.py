"""Whether a store holds what it should."""

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

from .recorded import SWEEP_ID, a_run, a_sweep, an_activity, record, runs


@pytest.fixture
def sweep(store: Store) -> SweepStore:
    """The small sweep, which is sound."""
    return a_sweep(store)


def messages(sweep: SweepStore) -> list[str]:
    """What is wrong with it."""
    return [issue.message for issue in check_sweep(sweep).issues]


def test_a_sound_sweep_has_no_issues(store: Store, sweep: SweepStore):
    """The summary counts its runs and parts."""
    assert verify(store) == verify(store, SWEEP_ID) == []
    health = check_sweep(sweep)
    assert str(health) == f"{SWEEP_ID}: 12 runs in 11 parts, sound"
    assert health.notes == ()


def test_one_is_singular(store: Store):
    """A sweep that has only begun has one part and no runs."""
    sweep = store.sweep(SWEEP_ID)
    sweep.append("ledger", [a_run().proposal()])
    assert str(check_sweep(sweep)) == f"{SWEEP_ID}: 0 runs in 1 part, 1 issue"


def test_every_damaged_part_is_named(sweep: SweepStore):
    """Not only the first; the others are still examined."""
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


def test_a_repeat_that_agrees_is_no_issue(sweep: SweepStore):
    """A segment that was trained again after a crash says the same, at another time and place."""
    record(sweep, [a_run(loss=0.4, later=timedelta(days=1))])
    assert messages(sweep) == []


def test_a_repeat_that_differs_is_an_issue(sweep: SweepStore):
    """On a CPU the same training has the same bits."""
    sweep.append("runs", [a_run(loss=0.41).run(), a_run(rank=4, loss=0.11).run()])
    run = "phase search cell mosi/rank=1 repeat 0 trial 0 seed 0"
    assert messages(sweep) == [
        f"table runs tells 2 rows twice and differently (the first written counts), as that of {run}"
    ]


def test_on_a_gpu_measurements_of_a_repeat_may_differ(store: Store):
    """Its arithmetic is not stable to the bit; what was decided must still agree."""
    sweep = a_sweep(store, manifest={"device": "cuda"})
    sweep.append("runs", [a_run(loss=0.41).run()])
    assert messages(sweep) == []
    sweep.append("runs", [a_run(state="PRUNED").run()])
    assert len(messages(sweep)) == 1


def test_an_attempt_before_a_result_is_no_conflict(store: Store):
    """A crash, and what the run became when it was tried again."""
    sweep = store.sweep(SWEEP_ID)
    sweep.append("runs", [a_run(state="FAILED", reason="crash", loss=9.0).run()])
    a_sweep(store)
    assert messages(sweep) == []


def test_a_run_that_nobody_proposed_is_an_issue(sweep: SweepStore):
    """Whatever is trained stands in the ledger first."""
    sweep.append("runs", [a_run(trial=7).run()])
    assert messages(sweep) == ["phase search cell mosi/rank=1 repeat 0 trial 7 seed 0 was never proposed in the ledger"]


def test_a_run_that_was_proposed_otherwise_is_an_issue(sweep: SweepStore):
    """Its run id must be that of the proposal."""
    sweep.append("ledger", [a_run(trial=7).proposal()])
    other = replace(a_run(trial=7), configuration=a_run(rank=2).configuration)
    sweep.append("runs", [other.run()])
    run = "phase search cell mosi/rank=1 repeat 0 trial 7 seed 0"
    assert messages(sweep) == [f"{run} has run id {other.run_id}, and was proposed as {a_run(trial=7).run_id}"]


def test_a_run_id_that_is_not_the_digest_of_its_run_is_an_issue(sweep: SweepStore):
    """Who trains what the row says would get another id."""
    wrong = {"run_id": "0123456789abcdef"}
    sweep.append("ledger", [{**a_run(trial=7).proposal(), **wrong}])
    sweep.append("runs", [{**a_run(trial=7).run(), **wrong}])
    run, right = "phase search cell mosi/rank=1 repeat 0 trial 7 seed 0", a_run(trial=7).run_id
    assert messages(sweep) == [f"{run} has run id 0123456789abcdef, and what it says it trained has {right}"]


def test_run_ids_of_another_engine_are_not_checked(store: Store):
    """It is said that they were not."""
    health = check_sweep(a_sweep(store, manifest={"engine": "0"}))
    assert health.issues == ()
    assert health.notes == ("its run ids were not checked, since another version of the training engine made them",)


def test_a_confirm_run_without_what_it_leaves_is_an_issue(sweep: SweepStore):
    """All of it is named."""
    everything = "curves, a clean evaluation, predictions, spectra, weights"
    run = a_run(phase="confirm", trial=3)
    sweep.append("ledger", [run.proposal()])
    sweep.append("runs", [run.run()])
    lost = a_run("mustard", phase="confirm", trial=0)
    sweep.delete_blob(sweep.paths.weights(lost.run_id))
    assert messages(sweep) == [
        f"phase confirm cell mosi/rank=1 repeat 0 trial 3 seed 1 lacks {everything}",
        "phase confirm cell mustard/rank=1 repeat 0 trial 0 seed 1 lacks weights",
    ]


def test_concatenation_has_no_spectra(sweep: SweepStore):
    """It has no fusion tensor whose spectrum one could take."""
    run = a_run(phase="confirm", trial=3)
    run = replace(run, configuration=replace(run.configuration, fusion="concat"))
    for table, rows in (("ledger", [run.proposal()]), ("curves", run.curve()), ("evaluations", run.evaluations())):
        sweep.append(table, rows)
    sweep.append("predictions", run.predictions())
    sweep.write_blob(sweep.paths.weights(run.run_id), b"w")
    sweep.append("runs", [run.run()])
    assert messages(sweep) == []


def test_a_table_without_a_manifest_is_an_issue(store: Store, sweep: SweepStore):
    """A sweep whose manifest went is still found by its tables."""
    (Path(store.uri) / sweep.paths.manifest).unlink()
    assert list_sweep_ids(store) == [SWEEP_ID]
    assert verify(store) == [
        Issue(SWEEP_ID, f"{store.uri}/sweeps/{SWEEP_ID}/manifest.json is missing: the sweep was never started")
    ]


def leave_tmp(sweep: SweepStore) -> str:
    """A part that a killed writer was writing."""
    path = Path(sweep.uri) / "runs" / SWEEP_ID / "00000099-00000000.parquet.0badcafe.tmp"
    path.write_bytes(b"half")
    return f"{path} was never finished; nobody reads it"


def leave_state(sweep: SweepStore) -> str:
    """A checkpoint that a finished sweep left behind."""
    sweep.write_blob(sweep.checkpoint_path("abc", 9), b"state")
    sweep.write_manifest({**sweep.read_manifest(), "finished_at": "2026"})
    return "checkpoints are left that no run needs any more: 1"


def leave_lease(sweep: SweepStore) -> str:
    """The lease of a driver that was killed."""
    killed = LeaseHolder("t", replace(Process.current(), started="1"), acquired_at=0.0, renewed_at=time.time())
    sweep.filesystem.write(sweep.paths.lease(1), killed.to_json())
    return f"its last driver ({killed}) ended without a word; the same command goes on from what it recorded"


@pytest.mark.parametrize("leave", [leave_tmp, leave_state, leave_lease])
def test_what_harms_nobody_is_a_note(leave: Callable[[SweepStore], str], sweep: SweepStore):
    """What a killed driver leaves behind is mentioned, and the store is sound."""
    note = leave(sweep)
    health = check_sweep(sweep)
    assert (health.issues, health.notes) == ((), (note,))


def test_a_running_sweep_is_sound(sweep: SweepStore):
    """Its driver is named, and its checkpoints are needed."""
    sweep.write_blob(sweep.checkpoint_path("abc", 9), b"state")
    with Lease(sweep):
        health = check_sweep(sweep)
    assert health.issues == ()
    assert [note.startswith(f"it is being run by pid {Process.current().pid} on") for note in health.notes] == [True]


def test_what_is_said_to_a_driver_and_by_it_harms_nobody(sweep: SweepStore):
    """A request to stop is mentioned; neither it nor the driver's activity is part of what was recorded."""
    with Lease(sweep):
        driver = last_holder(sweep)
        assert driver is not None
        request_stop(sweep, driver)
        write_status(sweep, an_activity(driver.token))
        health = check_sweep(sweep)
    assert (health.issues, health.notes) == ((), (f"it is being run by {driver}, who was asked to stop",))
    assert check_sweep(sweep).notes == ()


def test_the_runs_of_the_small_sweep_are_twelve():
    """The tests above count on it."""
    assert len(runs()) == 12
