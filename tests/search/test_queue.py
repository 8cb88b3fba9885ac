"""The queue: what it hands out, writes, tries again and gives up."""

import json
import math
from collections import Counter

import pytest
from pyarrow import parquet

from tcray.config.domains import Choice, Int
from tcray.config.sweep import Asha, Confirm, Resources, Search, Training
from tcray.errors import StoreError
from tcray.search import queue as queue_module
from tcray.search.queue import Queue
from tcray.search.sampler import TrialSampler
from tcray.store.outcome import Outcome
from tcray.store.schema import TABLES

from .laboratory import EXAMPLES, Trainer, a_plan, a_store, circumstances, exported, finish, of_table


def opened(tmp_path, **changes):
    """A plan, its store, and a queue on them."""
    plan = a_plan(**changes)
    store = a_store(tmp_path, plan)
    return plan, store, Queue(plan, store, EXAMPLES)


def runs_of(store, **equal):
    """The rows of runs that equal what is asked."""
    return of_table(exported(store), "runs", **equal)


def finish_but_for(queue, trainer, culprit):
    """Trains whatever there is but one trial, which kills its process; how often it did so alone."""
    deaths = 0
    while (pack := queue.take(64)) is not None:
        if any((segment.key.phase, segment.key.trial) == ("search", culprit) for segment in pack.segments):
            deaths += len(pack.segments) == 1
            queue.record_crash(pack)
        else:
            queue.record(pack, trainer.train(pack), circumstances(pack))
    return deaths


def test_every_planned_run_is_trained_once_and_recorded(tmp_path):
    """Of each cell and repeat the search has its trials and the confirm phase its seeds, and no segment comes twice."""
    plan, store, queue = opened(tmp_path)
    trainer = Trainer()
    finish(queue, trainer)
    rows = runs_of(store)
    counts = Counter((row["phase"], row["cell"], row["repeat"]) for row in rows)
    places = [(cell.key, repeat) for cell in plan.cells for repeat in range(2)]
    assert counts == {("search", *p): 12 for p in places} | {("confirm", *p): 2 for p in places}
    assert len(trainer.trained) == len(set(trainer.trained))
    assert len(rows) == plan.planned_runs


def test_the_best_complete_trial_is_confirmed_in_full_with_fresh_seeds(tmp_path):
    """What is confirmed is the search's best; it is trained to the end, under seeds that never chose anything."""
    _, store, queue = opened(tmp_path)
    finish(queue, Trainer())
    for confirmed in runs_of(store, phase="confirm"):
        place = {"cell": confirmed["cell"], "repeat": confirmed["repeat"]}
        complete = runs_of(store, phase="search", state="COMPLETE", **place)
        best = min(complete, key=lambda row: row["metrics"]["valid.loss"])
        assert confirmed["trial"] == best["trial"]
        assert confirmed["configuration"] == best["configuration"]
        assert (confirmed["state"], confirmed["epochs"]) == ("COMPLETE", 8)
        assert confirmed["seed"] in (1000 * confirmed["repeat"] + 1, 1000 * confirmed["repeat"] + 2)
        assert best["seed"] == 1000 * confirmed["repeat"]


def test_on_a_quiet_day_no_row_is_written_twice(tmp_path):
    """Readers drop repeats of a key, but there are none to drop."""
    _, store, queue = opened(tmp_path)
    finish(queue, Trainer(edge=0.03))
    for table in TABLES:
        parts = sorted((tmp_path / table / store.sweep_id).glob("*.parquet"))
        assert sum(parquet.read_metadata(part).num_rows for part in parts) == len(store.read(table))


def test_seeds_pair_across_cells(tmp_path):
    """Every cell searches and confirms under the same seeds."""
    plan, store, queue = opened(tmp_path)
    finish(queue, Trainer())
    seeds = {
        cell.key: {(r["phase"], r["repeat"], r["seed"]) for r in runs_of(store, cell=cell.key)} for cell in plan.cells
    }
    assert len({frozenset(found) for found in seeds.values()}) == 1


def test_no_configuration_is_spent_twice_in_a_repeat(tmp_path):
    """Even in a small discrete space."""
    tune = {"rank": Int(1, 5), "batch_size": Choice((16, 32, 64))}
    _, store, queue = opened(tmp_path, factors={}, tune=tune, search=Search("tpe", 14, 4), confirm=None)
    finish(queue, Trainer())
    assert len({row["configuration"] for row in runs_of(store)}) == 14


def test_an_exhausted_space_closes_the_search_and_says_so(tmp_path):
    """After the last configuration the search ends, the choice is confirmed, and progress tells."""
    plan, store, queue = opened(
        tmp_path, factors={}, tune={"rank": Int(1, 5)}, search=Search("tpe", 12, 4), confirm=Confirm(2)
    )
    finish(queue, Trainer())
    (closed,) = of_table(exported(store), "ledger", kind="closed")
    assert (closed["trial"], closed["wave"], closed["reason"]) == (
        5,
        1,
        "there is no configuration left that it has not tried",
    )
    assert len(runs_of(store, phase="search")) == 5
    assert len(runs_of(store, phase="confirm")) == 2
    assert (queue.progress().planned, plan.planned_runs) == (7, 7)
    note = "mosi, repeat 0: the search ended after 5 trials: there is no configuration left that it has not tried"
    assert queue.progress().notes == (note,)
    assert Queue(plan, store, EXAMPLES).finished


def test_where_nothing_is_tuned_the_seeds_are_all_there_is(tmp_path):
    """No search: each cell is confirmed under the seeds 0, 1, 2 in one go."""
    _, store, queue = opened(tmp_path, tune={}, search=None, confirm=Confirm(seeds=3))
    pack = queue.take(64)
    assert (pack.start, pack.stop, len(pack.segments)) == (0, 8, 6)
    queue.record(pack, Trainer().train(pack), circumstances(pack))
    assert queue.finished
    rows = runs_of(store)
    assert [(r["cell"], r["phase"], r["repeat"], r["trial"], r["seed"]) for r in rows] == [
        (cell, "confirm", 0, 0, seed) for cell in ("mosi/rank=1", "mosi/rank=4") for seed in range(3)
    ]


def test_without_confirm_the_search_is_all_there_is(tmp_path):
    """A sweep that confirms nothing ends with its search."""
    _, store, queue = opened(tmp_path, confirm=None)
    finish(queue, Trainer())
    assert {row["phase"] for row in runs_of(store)} == {"search"}


def test_a_search_in_which_all_diverged_is_not_confirmed(tmp_path):
    """There is nothing to choose; that is said, and the sweep is finished."""
    plan, store, queue = opened(tmp_path, factors={}, search=Search("tpe", 12, 4), confirm=Confirm(seeds=2))
    finish(queue, Trainer(edge=0.0))
    assert {(row["phase"], row["reason"]) for row in runs_of(store)} == {("search", "diverged")}
    assert queue.progress().notes == ("mosi, repeat 0: nothing is confirmed, since no trial has an objective",)
    assert queue.progress().planned == queue.progress().failed == 12
    assert Queue(plan, store, EXAMPLES).progress() == queue.progress()


def test_a_diverged_run_is_a_result(tmp_path):
    """It is FAILED with the epoch at which it diverged, and a new queue does not try it again."""
    plan, store, queue = opened(tmp_path, factors={}, confirm=None)
    trainer = Trainer(edge=1e-3)
    finish(queue, trainer)
    failed = runs_of(store, state="FAILED")
    assert failed
    for row in failed:
        assert row["reason"] == "diverged"
        assert row["epochs"] == len(of_table(exported(store), "curves", run_id=row["run_id"]))
    assert Queue(plan, store, EXAMPLES).finished


def test_proposals_are_written_before_they_are_handed_out(tmp_path):
    """Whatever a pack holds, the ledger proposed it."""
    _, store, queue = opened(tmp_path)
    trainer = Trainer()
    while (pack := queue.take(5)) is not None:
        proposed = {row["run_id"] for row in store.read("ledger").to_pylist() if row["kind"] == "proposal"}
        assert {segment.run.run_id for segment in pack.segments} <= proposed
        queue.record(pack, trainer.train(pack), circumstances(pack))


def test_each_segment_leaves_its_curve_and_confirm_runs_their_evaluations(tmp_path):
    """Epochs are recorded once; predictions name their examples; spectra count from 0."""
    _, store, queue = opened(tmp_path, factors={}, confirm=Confirm(seeds=1))
    finish(queue, Trainer())
    rows = exported(store)
    (confirmed,) = of_table(rows, "runs", phase="confirm")
    mine = {"phase": "confirm", "run_id": confirmed["run_id"]}
    assert [row["epoch"] for row in of_table(rows, "curves", **mine)] == list(range(1, 9))
    assert [row["condition"] for row in of_table(rows, "evaluations", **mine)] == ["clean"]
    predicted = [(r["example"], r["group"], r["label"]) for r in of_table(rows, "predictions", **mine)]
    assert predicted == [("a", "g", 0.0), ("b", "h", 1.0)]
    assert [(r["kind"], r["index"], r["value"]) for r in of_table(rows, "spectra", **mine)] == [
        ("energy", 0, 1.0),
        ("energy", 1, 0.5),
    ]
    assert not of_table(rows, "evaluations", phase="search")


def test_a_run_s_row_tells_where_it_was_trained_last(tmp_path):
    """Seconds are those of all its segments; pack, size, host and device those of the last."""
    _, store, queue = opened(tmp_path, factors={}, confirm=None, search=Search("random", 4, 4, Asha(4, 2.0)))
    trainer = Trainer()
    for host in ("first", "second"):
        pack = queue.take(64)
        queue.record(pack, trainer.train(pack), circumstances(pack, host))
    rows = store.read("runs").to_pylist()
    assert {(r["state"], r["host"], r["pack"], r["pack_size"], round(r["seconds"], 6)) for r in rows} == {
        ("PRUNED", "first", "pack-1", 4, 0.1),
        ("COMPLETE", "second", "pack-2", 2, 0.2),
    }
    assert all(r["ended_at"] > r["started_at"] and r["device"] == "cpu" for r in rows)


def test_a_lone_run_that_keeps_killing_its_process_fails(tmp_path):
    """It is tried `max_failures` times, is FAILED: crash, and the rest of the sweep goes on without it."""
    plan, store, queue = opened(tmp_path, factors={}, confirm=Confirm(seeds=1), resources=Resources(max_failures=3))
    assert finish_but_for(queue, Trainer(), culprit=2) == 3
    (failed,) = runs_of(store, state="FAILED")
    assert (failed["trial"], failed["reason"], failed["epochs"], failed["metrics"]) == (2, "crash", 0, {})
    assert queue.finished
    assert (queue.progress().failed, queue.progress().ended) == (1, plan.planned_runs)


def test_what_failed_without_a_result_is_tried_again_at_the_next_start(tmp_path, monkeypatch):
    """A new queue trains the run, which then has a result; what was decided without it stands."""
    plan, store, queue = opened(tmp_path, factors={}, confirm=Confirm(seeds=1))
    trainer = Trainer()
    finish_but_for(queue, trainer, culprit=2)
    (failed,) = runs_of(store, reason="crash")
    proposed = of_table(exported(store), "ledger", kind="proposal")

    monkeypatch.setattr(TrialSampler, "propose", lambda *given: pytest.fail("a wave was proposed anew"))
    again = Queue(plan, store, EXAMPLES)
    assert not again.finished
    trainer.trained.clear()
    finish(again, trainer)
    assert {run_id for run_id, _, _ in trainer.trained} == {failed["run_id"]}
    assert runs_of(store, reason="crash") == []
    assert of_table(exported(store), "ledger", kind="proposal") == proposed
    assert Queue(plan, store, EXAMPLES).finished


def test_a_repeat_that_failed_for_want_of_memory_is_confirmed_once_it_has_results(tmp_path):
    """No memory, no result, nothing to confirm; with memory, the search is made up for and then confirmed."""
    plan, store, queue = opened(tmp_path, factors={}, search=Search("random", 2, 2), confirm=Confirm(seeds=1))
    while (pack := queue.take(64)) is not None:
        outcomes = [Outcome("FAILED", "memory", epoch=pack.start) for _ in pack.segments]
        queue.record(pack, outcomes, circumstances(pack))
    assert [(row["phase"], row["reason"]) for row in runs_of(store)] == [("search", "memory")] * 2
    assert queue.finished
    finish(Queue(plan, store, EXAMPLES), Trainer())
    assert [(row["phase"], row["state"]) for row in runs_of(store)] == [
        ("confirm", "COMPLETE"),
        *[("search", "COMPLETE")] * 2,
    ]


def test_checkpoints_live_as_long_as_a_run_needs_them(tmp_path):
    """At any time there are checkpoints of those runs that wait at a rung or go on from one, and after the end none."""
    _, store, queue = opened(tmp_path, factors={})
    trainer = Trainer()
    while (pack := queue.take(3)) is not None:
        for segment in pack.segments:
            if segment.start:
                assert store.read_blob(store.state_path(segment.run.run_id, segment.start)) == b"state"
            if segment.stop < 8:
                store.write_blob(store.state_path(segment.run.run_id, segment.stop), b"state")
        queue.record(pack, trainer.train(pack), circumstances(pack))
        ended = {row["run_id"] for row in store.read("runs").to_pylist()}
        assert not [path for path in store.state_paths() if any(run_id in path for run_id in ended)]
    assert store.state_paths() == []


def test_waves_are_proposed_as_they_are_needed(tmp_path, monkeypatch):
    """A sweep of many cells does not propose all first waves before it starts; what comes of it is the same."""
    plan, store, queue = opened(tmp_path / "eager")
    finish(queue, Trainer())
    monkeypatch.setattr(queue_module, "PROPOSE_BELOW", 4)
    lazy = a_store(tmp_path / "lazy", plan)
    queue = Queue(plan, lazy, EXAMPLES)
    assert sum(queue.count_waiting().values()) == 4
    assert not queue.finished
    finish(queue, Trainer(), limit=2)
    assert exported(lazy) == exported(store)


def test_a_value_that_is_no_number_survives_the_store(tmp_path):
    """A run without an objective is COMPLETE, never chosen, and replayed as it was."""
    plan, store, queue = opened(tmp_path, factors={}, search=Search("random", 2, 2), confirm=Confirm(seeds=1))
    pack = queue.take(64)
    outcomes = Trainer().train(pack)
    nothing = type(outcomes[0])("TRAINED", epoch=8)
    assert math.isnan(nothing.value)
    queue.record(pack, [nothing, outcomes[1]], circumstances(pack))
    (confirm,) = Queue(plan, store, EXAMPLES).take(64).segments
    assert confirm.key.trial == 1
    assert [row["state"] for row in runs_of(store, phase="search")] == ["COMPLETE", "COMPLETE"]


def test_progress_counts_runs_and_epochs(tmp_path):
    """Ended, in flight and waiting runs, the epochs trained and still expected, and the best of each dataset."""
    search = Search("random", 4, 4, Asha(4, 2.0))
    plan, store, queue = opened(tmp_path, factors={}, search=search, confirm=Confirm(seeds=1))
    start = queue.progress()
    assert (start.planned, start.waiting, start.in_flight, start.ended) == (5, 4, 0, 0)
    assert start.epochs_left == plan.expected_epochs == 4 * (4 + 4 / 2) + 8
    assert start.best == {}
    trainer = Trainer()
    pack = queue.take(3)
    assert (queue.progress().waiting, queue.progress().in_flight) == (1, 3)
    queue.record(pack, trainer.train(pack), circumstances(pack))
    assert queue.progress().epochs_done == 12
    assert queue.progress().epochs_left == 3 * 4 / 2 + (4 + 4 / 2) + 8
    finish(queue, trainer)
    end = queue.progress()
    assert (end.complete, end.pruned, end.failed, end.epochs_left) == (3, 2, 0, 0)
    assert end.ended_by_pack == Counter(store.read("runs", ["pack"])["pack"].to_pylist())
    assert end.best["mosi"].cell == "mosi"
    assert end.best["mosi"].value == min(
        min(trainer.curves[run_id]) for run_id, _, stop in trainer.trained if stop == 8
    )


def test_the_ledger_s_configuration_is_the_run_s(tmp_path):
    """A proposal that is read back is the run that was proposed, to the digest."""
    _, store, queue = opened(tmp_path)
    finish(queue, Trainer())
    rows = exported(store)
    proposed = {row["run_id"]: json.loads(row["configuration"]) for row in of_table(rows, "ledger", kind="proposal")}
    assert proposed == {row["run_id"]: json.loads(row["configuration"]) for row in of_table(rows, "runs")}


def test_a_ledger_of_another_sweep_is_refused(tmp_path):
    """A store that tells of a cell the sweep does not have, or of a run nobody proposed, is not guessed at."""
    _, store, queue = opened(tmp_path)
    finish(queue, Trainer())
    other = a_plan(factors={"rank": (1, 2)})
    with pytest.raises(StoreError, match=r"contains repeat 0 of mosi/rank=4, which this sweep did not propose"):
        Queue(other, store, EXAMPLES)
    orphan = a_store(tmp_path / "orphan", other)
    row = {"kind": "verdict", "phase": "search", "cell": "mosi/rank=1", "repeat": 0, "trial": 3, "seed": 0, "rung": 2}
    orphan.append("ledger", [{**row, "goes_on": True}])
    with pytest.raises(
        StoreError, match=r"contains trial 3 of mosi/rank=1, repeat 0, which this sweep did not propose"
    ) as caught:
        Queue(other, orphan, EXAMPLES)
    assert "tcray store verify" in caught.value.remedy


def test_an_epoch_count_below_the_first_rung_prunes_nothing(tmp_path):
    """With the first rung at the last epoch every run is trained in one go."""
    _, store, queue = opened(tmp_path, training=Training(2), confirm=None)
    finish(queue, Trainer())
    assert {row["state"] for row in runs_of(store)} == {"COMPLETE"}
