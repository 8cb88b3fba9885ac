"""Components that a curve has its extremum between the ends, with the test of an inner peak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tcray.claims.effect import detectable_margin, phrase_on_these_groups, phrase_unreachable
from tcray.claims.sweep_runs import Floats
from tcray.claims.verdicts import ComponentTest, VerdictLabel, default_margin
from tcray.claims.wording import capitalize, phrase_intervals, phrase_level, phrase_number
from tcray.results.rank.extremum import FactorCurve
from tcray.statistics.non_monotone import Nonmonotonicity, units_for_peak
from tcray.statistics.paired import PairedDifference


def measure_peak(curve: FactorCurve, claim: str, component: str) -> ComponentTest:
    """Return the component that the extremum lies between the ends, with its difference from the nearer end."""
    label, noun, shape = curve.label, curve.noun, curve.shape
    better = "better" if curve.extremum == "best" else "worse"
    estimand = (
        f"How much {better} {label} is at the {curve.extremum} {noun} between the ends than at the {better} end, "
        f"paired by {curve.dataset_runs.unit}"
    )
    known = curve.new_test(claim, component, estimand)
    if known.reason or shape.p_value is None:
        return known
    peak = _Peak.find(curve)
    height = peak.lower
    return replace(
        known,
        p_supports=max(shape.p_value, shape.people_p_value or 0.0),
        p_opposes=shape.opposite_p_value,
        p_negligible=shape.negligible_p_value,
        estimate=height.estimate,
        ci_retraining=height.retraining.interval(),
        ci_people=height.people.interval() if height.people else None,
        units_needed=_units_needed(curve, peak),
        sentences=_compose_sentences(curve, peak),
        details={**known.details, "at": peak.at, **_format_tests(shape)},
    )


@dataclass(frozen=True, slots=True)
class _Peak:
    """The inner level of largest height, and its differences from the first level and from the last."""

    at: Any
    opposite: Any
    """The inner level of smallest height."""
    first: PairedDifference
    last: PairedDifference
    effects: Floats
    """(U,) or (U, G): difference from the end that is nearer in height."""

    @classmethod
    def find(cls, curve: FactorCurve) -> _Peak:
        heights = curve.heights()
        inner = heights.reshape(*heights.shape[:2], -1).mean((0, 2))[1:-1]
        highest, lowest = 1 + int(inner.argmax()), 1 + int(inner.argmin())
        effects = [heights[:, highest] - heights[:, end] for end in (0, -1)]
        first, last = map(PairedDifference.from_differences, effects)
        nearer = effects[last.estimate < first.estimate]
        return cls(curve.levels[highest], curve.levels[lowest], first, last, nearer)

    @property
    def lower(self) -> PairedDifference:
        """The difference from the end that is nearer in height."""
        return self.last if self.last.estimate < self.first.estimate else self.first


def _units_needed(curve: FactorCurve, peak: _Peak) -> int | None:
    """Return the units that would show a rise and a fall by the margin; None if no number would (groups differ)."""
    shape = curve.shape
    margin = detectable_margin(peak.effects, default_margin(curve.dataset_runs.primary), curve.alpha)
    if not margin or shape.units_needed is None or shape.residual_sd is None or shape.critical_value is None:
        return None
    return units_for_peak(len(curve.levels), shape.residual_sd, margin, shape.critical_value)


def _format_tests(shape: Nonmonotonicity) -> dict[str, Any]:
    """Return the statistics behind a verdict in JSON's types, with the two-lines test for comparison."""
    return {
        "optimum": shape.optimum,
        "optimum_set": list(shape.optimum_set),
        "statistic": shape.statistic,
        "critical_value": shape.critical_value,
        "p_retraining": shape.p_value,
        "p_people": shape.people_p_value,
        "p_opposite": shape.opposite_p_value,
        "p_negligible": shape.negligible_p_value,
        "two_lines_p": shape.two_lines and shape.two_lines.p_value,
        "two_lines_breakpoint": shape.two_lines and shape.two_lines.breakpoint,
    }


def _compose_sentences(curve: FactorCurve, peak: _Peak) -> Mapping[VerdictLabel, str]:
    """Return the sentence for each verdict."""
    label, noun, shape = curve.label, curve.noun, curve.shape
    there, back = ("rises", "falls") if curve.upwards else ("falls", "rises")
    groups = curve.dataset_runs.group_noun

    def beside(difference: PairedDifference, end: Any, words: tuple[str, str]) -> str:
        """Return `0.031 higher at rank 16 (…)`; `words` are for a lower and for a higher end, in height."""
        orient = 1 if difference.estimate >= 0 else -1
        people = difference.people.interval() if difference.people else None
        size = f"{phrase_number(abs(difference.estimate))} {words[orient < 0]}"
        intervals = phrase_intervals(difference.retraining.interval(), people, groups, orient)
        return f"{size} at {noun} {phrase_level(end)} ({intervals})"

    words = ("lower", "higher") if curve.upwards else ("higher", "lower")
    ends = [beside(*end, words) for end in ((peak.first, curve.levels[0]), (peak.last, curve.levels[-1]))]
    rises = f"{label} {there} to {noun} {phrase_level(peak.at)} and {back} from there: it is {ends[0]} and {ends[1]}"
    better = "better" if curve.extremum == "best" else "worse"
    nearer = ends[peak.lower is peak.last].replace(" (", f", the {better} end (", 1)
    top = "highest" if curve.upwards else "lowest"
    compared = f"between the ends it is {top} at {noun} {phrase_level(peak.at)}, and it is {nearer}"
    margin = f"{default_margin(curve.dataset_runs.primary):g}"
    contradicted = f"{label} does not {there[:-1]} and {back[:-1]} again by {margin} or more with {noun}: {compared}"
    if shape.opposite_p_value is not None and shape.opposite_p_value <= curve.alpha:
        turns = f"{label} {back} to {noun} {phrase_level(peak.opposite)} and {there} from there"
        contradicted = f"{turns}, which is the opposite: {compared}"
    inconclusive = f"it is open whether {label} {there} and {back} again with {noun}: {compared}"
    if shape.p_value is not None and shape.p_value <= curve.alpha:
        inconclusive = phrase_on_these_groups(groups, rises)
    if _units_needed(curve, peak) is None:
        inconclusive += phrase_unreachable(curve.dataset_runs.unit, groups, default_margin(curve.dataset_runs.primary))
    sentences: dict[VerdictLabel, str] = {
        "supported": rises,
        "contradicted": contradicted,
        "inconclusive": inconclusive,
    }
    return {verdict: f"{capitalize(sentence)}." for verdict, sentence in sentences.items()}
