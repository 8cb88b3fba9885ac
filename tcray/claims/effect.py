"""Components that claim an effect in one direction: the mean over paired units, in numbers and sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tcray.claims.sweep_runs import DatasetRuns, Floats, PairedValues
from tcray.claims.verdicts import ComponentTest, VerdictLabel, compute_effect_test
from tcray.claims.wording import capitalize, phrase_intervals, phrase_number, phrase_signed
from tcray.statistics.paired import PairedDifference
from tcray.statistics.power import units_needed

ROUNDING = 1e-12
"""A standard deviation below this fraction of the subtracted numbers is rounding error."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """An effect in one hypothesis, with the clauses from which its sentences are built.

    claimed, opposite   clauses that can be followed by `by 0.031`, such as `train loss falls from rank 1 to rank 16`
    sign    of the claimed effect
    margin  the smallest effect of interest, positive
    remark    a sentence that follows every verdict; begins with a space
    """

    claimed: str
    opposite: str
    sign: int
    margin: float
    remark: str = ""


def new_component(
    dataset_runs: DatasetRuns,
    stratum: Mapping[str, Any],
    *,
    claim: str,
    component: str,
    metric: str,
    estimand: str,
) -> ComponentTest:
    """Return a component without measurements."""
    return ComponentTest(
        claim, component, dataset_runs.dataset, dataset_runs.source, stratum, metric, estimand, unit=dataset_runs.unit
    )


def with_counts(component: ComponentTest, paired: PairedValues) -> ComponentTest:
    """Return the component with the numbers of units and seeds and their spread."""
    return replace(
        component,
        n_units=paired.units,
        n_seeds=paired.seeds,
        sd_repeats=paired.sd_repeats,
        sd_seeds=paired.sd_seeds,
    )


def too_few_units(paired: PairedValues, unit: str, least: int = 2) -> str:
    """Return why there are too few units, and the remedy; an empty string if there are at least `least`."""
    if paired.units >= least:
        return ""
    has = {0: f"No {unit} has", 1: f"Only one {unit} has"}.get(paired.units, f"Only {paired.units} {unit}s have")
    more = "more " * bool(paired.units) + ("lack" if paired.dropped > 1 else "lacks")
    lacking = f" ({paired.dropped} {more} one)" if paired.dropped else ""
    remedy = "run the sweep to its end, or " * bool(paired.dropped) + f"raise confirm.{unit}s"
    return f"{has} a result in every cell that is compared{lacking}, and the test needs {least}: {remedy}."


def measure_effect(
    component: ComponentTest,
    paired: PairedValues,
    effects: Floats,
    hypothesis: Hypothesis,
    *,
    alpha: float,
    groups: str,
) -> ComponentTest:
    """Return the component with the test of a mean effect; not testable with too few units or without variation.

    Args:
        component: the component without measurements.
        paired: the values from which the effects were computed.
        effects: (U,), or (U, G) with the contributions of test groups, whose mean over G is the unit's effect.
        hypothesis: the claimed hypothesis and its clauses.
        alpha: level of the test.
        groups: what test examples are grouped by, such as `video`.
    """
    measured = with_counts(component, paired)
    if reason := too_few_units(paired, component.unit) or paired.no_groups_reason:
        return replace(measured, reason=reason)
    difference = PairedDifference.from_differences(effects, alpha=alpha)
    if difference.sd <= ROUNDING * float(np.abs(paired.values).max()):
        same = f"The effect is {phrase_signed(difference.estimate)} in every {component.unit}"
        remedy = f"add {component.unit}s, or check that runs learn"
        return replace(measured, reason=f"{same}, so its uncertainty is unknown: {remedy}.")
    numbers = compute_effect_test(
        difference.retraining, difference.people, sign=hypothesis.sign, margin=hypothesis.margin
    )
    left = detectable_margin(effects, hypothesis.margin, alpha)
    known = replace(measured, **numbers, units_needed=units_needed(difference.sd, left, alpha=alpha) if left else None)
    return replace(known, sentences=_compose_sentences(known, difference, hypothesis, alpha, groups))


def detectable_margin(effects: Floats, margin: float, alpha: float) -> float:
    """Return the part of a margin for which more units add power; 0 if no number of units is enough.

    More units do not reduce the groups' share of the variance. With 2.8 standard errors for 80 % power at 5 %, that
    share uses up part of the squared margin, and the rest is returned (as its root).

    Args:
        effects: (U,) or (U, G).
        margin: the smallest effect of interest.
        alpha: level of the test.
    """
    return math.sqrt(max(0.0, margin**2 - _power_factor(alpha) ** 2 * _group_variance(effects)))


def phrase_on_these_groups(groups: str, seen: str) -> str:
    """Return the clause for an effect that is significant over retraining, but not over other test groups."""
    return f"on these {groups}s {seen}, but not significantly so for other {groups}s"


def phrase_unreachable(unit: str, groups: str, margin: float) -> str:
    """Return the clause for an open question that no number of units can settle."""
    return f"; with these {groups}s no number of {unit}s would show an effect of {margin:g}: more {groups}s are needed"


def _group_variance(effects: Floats) -> float:
    """Return the variance of the mean of `effects` (U, G) that remains with any number of units; 0 for (U,)."""
    if effects.ndim == 1:
        return 0.0
    units, groups = effects.shape
    row, column = effects.mean(1, keepdims=True), effects.mean(0, keepdims=True)
    residual = np.square(effects - row - column + effects.mean()).sum() / ((units - 1) * (groups - 1))
    return max(0.0, float((column.var(ddof=1) - residual / units) / groups))


def _power_factor(alpha: float, power: float = 0.8) -> float:
    """Return how many standard errors a difference needs so that a two-sided z-test finds it with this power."""
    from scipy.special import ndtri

    return float(ndtri(1 - alpha / 2)) + float(ndtri(power))


def _compose_sentences(
    component: ComponentTest, difference: PairedDifference, hypothesis: Hypothesis, alpha: float, groups: str
) -> Mapping[VerdictLabel, str]:
    """Return the sentence for each verdict of a component with a direction."""
    retraining, people, sign = difference.retraining, difference.people, hypothesis.sign
    intervals = retraining.interval(), people.interval() if people else None

    def by(orient: int) -> str:
        return f"by {phrase_number(orient * retraining.estimate)} ({phrase_intervals(*intervals, groups, orient)})"

    measured = f"the effect is {phrase_signed(retraining.estimate)} ({phrase_intervals(*intervals, groups)})"
    towards = sign * retraining.estimate > 0
    p_value = max(mean.p_value() for mean in (retraining, people) if mean)
    contradicted = f"{hypothesis.claimed} by less than {hypothesis.margin:g}, if at all: {measured}"
    if not towards and p_value <= alpha:
        contradicted = f"{hypothesis.opposite} {by(-sign)}"
    inconclusive = f"it is open whether {hypothesis.claimed}: {measured}"
    if towards and people and retraining.p_value() <= alpha:
        inconclusive = phrase_on_these_groups(groups, f"{hypothesis.claimed} {by(sign)}")
    if component.units_needed is None:
        inconclusive += phrase_unreachable(component.unit, groups, hypothesis.margin)
    sentences: dict[VerdictLabel, str] = {
        "supported": f"{hypothesis.claimed} {by(sign)}",
        "contradicted": contradicted,
        "inconclusive": inconclusive,
    }
    return {verdict: f"{capitalize(sentence)}.{hypothesis.remark}" for verdict, sentence in sentences.items()}
