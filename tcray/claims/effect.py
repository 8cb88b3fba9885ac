"""A component that claims one direction: a mean effect over paired units, as numbers and as sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tcray.claims.sweep_runs import DatasetRuns, Floats, PairedValues
from tcray.claims.verdicts import ComponentTest, Verdict, compute_effect_test
from tcray.claims.wording import capitalize, phrase_intervals, phrase_number, phrase_signed
from tcray.statistics.paired import PairedDifference
from tcray.statistics.power import units_needed

ROUNDING = 1e-12
"""A standard deviation that is this fraction of the numbers subtracted is no more than their rounding."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a component claims, as clauses that begin its sentences and are followed by `by 0.031`.

    claimed, opposite   as `train loss falls from rank 1 to rank 16`, and `train loss rises …`
    sign    of the effect that is claimed
    margin  the smallest effect of interest, positive
    also    a sentence to follow, whatever the verdict; with a space before it
    """

    claimed: str
    opposite: str
    sign: int
    margin: float
    also: str = ""


def new_component(
    dataset_runs: DatasetRuns,
    stratum: Mapping[str, Any],
    *,
    claim: str,
    component: str,
    metric: str,
    estimand: str,
) -> ComponentTest:
    """A component of which nothing has been measured yet."""
    return ComponentTest(
        claim, component, dataset_runs.dataset, dataset_runs.source, stratum, metric, estimand, unit=dataset_runs.unit
    )


def with_counts(component: ComponentTest, paired: PairedValues) -> ComponentTest:
    """The component with what its panel says of units, seeds and their spread."""
    return replace(
        component,
        n_units=paired.units,
        n_seeds=paired.seeds,
        sd_repeats=paired.sd_repeats,
        sd_seeds=paired.sd_seeds,
    )


def too_few_units(paired: PairedValues, unit: str, least: int = 2) -> str:
    """Why so few units can tell nothing, and the remedy; empty where there are `least` or more."""
    if paired.units >= least:
        return ""
    has = {0: f"No {unit} has", 1: f"Only one {unit} has"}.get(paired.units, f"Only {paired.units} {unit}s have")
    more = "more " * bool(paired.units) + ("lack" if paired.dropped > 1 else "lacks")
    lacking = f" ({paired.dropped} {more} one)" if paired.dropped else ""
    remedy = "run the sweep to its end, or " * bool(paired.dropped) + f"raise confirm.{unit}s"
    return f"{has} a result in every cell that is compared{lacking}, and it takes {least}: {remedy}."


def measure_effect(
    component: ComponentTest, paired: PairedValues, effects: Floats, direction: Hypothesis, *, alpha: float, groups: str
) -> ComponentTest:
    """The component with a mean effect for its measure, not testable where units are too few or all alike.

    panel    what the effects were made of
    effects  (U,), or (U, G) where the test groups' shares in them are known: their mean over G is the unit's
    groups   what test examples are grouped by, as `video`
    """
    measured = with_counts(component, paired)
    if reason := too_few_units(paired, component.unit) or paired.no_groups_reason:
        return replace(measured, reason=reason)
    difference = PairedDifference.from_differences(effects, alpha=alpha)
    if difference.sd <= ROUNDING * float(np.abs(paired.values).max()):
        same = f"The effect is {phrase_signed(difference.estimate)} in every {component.unit}"
        remedy = f"add {component.unit}s, or look whether runs learn"
        return replace(measured, reason=f"{same}, so nothing tells how far it may be off: {remedy}.")
    numbers = compute_effect_test(
        difference.retraining, difference.people, sign=direction.sign, margin=direction.margin
    )
    left = detectable_margin(effects, direction.margin, alpha)
    known = replace(measured, **numbers, units_needed=units_needed(difference.sd, left, alpha=alpha) if left else None)
    return replace(known, sentences=_says(known, difference, direction, alpha, groups))


def detectable_margin(effects: Floats, margin: float, alpha: float) -> float:
    """What of a margin is left for units to earn: the margin that they need power for. 0 if no number of units will do.

    effects  (U,), or (U, G): more units do not make the groups' own share of the variance any smaller. What it leaves
             of the squared margin, at 2.8 standard errors for 80 % power at 5 %, is for units to earn.
    """
    return math.sqrt(max(0.0, margin**2 - _power_factor(alpha) ** 2 * _floor(effects)))


def phrase_on_these_groups(groups: str, seen: str) -> str:
    """The clause of an effect that holds over retraining and may not hold over people."""
    return f"on these {groups}s {seen}, which others may not bear out"


def phrase_unreachable(unit: str, groups: str, margin: float) -> str:
    """What follows an open question that no number of units will settle."""
    return f"; with these {groups}s no number of {unit}s would show an effect of {margin:g}: it takes more {groups}s"


def _floor(effects: Floats) -> float:
    """The variance that the mean of `effects` (U, G) would keep with any number of units; 0 for (U,)."""
    if effects.ndim == 1:
        return 0.0
    units, groups = effects.shape
    row, column = effects.mean(1, keepdims=True), effects.mean(0, keepdims=True)
    residual = np.square(effects - row - column + effects.mean()).sum() / ((units - 1) * (groups - 1))
    return max(0.0, float((column.var(ddof=1) - residual / units) / groups))


def _power_factor(alpha: float, power: float = 0.8) -> float:
    """Standard errors that a difference needs to be found with this power by a two-sided z test."""
    from scipy.special import ndtri

    return float(ndtri(1 - alpha / 2)) + float(ndtri(power))


def _says(
    component: ComponentTest, difference: PairedDifference, direction: Hypothesis, alpha: float, groups: str
) -> Mapping[Verdict, str]:
    """The sentences of every verdict that a directional component can get."""
    retraining, people, sign = difference.retraining, difference.people, direction.sign
    intervals = retraining.interval(), people.interval() if people else None

    def by(orient: int) -> str:
        return f"by {phrase_number(orient * retraining.estimate)} ({phrase_intervals(*intervals, groups, orient)})"

    measured = f"the effect is {phrase_signed(retraining.estimate)} ({phrase_intervals(*intervals, groups)})"
    towards = sign * retraining.estimate > 0
    p_value = max(mean.p_value() for mean in (retraining, people) if mean)
    contradicted = f"{direction.claimed} by less than {direction.margin:g}, if at all: {measured}"
    if not towards and p_value <= alpha:
        contradicted = f"{direction.opposite} {by(-sign)}"
    inconclusive = f"whether {direction.claimed} is open: {measured}"
    if towards and people and retraining.p_value() <= alpha:
        inconclusive = phrase_on_these_groups(groups, f"{direction.claimed} {by(sign)}")
    if component.units_needed is None:
        inconclusive += phrase_unreachable(component.unit, groups, direction.margin)
    said: dict[Verdict, str] = {
        "supported": f"{direction.claimed} {by(sign)}",
        "contradicted": contradicted,
        "inconclusive": inconclusive,
    }
    return {verdict: f"{capitalize(sentence)}.{direction.also}" for verdict, sentence in said.items()}
