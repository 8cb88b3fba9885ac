"""The rungs of a search, and its rule of promotion compared with numpy's percentile and Ray Tune's scheduler."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcray.config.sweep import Asha, Search, Training
from tcray.search.queue import Queue
from tcray.search.rungs import Rungs, quantile

from .factories import EXAMPLES, export_reproducible, make_plan, make_store, select_rows
from .fakes import FakeTrainer, train_all

FINITE = st.floats(-1e6, 1e6)


def test_rungs_are_powers_of_the_reduction_factor() -> None:
    """Rungs are at min_epochs·η^k below the last epoch, which is not a rung."""
    assert Rungs.asha(27, 1, 3).milestones == (1, 3, 9)
    assert Rungs.asha(27, 9, 3).milestones == (9,)
    assert Rungs.asha(27, 27, 3).milestones == ()
    assert Rungs.asha(10, 1, 2.5).milestones == (1, 3, 7)  # 1, 2.5, 6.25: the first epoch that is not before


def test_a_slow_reduction_has_no_rung_twice() -> None:
    """If several powers round up to one epoch, it is a rung once."""
    assert Rungs.asha(6, 1, 1.2).milestones == (1, 2, 3, 4, 5)


def test_runs_stop_at_each_rung_and_then_at_the_last_epoch() -> None:
    """A run is trained from rung to rung; without rungs it is trained in one go."""
    rungs = Rungs.asha(27, 1, 3)
    assert [rungs.next_stop(start) for start in (0, 1, 3, 9)] == [1, 3, 9, 27]
    assert Rungs(27).next_stop(0) == 27


def test_the_first_run_at_a_rung_is_promoted() -> None:
    """A run with no others to compare is promoted, even with the worst score."""
    assert Rungs.asha(9, 1, 3).is_promoted(-math.inf, []) is True


def test_a_run_that_reaches_the_quantile_of_the_others_is_promoted() -> None:
    """With η = 3 the threshold over 0, 1, 2, 3 is 2, their two-thirds quantile; a score equal to it is enough."""
    rungs = Rungs.asha(9, 1, 3)
    assert [rungs.is_promoted(score, [0.0, 1.0, 2.0, 3.0]) for score in (1.9, 2.0, 2.1)] == [False, True, True]


@given(st.lists(FINITE, min_size=1, max_size=20), st.floats(1, 99))
def test_the_quantile_is_numpys_to_the_bit(values, percent) -> None:
    """On finite values the quantile equals `np.nanpercentile`, which Ray Tune's rung uses."""
    assert quantile(values, percent) == np.nanpercentile(values, percent)


@given(st.lists(FINITE | st.just(-math.inf), min_size=1, max_size=20), st.floats(1, 99))
def test_the_quantile_is_never_nan(values, percent) -> None:
    """Minus infinity counts as the lowest value; interpolation between it and a number returns minus infinity."""
    rank = (len(values) - 1) * (percent / 100)
    lower = sorted(values)[math.floor(rank)]
    expected = -math.inf if lower == -math.inf else np.nanpercentile([max(v, -1e300) for v in values], percent)
    assert quantile(values, percent) == expected


def test_expected_epochs_keep_one_in_eta() -> None:
    """With 27 epochs and rungs at 1, 3 and 9, a run is expected to train 1 + 2/3 + 6/9 + 18/27 = 3."""
    assert Rungs.asha(27, 1, 3).expected_epochs() == pytest.approx(3)
    assert Rungs.asha(27, 1, 3).expected_epochs(9) == 18
    assert Rungs(27).expected_epochs() == 27


@pytest.mark.parametrize("objective", ["valid.loss", "valid.r"])
@pytest.mark.parametrize(("epochs", "min_epochs", "factor"), [(27, 1, 3.0), (27, 9, 3.0), (16, 2, 2.0), (30, 1, 4.0)])
def test_with_waves_of_one_decisions_are_those_of_ray_tune(tmp_path, objective, epochs, min_epochs, factor) -> None:
    """A queue with waves of one stops every run at the epoch at which `ASHAScheduler` stops it on the same curves."""
    from ray.tune.schedulers import ASHAScheduler, TrialScheduler

    search = Search("random", trials=30, wave=1, pruner=Asha(min_epochs, factor))
    plan = make_plan(training=Training(epochs), factors={}, objective=objective, search=search, confirm=None)
    store = make_store(tmp_path, plan)
    trainer = FakeTrainer(objective=objective)
    queue = Queue(plan, store, EXAMPLES)
    train_all(queue, trainer)
    rows = select_rows(export_reproducible(store), "runs")
    stopped = {row["trial"]: (row["epochs"], row["state"]) for row in rows}

    mode = "max" if plan.maximize else "min"
    scheduler = ASHAScheduler(
        time_attr="epoch", metric="value", mode=mode, max_t=epochs, grace_period=min_epochs, reduction_factor=factor
    )
    expected = {}
    for trial, curve in sorted((row["trial"], trainer.curves[row["run_id"]]) for row in rows):
        fake = SimpleNamespace(trial_id=str(trial))
        scheduler.on_trial_add(None, fake)
        for epoch, value in enumerate(curve, 1):
            if scheduler.on_trial_result(None, fake, {"epoch": epoch, "value": value}) == TrialScheduler.STOP:
                break
        expected[trial] = (epoch, "COMPLETE" if epoch == epochs else "PRUNED")
    assert stopped == expected
    assert {state for _, state in stopped.values()} == {"COMPLETE", "PRUNED"}
