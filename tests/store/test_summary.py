"""Tests of a sweep's progress."""

from __future__ import annotations

from math import nan

from tcray.store.driver_status import write_status
from tcray.store.lease import Lease, last_holder
from tcray.store.store import Store
from tcray.store.summary import Summary, count_ended_and_planned, find_best_runs
from tcray.store.trials import read_records

from .factories import make_driver_status, make_stored_sweep


def test_runs_are_counted_by_their_properties(store: Store) -> None:
    """Runs are counted by any of dataset, source, phase, state and reason."""
    summary = Summary.read(make_stored_sweep(store))
    assert [summary.runs(state=state) for state in ("COMPLETE", "PRUNED", "FAILED")] == [8, 2, 2]
    assert summary.runs() == 12
    assert summary.runs(dataset="mosi", phase="confirm") == 2
    assert summary.failures == [("mustard", "diverged", 2)]
    assert summary.datasets == [("mosi", "real"), ("mustard", "twin")]


def test_the_holder_is_the_current_driver(store: Store) -> None:
    """The holder is None if no lease is held."""
    sweep = make_stored_sweep(store)
    assert Summary.read(sweep).holder is None
    with Lease(sweep):
        assert Summary.read(sweep).holder is not None


def test_records_give_the_same_summary_as_the_table(store: Store) -> None:
    """A caller that has the records need not read the table again."""
    sweep = make_stored_sweep(store)
    assert Summary.from_runs(sweep, read_records(sweep)) == Summary.read(sweep)


def test_progress_comes_from_the_drivers_status_if_there_is_one(store: Store) -> None:
    """Otherwise the runs in the store are counted; the status of an earlier driver is ignored."""
    sweep = make_stored_sweep(store)
    assert count_ended_and_planned(sweep, None) == (12, 20)
    with Lease(sweep):
        driver = last_holder(sweep)
        assert driver is not None
        write_status(sweep, make_driver_status("before"))
        assert count_ended_and_planned(sweep, driver) == (12, 20)
        write_status(sweep, make_driver_status(driver.token))
        assert count_ended_and_planned(sweep, driver) == (389, 1234)


def a_record(
    dataset: str, value: float | None, state: str = "COMPLETE", metric: str = "valid.loss", **more: object
) -> dict[str, object]:
    """Return a record with the fields that are used."""
    return {"dataset": dataset, "state": state, metric: value, **more}


def test_the_best_run_is_complete_and_has_the_best_objective() -> None:
    """Losses are minimized, scores maximized; the first of equal runs counts; NaN and missing values never do."""
    runs = [
        a_record("mosi", nan),
        a_record("mosi", None),
        a_record("mosi", 0.1, "PRUNED"),
        a_record("mosi", 0.3, trial=1),
        a_record("mosi", 0.3, trial=2),
        a_record("mustard", 0.9),
    ]
    assert find_best_runs(runs, "valid.loss") == {"mosi": runs[3], "mustard": runs[5]}
    scores = [a_record("mosi", value, metric="valid.auroc") for value in (0.4, 0.6, 0.5)]
    assert find_best_runs(scores, "valid.auroc") == {"mosi": scores[1]}
    assert find_best_runs([], "valid.loss") == {}
