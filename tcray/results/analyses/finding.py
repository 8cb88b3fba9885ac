"""What a claim comes to: its components with their p-values, and by these its verdict.

An analysis says what it measured (`Component`); `conclude` corrects for how many were asked (Holm over dataset ×
stratum within a claim) and gives the verdict. A claim is supported if every component is, its p being their largest.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypedDict

from tcray.results.statistics.mean import Interval, Mean
from tcray.results.statistics.multiplicity import holm
from tcray.spec.metrics import METRICS, Metric

Verdict = Literal["supported", "contradicted", "inconclusive", "not testable", "descriptive"]

ALL = "all"
"""The component of a finding that speaks for the whole claim on a dataset and stratum."""

MARGIN: Mapping[str, float] = {"mae": 0.02, "loss": 0.02}
"""Smallest effect of interest by metric; that of every other metric is `OTHERS_MARGIN`."""
OTHERS_MARGIN = 0.01

NEGLIGIBLE = 0.90
"""Level of the interval that has to lie below the margin (two one-sided tests at 5 %; Schuirmann 1987)."""


def margin_of(metric: Metric) -> float:
    """The smallest difference in a metric that would interest anyone."""
    return MARGIN.get(metric.name, OTHERS_MARGIN)


@dataclass(frozen=True)
class Component:
    """One part of a claim on one dataset and stratum, as measured.

    holds, opposes   p-values for the claimed direction, and for its opposite; None where not testable
    negligible       whether the effect is shown to be below the margin
    people           interval over retraining and people; `retraining` is over this test set alone
    says             the sentence of each verdict that it can get
    family           what Holm's correction counts it with, within claim and component
    reason           why it is not testable, and the remedy: one sentence; empty where it is
    """

    claim: str
    component: str
    dataset: str
    source: str
    stratum: Mapping[str, Any]
    metric: str
    estimand: str
    says: Mapping[Verdict, str] = field(default_factory=dict)
    holds: float | None = None
    opposes: float | None = None
    negligible: bool = False
    estimate: float | None = None
    retraining: Interval | None = None
    people: Interval | None = None
    margin: float | None = None
    unit: str = "repeat"
    n_units: int = 0
    n_seeds: int = 0
    sd_repeats: float | None = None
    sd_seeds: float | None = None
    units_needed: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Finding:
    """A component, or a whole claim, with its verdict; fields as in `Component`.

    p_value, p_adjusted   for the claimed direction; adjusted by Holm over dataset × stratum
    beats_linear          whether any cell of the dataset beats the linear reference row; None where that is not known
    """

    measured: Component
    verdict: Verdict
    p_adjusted: float | None
    sentence: str
    beats_linear: bool | None = None

    @property
    def p_value(self) -> float | None:
        """Before correction."""
        return self.measured.holds


class Directed(TypedDict):
    """The numbers of a component that claims one direction, by the fields of `Component`."""

    holds: float
    opposes: float
    negligible: bool
    estimate: float
    retraining: Interval
    people: Interval | None
    margin: float


def directional(retraining: Mean, people: Mean | None, *, sign: int, margin: float) -> Directed:
    """The numbers of a component that claims an effect above 0 (`sign` 1) or below it (-1).

    Either p is two-sided and the larger of the two estimands' (1 if the effect has the other sign): supported needs
    both. Negligible if the 90 % interval over retraining (and over people) lies on the near side of the margin.
    """
    means = [retraining, *([people] if people else [])]
    p = max(mean.p_value() for mean in means)
    effect = sign * retraining.estimate
    near = [(mean.interval(NEGLIGIBLE).high if sign > 0 else -mean.interval(NEGLIGIBLE).low) < margin for mean in means]
    return {
        "holds": p if effect > 0 else 1.0,
        "opposes": p if effect < 0 else 1.0,
        "negligible": all(near),
        "estimate": retraining.estimate,
        "retraining": retraining.interval(),
        "people": people.interval() if people else None,
        "margin": margin,
    }


def conclude(components: Sequence[Component], *, alpha: float, beats_linear: Mapping[str, bool]) -> list[Finding]:
    """A finding for every component, and for every claim × dataset × stratum one (component `all`) that sums it up.

    A component may itself be called `all`: nothing of its claim is testable there, and it has no parts.
    beats_linear   by dataset, where it is known
    """
    findings = _judged(components, alpha)
    return [*_wholes(findings, alpha, beats_linear), *(f for f in findings if f.measured.component != ALL)]


def _judged(components: Sequence[Component], alpha: float) -> list[Finding]:
    """Each component by itself, adjusted within claim × component."""
    holds = _adjusted(components, lambda c: (c.claim, c.component), lambda c: c.holds)
    opposes = _adjusted(components, lambda c: (c.claim, c.component), lambda c: c.opposes)
    return [_finding(c, _verdict(c, p, q, alpha), p, alpha) for c, p, q in zip(components, holds, opposes, strict=True)]


def _verdict(component: Component, holds: float | None, opposes: float | None, alpha: float) -> Verdict:
    if component.reason:
        return "not testable"
    if holds is None:
        return "descriptive"
    if holds <= alpha:
        return "supported"
    if component.negligible or (opposes is not None and opposes <= alpha):
        return "contradicted"
    return "inconclusive"


def _finding(component: Component, verdict: Verdict, p_adjusted: float | None, alpha: float) -> Finding:
    lost = verdict == "inconclusive" and component.holds is not None and component.holds <= alpha
    return Finding(component, verdict, p_adjusted, sentence(component, verdict, lost=lost))


def sentence(component: Component, verdict: Verdict, *, lost: bool = False) -> str:
    """The plain sentence of a verdict; if inconclusive also how many units would tell.

    lost   whether it is inconclusive only after correction
    """
    if verdict == "not testable":
        return component.reason
    said = component.says["supported" if lost else verdict]
    if lost:
        said += " After correction for how many were asked that is no longer significant."
    if verdict == "inconclusive" and component.units_needed is not None and component.margin is not None:
        metric = METRICS.get(component.metric.rpartition(".")[2])
        label = f" in {metric.label}" if metric else ""
        said += (
            f" About {component.units_needed:,} {component.unit}s would show an effect of "
            f"{component.margin:g}{label} with 80 % power."
        )
    return said


def _wholes(findings: Sequence[Finding], alpha: float, beats_linear: Mapping[str, bool]) -> list[Finding]:
    """What the components of each claim × dataset × stratum come to together."""
    groups: dict[Hashable, list[Finding]] = {}
    for finding in findings:
        if finding.verdict != "descriptive":
            c = finding.measured
            groups.setdefault((c.claim, c.dataset, c.source, tuple(c.stratum.items())), []).append(finding)
    drafts = [_whole(group) for group in groups.values()]
    adjusted = _adjusted(drafts, lambda c: c.claim, lambda c: c.holds)
    made = []
    for draft, p, group in zip(drafts, adjusted, groups.values(), strict=True):
        verdict = _combined([f.verdict for f in group], p, alpha)
        said = _summed_up(group, verdict)
        linear = beats_linear.get(draft.dataset)
        if linear is False:
            said += " No cell beats the linear model on this dataset."
        known, adjusted_p = (replace(draft, holds=None), None) if verdict == "not testable" else (draft, p)
        made.append(Finding(known, verdict, adjusted_p, said, linear))
    return made


def _whole(group: Sequence[Finding]) -> Component:
    """A claim's own numbers: p is the largest of its components', untestable ones left aside."""
    first = group[0].measured
    tested = [f.measured.holds for f in group if f.measured.holds is not None and not f.measured.reason]
    testable = [f.measured for f in group if not f.measured.reason]
    return replace(
        Component(first.claim, ALL, first.dataset, first.source, first.stratum, first.metric, ""),
        holds=max(tested, default=None),
        unit=first.unit,
        n_units=min((c.n_units for c in testable), default=0),
        n_seeds=min((c.n_seeds for c in testable), default=0),
        details={"components": {f.measured.component: f.verdict for f in group if f.measured.component != ALL}},
    )


def _combined(verdicts: Sequence[Verdict], p_adjusted: float | None, alpha: float) -> Verdict:
    """One contradicted component is enough; an untestable one leaves a claim that else would hold untestable."""
    if "contradicted" in verdicts:
        return "contradicted"
    if all(verdict == "not testable" for verdict in verdicts):
        return "not testable"
    if "inconclusive" in verdicts or p_adjusted is None or p_adjusted > alpha:
        return "inconclusive"
    return "not testable" if "not testable" in verdicts else "supported"


def _summed_up(group: Sequence[Finding], verdict: Verdict) -> str:
    """The sentences that decided: all of a supported claim, else those of the components with the claim's verdict."""
    deciding = dict.fromkeys(f.sentence for f in group if f.verdict == verdict)
    if verdict == "inconclusive" and not deciding:
        return "Every part holds by itself, but not after correction for how many were asked."
    return " ".join(deciding)


def _adjusted(
    components: Iterable[Component],
    family: Callable[[Component], Hashable],
    p_of: Callable[[Component], float | None],
) -> list[float | None]:
    """Holm-adjusted p-values, each within its family; None where there is no p or it is not testable."""
    listed = list(components)
    adjusted: list[float | None] = [None] * len(listed)
    families: dict[Hashable, list[int]] = {}
    for place, component in enumerate(listed):
        families.setdefault(family(component), []).append(place)
    for places in families.values():
        p_values = [None if listed[place].reason else p_of(listed[place]) for place in places]
        for place, p in zip(places, holm(p_values), strict=True):
            adjusted[place] = p
    return adjusted
