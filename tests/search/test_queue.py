"""The queue: the packs it hands out, the rows it writes, retries and failures."""

import math
from collections import Counter

import pytest
from pyarrow import parquet

from tcray.config.domains import Choice, Int
from tcray.config.run import Configuration
from tcray.config.sweep import Asha, Confirm, Resources, Search, Training
from tcray.errors import StoreError
from tcray.search import queue as queue_module
from tcray.search.ledger import read_configuration
from tcray.search.queue import Queue
from tcray.search.sampler import TrialSampler
from tcray.store.outcome import Outcome
from tcray.store.schema import TABLES

from .factories import EXAMPLES, export_reproducible, make_execution, make_plan, make_store, select_rows
from .fakes import FakeTrainer, train_all


def open_queue(tmp_path, **changes):
    """Return a plan, its store, and a queue on them."""
    plan = make_plan(**changes)
    store = make_store(tmp_path, plan)
    return plan, store, Queue(plan, store, EXAMPLES)


def read_runs(store, **equal):
    """Return the rows of runs whose columns have these values."""
    return select_rows(export_reproducible(store), "runs", **equal)


def train_all_but(queue, trainer, crashing):
    """Train every run but one trial, which kills its process; return the number of crashes in a pack of its own."""
    crashes = 0
    while (pack := queue.take(64)) is not None:
        if any((segment.key.phase, segment.key.trial) == ("search", crashing) for segment in pack.segments):
            crashes += len(pack.segments) == 1
            queue.record_crash(pack)
        else:
            queue.record(pack, trainer.train(pack), make_execution(pack))
    return crashes


def test_every_planned_run_is_trained_once_and_recorded(tmp_path) -> None:
    """Each repeat of a cell has all trials of its search and all confirm seeds, and no segment is trained twice."""
    plan, store, queue = open_queue(tmp_path)
    trainer = FakeTrainer()
    train_all(queue, trainer)
    rows = read_runs(store)
    counts = Counter((row["phase"], row["cell"], row["repeat"]) for row in rows)
    places = [(cell.key, repeat) for cell in plan.cells for repeat in range(2)]
    assert counts == {("search", *p): 12 for p in places} | {("confirm", *p): 2 for p in places}
    assert len(trainer.trained) == len(set(trainer.trained))
    assert len(rows) == plan.planned_runs


def test_the_best_complete_trial_is_confirmed_in_full_with_fresh_seeds(tmp_path) -> None:
    """The search's best trial is trained to the end, under seeds that were not used to select it."""
    _, store, queue = open_queue(tmp_path)
    train_all(queue, FakeTrainer())
    for confirmed in read_runs(store, phase="confirm"):
        place = {"cell": confirmed["cell"], "repeat": confirmed["repeat"]}
        complete = read_runs(store, phase="search", state="COMPLETE", **place)
        best = min(complete, key=lambda row: row["metrics"]["valid.loss"])
        assert confirmed["trial"] == best["trial"]
        assert Configuration.from_flat(confirmed) == Configuration.from_flat(best)
        assert (confirmed["state"], confirmed["epochs"]) == ("COMPLETE", 8)
        assert confirmed["seed"] in (1000 * confirmed["repeat"] + 1, 1000 * confirmed["repeat"] + 2)
        assert best["seed"] == 1000 * confirmed["repeat"]


def test_without_failures_no_row_is_written_twice(tmp_path) -> None:
    """Readers drop duplicate rows, but without failures there are none."""
    _, store, queue = open_queue(tmp_path)
    train_all(queue, FakeTrainer(edge=0.03))
    for table in TABLES:
        parts = sorted((tmp_path / table / store.sweep_id).glob("*.parquet"))
        assert sum(parquet.read_metadata(part).num_rows for part in parts) == len(store.read(table))


def test_seeds_pair_across_cells(tmp_path) -> None:
    """Every cell searches and confirms under the same seeds."""
    plan, store, queue = open_queue(tmp_path)
    train_all(queue, FakeTrainer())
    seeds = {
        cell.key: {(r["phase"], r["repeat"], r["seed"]) for r in read_runs(store, cell=cell.key)} for cell in plan.cells
    }
    assert len({frozenset(found) for found in seeds.values()}) == 1


def test_no_configuration_is_proposed_twice_in_a_repeat(tmp_path) -> None:
    """No configuration is proposed twice, even in a small discrete space."""
    tune = {"rank": Int(1, 5), "batch_size": Choice((16, 32, 64))}
    _, store, queue = open_queue(tmp_path, factors={}, tune=tune, search=Search("tpe", 14, 4), confirm=None)
    train_all(queue, FakeTrainer())
    assert len({Configuration.from_flat(row) for row in read_runs(store)}) == 14


def test_an_exhausted_space_ends_the_search_with_a_note(tmp_path) -> None:
    """After the last configuration the search ends, its best is confirmed, and the progress has a note."""
    plan, store, queue = open_queue(
        tmp_path, factors={}, tune={"rank": Int(1, 5)}, search=Search("tpe", 12, 4), confirm=Confirm(2)
    )
    train_all(queue, FakeTrainer())
    (row,) = select_rows(export_reproducible(store), "ledger", kind="exhausted")
    assert (row["trial"], row["wave"], row["reason"]) == (
        5,
        1,
        "there is no configuration left that it has not tried",
    )
    assert len(read_runs(store, phase="search")) == 5
    assert len(read_runs(store, phase="confirm")) == 2
    assert (queue.progress().planned, plan.planned_runs) == (7, 7)
    note = "mosi, repeat 0: the search ended after 5 trials: there is no configuration left that it has not tried"
    assert queue.progress().notes == (note,)
    assert Queue(plan, store, EXAMPLES).finished


def test_without_a_search_all_runs_are_confirm_runs(tmp_path) -> None:
    """Without a search, each cell is confirmed under the seeds 0, 1 and 2 in one pack."""
    _, store, queue = open_queue(tmp_path, tune={}, search=None, confirm=Confirm(seeds=3))
    pack = queue.take(64)
    assert (pack.start, pack.stop, len(pack.segments)) == (0, 8, 6)
    queue.record(pack, FakeTrainer().train(pack), make_execution(pack))
    assert queue.finished
    rows = read_runs(store)
    assert [(r["cell"], r["phase"], r["repeat"], r["trial"], r["seed"]) for r in rows] == [
        (cell, "confirm", 0, 0, seed) for cell in ("mosi/rank=1", "mosi/rank=4") for seed in range(3)
    ]


def test_without_confirm_all_runs_are_search_runs(tmp_path) -> None:
    """A sweep without a confirm section ends with its search."""
    _, store, queue = open_queue(tmp_path, confirm=None)
    train_all(queue, FakeTrainer())
    assert {row["phase"] for row in read_runs(store)} == {"search"}


def test_a_search_in_which_all_diverged_is_not_confirmed(tmp_path) -> None:
    """No trial can be selected; the progress has a note, and the sweep is finished."""
    plan, store, queue = open_queue(tmp_path, factors={}, search=Search("tpe", 12, 4), confirm=Confirm(seeds=2))
    train_all(queue, FakeTrainer(edge=0.0))
    assert {(row["phase"], row["reason"]) for row in read_runs(store)} == {("search", "diverged")}
    assert queue.progress().notes == ("mosi, repeat 0: nothing is confirmed, since no trial has an objective",)
    assert queue.progress().planned == queue.progress().failed == 12
    assert Queue(plan, store, EXAMPLES).progress() == queue.progress()


def test_a_diverged_run_is_a_result(tmp_path) -> None:
    """It is FAILED with the epoch at which it diverged, and a new queue does not retry it."""
    plan, store, queue = open_queue(tmp_path, factors={}, confirm=None)
    trainer = FakeTrainer(edge=1e-3)
    train_all(queue, trainer)
    failed = read_runs(store, state="FAILED")
    assert failed
    for row in failed:
        assert row["reason"] == "diverged"
        assert row["epochs"] == len(select_rows(export_reproducible(store), "curves", run_id=row["run_id"]))
    assert Queue(plan, store, EXAMPLES).finished


def test_proposals_are_written_before_they_are_handed_out(tmp_path) -> None:
    """The ledger has a proposal of every run in a pack."""
    _, store, queue = open_queue(tmp_path)
    trainer = FakeTrainer()
    while (pack := queue.take(5)) is not None:
        proposed = {row["run_id"] for row in store.read("ledger").to_pylist() if row["kind"] == "proposal"}
        assert {segment.run.run_id for segment in pack.segments} <= proposed
        queue.record(pack, trainer.train(pack), make_execution(pack))


def test_each_segment_leaves_its_curve_and_confirm_runs_their_evaluations(tmp_path) -> None:
    """Epochs are recorded once; predictions name their examples; spectra count from 0."""
    _, store, queue = open_queue(tmp_path, factors={}, confirm=Confirm(seeds=1))
    train_all(queue, FakeTrainer())
    rows = export_reproducible(store)
    (confirmed,) = select_rows(rows, "runs", phase="confirm")
    mine = {"phase": "confirm", "run_id": confirmed["run_id"]}
    assert [row["epoch"] for row in select_rows(rows, "curves", **mine)] == list(range(1, 9))
    assert [row["condition"] for row in select_rows(rows, "evaluations", **mine)] == ["clean"]
    predicted = [(r["example"], r["group"], *r["label"]) for r in select_rows(rows, "predictions", **mine)]
    assert predicted == [("a", "g", 0.0), ("b", "h", 1.0)]
    assert [(r["kind"], r["index"], r["value"]) for r in select_rows(rows, "spectra", **mine)] == [
        ("energy", 0, 1.0),
        ("energy", 1, 0.5),
    ]
    assert not select_rows(rows, "evaluations", phase="search")


def test_a_run_s_row_has_the_execution_of_its_last_segment(tmp_path) -> None:
    """Seconds are those of all its segments; pack, size, host and device those of the last segment."""
    _, store, queue = open_queue(tmp_path, factors={}, confirm=None, search=Search("random", 4, 4, Asha(4, 2.0)))
    trainer = FakeTrainer()
    for host in ("first", "second"):
        pack = queue.take(64)
        queue.record(pack, trainer.train(pack), make_execution(pack, host))
    rows = store.read("runs").to_pylist()
    assert {(r["state"], r["host"], r["pack"], r["pack_size"], round(r["seconds"], 6)) for r in rows} == {
        ("PRUNED", "first", "pack-1", 4, 0.1),
        ("COMPLETE", "second", "pack-2", 2, 0.2),
    }
    assert all(r["ended_at"] > r["started_at"] and r["device"] == "cpu" for r in rows)


def test_a_lone_run_that_keeps_killing_its_process_fails(tmp_path) -> None:
    """It is tried `max_failures` times and is then FAILED: crash; the rest of the sweep is unaffected."""
    plan, store, queue = open_queue(tmp_path, factors={}, confirm=Confirm(seeds=1), resources=Resources(max_failures=3))
    assert train_all_but(queue, FakeTrainer(), crashing=2) == 3
    (failed,) = read_runs(store, state="FAILED")
    assert (failed["trial"], failed["reason"], failed["epochs"], failed["metrics"]) == (2, "crash", 0, {})
    assert queue.finished
    assert (queue.progress().failed, queue.progress().ended) == (1, plan.planned_runs)


def test_a_run_without_a_result_is_retried_by_a_new_queue(tmp_path, monkeypatch) -> None:
    """A new queue trains the run, which then has a result; decisions taken without it stand."""
    plan, store, queue = open_queue(tmp_path, factors={}, confirm=Confirm(seeds=1))
    trainer = FakeTrainer()
    train_all_but(queue, trainer, crashing=2)
    (failed,) = read_runs(store, reason="crash")
    proposed = select_rows(export_reproducible(store), "ledger", kind="proposal")

    monkeypatch.setattr(TrialSampler, "propose", lambda *arguments: pytest.fail("a wave was proposed again"))
    again = Queue(plan, store, EXAMPLES)
    assert not again.finished
    trainer.trained.clear()
    train_all(again, trainer)
    assert {run_id for run_id, _, _ in trainer.trained} == {failed["run_id"]}
    assert read_runs(store, reason="crash") == []
    assert select_rows(export_reproducible(store), "ledger", kind="proposal") == proposed
    assert Queue(plan, store, EXAMPLES).finished


def test_a_repeat_that_ran_out_of_memory_is_confirmed_once_it_has_results(tmp_path) -> None:
    """If memory ran out in all trials, nothing is confirmed; a new queue trains them again and then confirms one."""
    plan, store, queue = open_queue(tmp_path, factors={}, search=Search("random", 2, 2), confirm=Confirm(seeds=1))
    while (pack := queue.take(64)) is not None:
        outcomes = [Outcome("FAILED", "memory", epoch=pack.start) for _ in pack.segments]
        queue.record(pack, outcomes, make_execution(pack))
    assert [(row["phase"], row["reason"]) for row in read_runs(store)] == [("search", "memory")] * 2
    assert queue.finished
    train_all(Queue(plan, store, EXAMPLES), FakeTrainer())
    assert [(row["phase"], row["state"]) for row in read_runs(store)] == [
        ("confirm", "COMPLETE"),
        *[("search", "COMPLETE")] * 2,
    ]


def test_checkpoints_exist_only_while_a_run_needs_them(tmp_path) -> None:
    """At any time only runs that wait at a rung or were promoted have checkpoints; at the end there are none."""
    _, store, queue = open_queue(tmp_path, factors={})
    trainer = FakeTrainer()
    while (pack := queue.take(3)) is not None:
        for segment in pack.segments:
            if segment.start:
                assert store.read_blob(store.checkpoint_path(segment.run.run_id, segment.start)) == b"state"
            if segment.stop < 8:
                store.write_blob(store.checkpoint_path(segment.run.run_id, segment.stop), b"state")
        queue.record(pack, trainer.train(pack), make_execution(pack))
        ended = {row["run_id"] for row in store.read("runs").to_pylist()}
        assert not [path for path in store.checkpoint_paths() if any(run_id in path for run_id in ended)]
    assert store.checkpoint_paths() == []


def test_waves_are_proposed_as_they_are_needed(tmp_path, monkeypatch) -> None:
    """A sweep of many cells does not propose all first waves before it starts; its results are the same."""
    plan, store, queue = open_queue(tmp_path / "eager")
    train_all(queue, FakeTrainer())
    monkeypatch.setattr(queue_module, "PROPOSE_BELOW", 4)
    lazy = make_store(tmp_path / "lazy", plan)
    queue = Queue(plan, lazy, EXAMPLES)
    assert sum(queue.count_waiting().values()) == 4
    assert not queue.finished
    train_all(queue, FakeTrainer(), limit=2)
    assert export_reproducible(lazy) == export_reproducible(store)


def test_an_objective_that_is_not_a_number_survives_the_store(tmp_path) -> None:
    """A run without an objective is COMPLETE, is never selected, and is replayed unchanged."""
    plan, store, queue = open_queue(tmp_path, factors={}, search=Search("random", 2, 2), confirm=Confirm(seeds=1))
    pack = queue.take(64)
    outcomes = FakeTrainer().train(pack)
    nothing = type(outcomes[0])("TRAINED", epoch=8)
    assert math.isnan(nothing.value)
    queue.record(pack, [nothing, outcomes[1]], make_execution(pack))
    following = Queue(plan, store, EXAMPLES).take(64)
    assert following is not None
    (confirm,) = following.segments
    assert confirm.key.trial == 1
    assert [row["state"] for row in read_runs(store, phase="search")] == ["COMPLETE", "COMPLETE"]


def test_progress_counts_runs_and_epochs(tmp_path) -> None:
    """The progress has runs ended, in flight and pending, epochs trained and expected, and the best of each dataset."""
    search = Search("random", 4, 4, Asha(4, 2.0))
    plan, store, queue = open_queue(tmp_path, factors={}, search=search, confirm=Confirm(seeds=1))
    start = queue.progress()
    assert (start.planned, start.waiting, start.in_flight, start.ended) == (5, 4, 0, 0)
    assert start.epochs_left == plan.expected_epochs == 4 * (4 + 4 / 2) + 8
    assert start.best == {}
    trainer = FakeTrainer()
    pack = queue.take(3)
    assert (queue.progress().waiting, queue.progress().in_flight) == (1, 3)
    queue.record(pack, trainer.train(pack), make_execution(pack))
    assert queue.progress().epochs_done == 12
    assert queue.progress().epochs_left == 3 * 4 / 2 + (4 + 4 / 2) + 8
    train_all(queue, trainer)
    end = queue.progress()
    assert (end.complete, end.pruned, end.failed, end.epochs_left) == (3, 2, 0, 0)
    assert end.ended_by_pack == Counter(store.read("runs", ["pack"])["pack"].to_pylist())
    assert end.best["mosi"].cell == "mosi"
    assert end.best["mosi"].value == min(
        min(trainer.curves[run_id]) for run_id, _, stop in trainer.trained if stop == 8
    )


def test_the_ledger_s_configuration_is_the_run_s(tmp_path) -> None:
    """The configuration of a proposal equals that of the recorded run."""
    _, store, queue = open_queue(tmp_path)
    train_all(queue, FakeTrainer())
    rows = export_reproducible(store)
    proposed = {row["run_id"]: read_configuration(row) for row in select_rows(rows, "ledger", kind="proposal")}
    assert proposed == {row["run_id"]: Configuration.from_flat(row) for row in select_rows(rows, "runs")}


def test_a_ledger_of_another_sweep_is_refused(tmp_path) -> None:
    """A ledger with a cell that is not in the sweep, or with a run that was not proposed, raises StoreError."""
    _, store, queue = open_queue(tmp_path)
    train_all(queue, FakeTrainer())
    other = make_plan(factors={"rank": (1, 2)})
    with pytest.raises(StoreError, match=r"contains repeat 0 of mosi/rank=4, which this sweep did not propose"):
        Queue(other, store, EXAMPLES)
    orphan = make_store(tmp_path / "orphan", other)
    row = {"kind": "promotion", "phase": "search", "cell": "mosi/rank=1", "repeat": 0, "trial": 3, "seed": 0, "rung": 2}
    orphan.append("ledger", [{**row, "promoted": True}])
    with pytest.raises(
        StoreError, match=r"contains trial 3 of mosi/rank=1, repeat 0, which this sweep did not propose"
    ) as caught:
        Queue(other, orphan, EXAMPLES)
    assert "tcray store verify" in caught.value.remedy


def test_a_single_rung_at_the_last_epoch_prunes_nothing(tmp_path) -> None:
    """If the first rung is at the last epoch, every run is trained in one go."""
    _, store, queue = open_queue(tmp_path, training=Training(2), confirm=None)
    train_all(queue, FakeTrainer())
    assert {row["state"] for row in read_runs(store)} == {"COMPLETE"}
