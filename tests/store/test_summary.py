"""How far a sweep has come."""

from __future__ import annotations

from math import nan

from tcray.store.driver_status import write_status
from tcray.store.lease import Lease, last_holder
from tcray.store.store import Store
from tcray.store.summary import Summary, count_ended_and_planned, find_best_runs
from tcray.store.trials import read_records

from .recorded import a_sweep, an_activity


def test_runs_are_counted_by_what_they_are(store: Store):
    """By any of dataset, source, phase, state and reason."""
    summary = Summary.read(a_sweep(store))
    assert [summary.runs(state=state) for state in ("COMPLETE", "PRUNED", "FAILED")] == [8, 2, 2]
    assert summary.runs() == 12
    assert summary.runs(dataset="mosi", phase="confirm") == 2
    assert summary.failures == [("mustard", "diverged", 2)]
    assert summary.datasets == [("mosi", "real"), ("mustard", "twin")]


def test_the_holder_is_who_runs_it_now(store: Store):
    """Nobody, where no lease is held."""
    sweep = a_sweep(store)
    assert Summary.read(sweep).holder is None
    with Lease(sweep):
        assert Summary.read(sweep).holder is not None


def test_runs_that_were_read_are_counted_alike(store: Store):
    """Whoever has the records need not read the table again."""
    sweep = a_sweep(store)
    assert Summary.from_runs(sweep, read_records(sweep)) == Summary.read(sweep)


def test_how_far_it_is_the_driver_knows_best(store: Store):
    """Runs are counted where the driver has said nothing; who drove before is not asked."""
    sweep = a_sweep(store)
    assert count_ended_and_planned(sweep, None) == (12, 20)
    with Lease(sweep):
        driver = last_holder(sweep)
        assert driver is not None
        write_status(sweep, an_activity("before"))
        assert count_ended_and_planned(sweep, driver) == (12, 20)
        write_status(sweep, an_activity(driver.token))
        assert count_ended_and_planned(sweep, driver) == (389, 1234)


def a_record(dataset: str, value: float | None, state: str = "COMPLETE", metric: str = "valid.loss", **more: object):
    """As much of a record as is looked at."""
    return {"dataset": dataset, "state": state, metric: value, **more}


def test_the_best_run_is_complete_and_has_the_best_objective():
    """Smaller losses, greater scores; the first of equals; neither NaN nor nothing is best."""
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
