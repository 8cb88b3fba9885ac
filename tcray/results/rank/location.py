"""Components that locate an extremum: the best or worst level lies in a given region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tcray.claims.sweep_runs import ALPHA
from tcray.claims.verdicts import ComponentTest, VerdictLabel
from tcray.claims.wording import capitalize, phrase_level, phrase_levels
from tcray.results.rank.extremum import FactorCurve
from tcray.statistics.contrasts import SampleMoments
from tcray.statistics.mean import Interval
from tcray.statistics.optimum import optimum_p_values


@dataclass(frozen=True, slots=True)
class Region:
    """The levels from `low` to `high`, both included, in which a claim locates the extremum."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{phrase_level(self.low)} to {phrase_level(self.high)}"

    def contains(self, value: float) -> bool:
        """Return True if the level lies in the region."""
        return self.low <= value <= self.high


def measure_location(curve: FactorCurve, claim: str, component: str, region: Region) -> ComponentTest:
    """Return the component that the extremum lies in `region`: every level outside is refuted, over people too."""
    known = curve.new_test(
        claim, component, f"The {curve.place} at which {curve.label} is {curve.extremum}, as a confidence set"
    )
    if known.reason:
        return known
    inside = [value for value in curve.levels if region.contains(value)]
    outside = [value for value in curve.levels if not region.contains(value)]
    if not inside or not outside:
        lacking = "inside" if outside else "outside"
        return replace(known, reason=f"The sweep has no {curve.place} {lacking} {region}: add one to the factor.")
    retraining, people = dict(curve.shape.level_p_values), _people_p_values(curve)
    both = {value: max(retraining[value], people.get(value, 0.0)) for value in curve.levels}
    held = [value for value in curve.levels if both[value] > curve.alpha]
    return replace(
        known,
        p_supports=max(both[value] for value in outside),
        p_opposes=max(both[value] for value in inside),
        estimate=float(curve.shape.optimum or 0),
        ci_retraining=_hull(retraining),
        ci_people=_hull(people) if people else None,
        margin=None,
        optimum_set=tuple(held),
        sentences=_compose_sentences(curve, region, held),
        details={
            **known.details,
            "optimum_set": held,
            "p_retraining": [retraining[value] for value in curve.levels],
            "p_people": [people[value] for value in curve.levels] if people else None,
        },
    )


def _people_p_values(curve: FactorCurve) -> dict[Any, float]:
    """Return, by level, the p-value that no level is higher, over retraining and people; empty without groups."""
    if curve.paired.by_group is None:
        return {}
    p_values = optimum_p_values(SampleMoments.from_crossed(curve.heights()), people=True)
    return dict(zip(curve.levels, p_values.tolist(), strict=True))


def _hull(p_values: Mapping[Any, float]) -> Interval:
    """Return the interval from the lowest to the highest level that is not refuted with 95 % confidence."""
    held = [float(value) for value, p in p_values.items() if p > ALPHA]
    return Interval(min(held), max(held))


def _compose_sentences(curve: FactorCurve, region: Region, held: list[Any]) -> Mapping[VerdictLabel, str]:
    """Return the sentence for each verdict."""
    where = f"with {100 * (1 - curve.alpha):g} % confidence it is {phrase_levels(held, 'or')}"
    if len(held) == len(curve.levels):
        where = "none can be ruled out"
    means = f"{where} (the mean is {curve.extremum} at {phrase_level(curve.shape.optimum)})"
    it = f"the {curve.place} at which {curve.label} is {curve.extremum}"
    sentences: dict[VerdictLabel, str] = {
        "supported": f"{it} lies within {region}: {means}",
        "contradicted": f"{it} lies outside {region}: {means}",
        "inconclusive": f"it is open whether {it} lies within {region}: {means}",
    }
    return {verdict: f"{capitalize(sentence)}." for verdict, sentence in sentences.items()}
