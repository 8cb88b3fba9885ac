"""Decisions of a repeat: promotions, observations for the sampler, and the selected trial."""

import math
from datetime import UTC, datetime

import pytest

from tcray.config.sweep import Asha, Confirm, Search, Training
from tcray.search.repeat import Repeat
from tcray.search.run_history import Execution, Measurement, RunHistory, score
from tcray.search.sampler import ObservedTrial
from tcray.store.keys import RunKey
from tcray.store.outcome import Outcome

from .factories import make_plan

PLAN = make_plan(
    factors={}, training=Training(9), search=Search("tpe", 8, 4, Asha(1, 3.0)), confirm=Confirm(seeds=2, repeats=1)
)
EXECUTION = Execution("h", "cpu", "p", 1, datetime.now(UTC), datetime.now(UTC))
DIVERGED, CRASH, NAN = "diverged", "crash", math.nan


def make_repeat(*measurements, plan=PLAN, wave=4):
    """Return a repeat whose trials have these values at rungs 1, 3 and 9; a word is the reason of a failure."""
    repeat = Repeat(plan, plan.cells[0], 0)
    for trial, values in enumerate(measurements):
        configuration = plan.resolve(repeat.cell, {"lr": 1e-4 * (trial + 1)})
        key = RunKey("search", "mosi", 0, trial, 0)
        history = RunHistory(key, trial // wave, plan.make_run(repeat.cell, configuration, 0), plan.rungs)
        for rung, value in zip((1, 3, 9), values, strict=False):
            history.measurements.append(_measurement(rung, value, plan.sweep.objective))
        repeat.search_histories.append(history)
    return repeat


def _measurement(rung, value, objective):
    if isinstance(value, str):
        return Measurement(rung, Outcome("FAILED", value, rung, seconds=0.1), EXECUTION)
    metrics = {} if math.isnan(value) else {objective: value}
    return Measurement(rung, Outcome("TRAINED", "", rung, value, rung, metrics, seconds=0.1), EXECUTION)


def decide(repeat):
    """Return the decisions of a repeat, by trial and rung."""
    repeat.prune()
    return {(c.key.trial, rung): promoted for c in repeat.search_histories for rung, promoted in c.promotions.items()}


def test_no_run_is_promoted_or_pruned_before_its_wave_is_at_the_rung() -> None:
    """A run waits at its rung for the last run of its wave."""
    assert decide(make_repeat([1.0], [2.0], [3.0], [])) == {}


def test_a_wave_is_decided_at_once() -> None:
    """With η = 3 a run is promoted if its loss is at least as good as those of two thirds of the others."""
    assert decide(make_repeat([4.0], [2.0], [1.0], [3.0])) == {(0, 1): False, (1, 1): True, (2, 1): True, (3, 1): False}


def test_a_pruned_run_is_not_awaited() -> None:
    """At the second rung only the runs promoted from the first are awaited."""
    repeat = make_repeat([4.0], [2.0], [1.0], [3.0])
    decide(repeat)
    for trial, value in ((1, 1.5), (2, 0.5)):
        repeat.search_histories[trial].measurements.append(_measurement(3, value, "valid.loss"))
    assert decide(repeat)[2, 3] is True
    assert decide(repeat)[1, 3] is False


def test_a_wave_is_compared_with_earlier_waves_only() -> None:
    """The second wave is compared with the first wave's values; the first wave was compared only with itself."""
    repeat = make_repeat([1.0], [2.0], [3.0], [4.0], [1.5], [9.0], [9.0], [9.0])
    promotions = decide(repeat)
    assert [promotions[trial, 1] for trial in range(4)] == [True, True, False, False]
    assert promotions[4, 1] is True  # others: 1, 2, 3, 4, 9, 9, 9, of which the best third ends at 2


def test_a_diverged_run_has_the_worst_score() -> None:
    """It lowers the threshold for the others and never makes it NaN; a crashed run does not count at all."""
    assert decide(make_repeat([DIVERGED], [3.0], [2.0], [1.0])) == {(1, 1): False, (2, 1): True, (3, 1): True}
    assert decide(make_repeat([CRASH], [3.0], [2.0], [1.0])) == {(1, 1): False, (2, 1): False, (3, 1): True}


def test_if_most_runs_diverged_the_others_are_promoted() -> None:
    """Between minus infinity and a number the threshold is minus infinity."""
    assert decide(make_repeat([DIVERGED], [DIVERGED], [5.0], [DIVERGED])) == {(2, 1): True}


def test_a_run_without_a_number_has_the_worst_score() -> None:
    """A NaN that training does not report as a failure is treated as minus infinity."""
    assert decide(make_repeat([NAN], [1.0], [2.0], [3.0]))[0, 1] is False
    assert decide(make_repeat([NAN], [NAN], [NAN], [DIVERGED]))[0, 1] is True


def test_larger_is_better_if_the_objective_is_maximized() -> None:
    """If the objective is maximized, the runs with the largest values are promoted."""
    plan = make_plan(factors={}, objective="valid.r", training=Training(9), search=PLAN.sweep.search)
    promotions = decide(make_repeat([0.4], [0.2], [0.1], [0.3], plan=plan))
    assert promotions == {(0, 1): True, (1, 1): False, (2, 1): False, (3, 1): True}
    assert (score(0.4, maximize=True), score(0.4, maximize=False)) == (0.4, -0.4)


def make_ended_repeat(*measurements, plan=PLAN):
    """Return a repeat whose trials have all ended: promoted up to their last value, and pruned there."""
    repeat = make_repeat(*measurements, plan=plan)
    for history in repeat.search_histories:
        if history.state is None:
            history.promotions = {rung: rung < history.position for rung in (1, 3) if rung <= history.position}
    return repeat


def test_each_trial_is_observed_by_its_final_state() -> None:
    """Complete: the objective; pruned: the last value; diverged: pruned with the worst value; crashed: no value."""
    repeat = make_ended_repeat([1.0, 0.8, 0.7], [3.0], [DIVERGED], [2.0, CRASH])
    one, two, three, four = (history.run.configuration for history in repeat.search_histories)
    assert repeat.observations() == [
        ObservedTrial(one, "COMPLETE", 0.7, 9),
        ObservedTrial(two, "PRUNED", 3.0, 1),
        ObservedTrial(three, "PRUNED", 3.0, 0),
        ObservedTrial(four, "FAIL"),
    ]


def test_the_worst_value_follows_the_direction() -> None:
    """If larger is better, a diverged trial is observed with the smallest value."""
    plan = make_plan(factors={}, objective="valid.r", training=Training(9), search=PLAN.sweep.search)
    observed = make_ended_repeat([0.1, 0.2, 0.3], [0.05], [DIVERGED], plan=plan).observations()
    assert observed[2].value == 0.05


def test_if_all_trials_diverged_there_is_no_worst_value() -> None:
    """All trials are observed as pruned, without a value."""
    assert [trial.value for trial in make_ended_repeat([DIVERGED], [1.0, DIVERGED]).observations()] == [None, None]


def test_the_best_of_the_trials_trained_furthest_is_selected() -> None:
    """A pruned trial is not selected over a complete one, however good its value."""
    assert make_ended_repeat([0.1], [0.9, 0.8, 0.7], [0.9, 0.8, 0.6], [0.2, 0.1]).select_trial().key.trial == 2


def test_a_tie_goes_to_the_lower_trial() -> None:
    """Of equal objectives the first trial is selected."""
    assert make_ended_repeat([1.0, 1.0, 0.5], [1.0, 1.0, 0.5]).select_trial().key.trial == 0


def test_without_a_complete_trial_the_last_rung_counts() -> None:
    """If every promoted trial diverged, the best trial at the highest rung is selected."""
    assert make_ended_repeat([0.5], [0.9, 0.8], [0.9, 0.7], [0.1, 0.1, DIVERGED]).select_trial().key.trial == 2


@pytest.mark.parametrize("values", [([DIVERGED], [1.0, CRASH]), ([NAN, NAN, NAN], [DIVERGED])])
def test_if_every_trial_failed_none_is_selected(values) -> None:
    """Neither a failed trial nor one without a number is ever selected."""
    assert make_ended_repeat(*values).select_trial() is None


def test_the_next_proposal_follows_the_plan() -> None:
    """Wave after wave, then the confirm runs, then nothing; and nothing while a run has not ended."""
    assert make_repeat().next_proposal == "wave"
    assert make_repeat([1.0], [2.0], [3.0], []).next_proposal is None
    assert make_ended_repeat(*[[1.0]] * 4).next_proposal == "wave"
    assert make_ended_repeat(*[[1.0]] * 8).next_proposal == "confirm"
    exhausted_repeat = make_ended_repeat([1.0])
    exhausted_repeat.exhausted = "a reason"
    assert exhausted_repeat.next_proposal == "confirm"
    nothing_left = make_ended_repeat(*[[DIVERGED]] * 8)
    nothing_left.nothing_to_confirm = True
    assert nothing_left.next_proposal is None
