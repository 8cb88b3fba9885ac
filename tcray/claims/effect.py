"""A component that claims one direction: a mean effect over paired units, as numbers and as sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tcray.claims.sweep_runs import DatasetRuns, Floats, PairedValues
from tcray.claims.verdicts import ComponentTest, Verdict, directional
from tcray.claims.wording import capitalised, number, signed, spans
from tcray.statistics.paired import PairedDifference
from tcray.statistics.power import units_needed

ROUNDING = 1e-12
"""A standard deviation that is this fraction of the numbers subtracted is no more than their rounding."""


@dataclass(frozen=True, slots=True)
class Direction:
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


def asked(
    samples: DatasetRuns,
    stratum: Mapping[str, Any],
    *,
    claim: str,
    component: str,
    metric: str,
    estimand: str,
) -> ComponentTest:
    """A component of which nothing has been measured yet."""
    return ComponentTest(
        claim, component, samples.dataset, samples.source, stratum, metric, estimand, unit=samples.unit
    )


def counted(component: ComponentTest, panel: PairedValues) -> ComponentTest:
    """The component with what its panel says of units, seeds and their spread."""
    return replace(
        component,
        n_units=panel.units,
        n_seeds=panel.seeds,
        sd_repeats=panel.sd_repeats,
        sd_seeds=panel.sd_seeds,
    )


def thin(panel: PairedValues, unit: str, least: int = 2) -> str:
    """Why so few units can tell nothing, and the remedy; empty where there are `least` or more."""
    if panel.units >= least:
        return ""
    has = {0: f"No {unit} has", 1: f"Only one {unit} has"}.get(panel.units, f"Only {panel.units} {unit}s have")
    more = "more " * bool(panel.units) + ("lack" if panel.dropped > 1 else "lacks")
    lacking = f" ({panel.dropped} {more} one)" if panel.dropped else ""
    remedy = "run the sweep to its end, or " * bool(panel.dropped) + f"raise confirm.{unit}s"
    return f"{has} a result in every cell that is compared{lacking}, and it takes {least}: {remedy}."


def effect(
    component: ComponentTest, panel: PairedValues, effects: Floats, direction: Direction, *, alpha: float, groups: str
) -> ComponentTest:
    """The component with a mean effect for its measure, not testable where units are too few or all alike.

    panel    what the effects were made of
    effects  (U,), or (U, G) where the test groups' shares in them are known: their mean over G is the unit's
    groups   what test examples are grouped by, as `video`
    """
    measured = counted(component, panel)
    if reason := thin(panel, component.unit) or panel.ungrouped:
        return replace(measured, reason=reason)
    difference = PairedDifference.of(effects, alpha=alpha)
    if difference.sd <= ROUNDING * float(np.abs(panel.values).max()):
        same = f"The effect is {signed(difference.estimate)} in every {component.unit}"
        remedy = f"add {component.unit}s, or look whether runs learn"
        return replace(measured, reason=f"{same}, so nothing tells how far it may be off: {remedy}.")
    numbers = directional(difference.retraining, difference.people, sign=direction.sign, margin=direction.margin)
    left = reachable(effects, direction.margin, alpha)
    known = replace(measured, **numbers, units_needed=units_needed(difference.sd, left, alpha=alpha) if left else None)
    return replace(known, says=_says(known, difference, direction, alpha, groups))


def reachable(effects: Floats, margin: float, alpha: float) -> float:
    """What of a margin is left for units to earn: the margin that they need power for. 0 if no number of units will do.

    effects  (U,), or (U, G): more units do not make the groups' own share of the variance any smaller. What it leaves
             of the squared margin, at 2.8 standard errors for 80 % power at 5 %, is for units to earn.
    """
    return math.sqrt(max(0.0, margin**2 - _power_factor(alpha) ** 2 * _floor(effects)))


def on_these(groups: str, seen: str) -> str:
    """The clause of an effect that holds over retraining and may not hold over people."""
    return f"on these {groups}s {seen}, which others may not bear out"


def beyond_units(unit: str, groups: str, margin: float) -> str:
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
    component: ComponentTest, difference: PairedDifference, direction: Direction, alpha: float, groups: str
) -> Mapping[Verdict, str]:
    """The sentences of every verdict that a directional component can get."""
    retraining, people, sign = difference.retraining, difference.people, direction.sign
    intervals = retraining.interval(), people.interval() if people else None

    def by(orient: int) -> str:
        return f"by {number(orient * retraining.estimate)} ({spans(*intervals, groups, orient)})"

    measured = f"the effect is {signed(retraining.estimate)} ({spans(*intervals, groups)})"
    towards = sign * retraining.estimate > 0
    p_value = max(mean.p_value() for mean in (retraining, people) if mean)
    contradicted = f"{direction.claimed} by less than {direction.margin:g}, if at all: {measured}"
    if not towards and p_value <= alpha:
        contradicted = f"{direction.opposite} {by(-sign)}"
    inconclusive = f"whether {direction.claimed} is open: {measured}"
    if towards and people and retraining.p_value() <= alpha:
        inconclusive = on_these(groups, f"{direction.claimed} {by(sign)}")
    if component.units_needed is None:
        inconclusive += beyond_units(component.unit, groups, direction.margin)
    said: dict[Verdict, str] = {
        "supported": f"{direction.claimed} {by(sign)}",
        "contradicted": contradicted,
        "inconclusive": inconclusive,
    }
    return {verdict: f"{capitalised(sentence)}.{direction.also}" for verdict, sentence in said.items()}
