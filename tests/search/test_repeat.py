"""What a repeat makes of what was recorded: verdicts, what Optuna hears, and the choice."""

import math
from datetime import UTC, datetime

import pytest

from tcray.config.sweep import Asha, Confirm, Search, Training
from tcray.search.repeat import Repeat
from tcray.search.run_history import Execution, Measurement, RunHistory, score
from tcray.search.sampler import ObservedTrial
from tcray.store.keys import RunKey
from tcray.store.outcome import Outcome

from .laboratory import a_plan

PLAN = a_plan(
    factors={}, training=Training(9), search=Search("tpe", 8, 4, Asha(1, 3.0)), confirm=Confirm(seeds=2, repeats=1)
)
WHERE = Execution("h", "cpu", "p", 1, datetime.now(UTC), datetime.now(UTC))
DIVERGED, CRASH, NAN = "diverged", "crash", math.nan


def a_repeat(*measurements, plan=PLAN, wave=4):
    """A repeat whose trials have measured these values at rungs 1, 3, 9; a word is the reason of a failure."""
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
        return Measurement(rung, Outcome("FAILED", value, rung, seconds=0.1), WHERE)
    metrics = {} if math.isnan(value) else {objective: value}
    return Measurement(rung, Outcome("TRAINED", "", rung, value, rung, metrics, seconds=0.1), WHERE)


def judged(repeat):
    """The verdicts that a repeat comes to, by trial and rung."""
    repeat.prune()
    return {(c.key.trial, rung): goes_on for c in repeat.search_histories for rung, goes_on in c.promotions.items()}


def test_nobody_is_judged_before_the_wave_is_there():
    """A run waits at its rung for the last of its wave."""
    assert judged(a_repeat([1.0], [2.0], [3.0], [])) == {}


def test_a_wave_is_judged_at_once():
    """With η = 3 a loss goes on that is at least as good as two thirds of the others."""
    assert judged(a_repeat([4.0], [2.0], [1.0], [3.0])) == {(0, 1): False, (1, 1): True, (2, 1): True, (3, 1): False}


def test_a_stopped_run_is_not_waited_for():
    """At the second rung only those are awaited that went on from the first."""
    repeat = a_repeat([4.0], [2.0], [1.0], [3.0])
    judged(repeat)
    for trial, value in ((1, 1.5), (2, 0.5)):
        repeat.search_histories[trial].measurements.append(_measurement(3, value, "valid.loss"))
    assert judged(repeat)[2, 3] is True
    assert judged(repeat)[1, 3] is False


def test_a_wave_is_compared_with_those_before_it_and_not_with_those_after():
    """A run of the second wave meets the first wave's values; the first wave was judged among itself."""
    repeat = a_repeat([1.0], [2.0], [3.0], [4.0], [1.5], [9.0], [9.0], [9.0])
    verdicts = judged(repeat)
    assert [verdicts[trial, 1] for trial in range(4)] == [True, True, False, False]
    assert verdicts[4, 1] is True  # others: 1, 2, 3, 4, 9, 9, 9, of which the best third ends at 2


def test_a_diverged_run_counts_as_the_worst_of_all():
    """It lowers the bar for the others, and never makes it NaN; a crashed one is not there at all."""
    assert judged(a_repeat([DIVERGED], [3.0], [2.0], [1.0])) == {(1, 1): False, (2, 1): True, (3, 1): True}
    assert judged(a_repeat([CRASH], [3.0], [2.0], [1.0])) == {(1, 1): False, (2, 1): False, (3, 1): True}


def test_where_most_diverged_the_rest_goes_on():
    """Between minus infinity and a number the bar is minus infinity."""
    assert judged(a_repeat([DIVERGED], [DIVERGED], [5.0], [DIVERGED])) == {(2, 1): True}


def test_a_run_without_a_number_is_worth_nothing_and_goes_on_only_among_its_like():
    """A NaN that training does not call a failure is treated as minus infinity."""
    assert judged(a_repeat([NAN], [1.0], [2.0], [3.0]))[0, 1] is False
    assert judged(a_repeat([NAN], [NAN], [NAN], [DIVERGED]))[0, 1] is True


def test_larger_is_better_where_the_objective_says_so():
    """An objective that is maximised keeps the largest values."""
    plan = a_plan(factors={}, objective="valid.r", training=Training(9), search=PLAN.sweep.search)
    verdicts = judged(a_repeat([0.4], [0.2], [0.1], [0.3], plan=plan))
    assert verdicts == {(0, 1): True, (1, 1): False, (2, 1): False, (3, 1): True}
    assert (score(0.4, maximize=True), score(0.4, maximize=False)) == (0.4, -0.4)


def ended(*measurements, plan=PLAN):
    """A repeat whose trials have all ended, judged as they came."""
    repeat = a_repeat(*measurements, plan=plan)
    for history in repeat.search_histories:
        if history.state is None:
            history.promotions = {rung: rung < history.position for rung in (1, 3) if rung <= history.position}
    return repeat


def test_optuna_hears_how_each_trial_ended():
    """Complete: the objective; pruned: the last value; diverged: pruned with the worst of all; crashed: nothing."""
    repeat = ended([1.0, 0.8, 0.7], [3.0], [DIVERGED], [2.0, CRASH])
    one, two, three, four = (history.run.configuration for history in repeat.search_histories)
    assert repeat.observations() == [
        ObservedTrial(one, "COMPLETE", 0.7, 9),
        ObservedTrial(two, "PRUNED", 3.0, 1),
        ObservedTrial(three, "PRUNED", 3.0, 0),
        ObservedTrial(four, "FAIL"),
    ]


def test_the_worst_of_all_follows_the_direction():
    """Where larger is better, a diverged trial is told with the smallest value."""
    plan = a_plan(factors={}, objective="valid.r", training=Training(9), search=PLAN.sweep.search)
    told = ended([0.1, 0.2, 0.3], [0.05], [DIVERGED], plan=plan).observations()
    assert told[2].value == 0.05


def test_where_all_diverged_there_is_no_worst_value():
    """Optuna is told that they were pruned, and no number."""
    assert [trial.value for trial in ended([DIVERGED], [1.0, DIVERGED]).observations()] == [None, None]


def test_the_best_of_those_who_came_furthest_is_chosen():
    """A pruned trial is not chosen over a complete one, however good it looked."""
    assert ended([0.1], [0.9, 0.8, 0.7], [0.9, 0.8, 0.6], [0.2, 0.1]).select_trial().key.trial == 2


def test_a_tie_goes_to_the_lower_trial():
    """Equal objectives, first trial."""
    assert ended([1.0, 1.0, 0.5], [1.0, 1.0, 0.5]).select_trial().key.trial == 0


def test_without_a_complete_trial_the_last_rung_counts():
    """Where every trial that went on diverged, the best of those at the highest rung reached is chosen."""
    assert ended([0.5], [0.9, 0.8], [0.9, 0.7], [0.1, 0.1, DIVERGED]).select_trial().key.trial == 2


@pytest.mark.parametrize("values", [([DIVERGED], [1.0, CRASH]), ([NAN, NAN, NAN], [DIVERGED])])
def test_where_every_trial_failed_nothing_is_chosen(values):
    """A failed trial is never chosen, nor one without a number."""
    assert ended(*values).select_trial() is None


def test_what_is_due_follows_the_plan():
    """A wave after a wave, then the confirm runs, then nothing; and nothing while a run is under way."""
    assert a_repeat().next_proposal == "wave"
    assert a_repeat([1.0], [2.0], [3.0], []).next_proposal is None
    assert ended(*[[1.0]] * 4).next_proposal == "wave"
    assert ended(*[[1.0]] * 8).next_proposal == "confirm"
    closed = ended([1.0])
    closed.exhausted = "a reason"
    assert closed.next_proposal == "confirm"
    barren = ended(*[[DIVERGED]] * 8)
    barren.nothing_to_confirm = True
    assert barren.next_proposal is None
