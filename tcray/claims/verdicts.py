"""What a claim comes to: its components with their p-values, and by these its verdict.

An analysis says what it measured (`Component`); `conclude` corrects for how many were asked and gives the verdict.

A claim is supported if every component is, its p being their largest: that needs no correction for how many components
there are, and Holm's is over dataset × stratum. One component is enough to contradict a claim, and each is a chance of
doing so by mistake: of what contradicts, Holm's correction is over component × dataset × stratum.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypedDict

from tcray.config.metrics import METRICS, Metric
from tcray.statistics.mean import Interval, Mean
from tcray.statistics.multiplicity import holm

Verdict = Literal["supported", "contradicted", "inconclusive", "not testable", "descriptive"]

UNBEATEN = "No cell beats the linear model on this dataset."
"""Ends the sentence of every claim as a whole where that is so."""

ALL = "all"
"""The component of a finding that speaks for the whole claim on a dataset and stratum."""

MARGIN: Mapping[str, float] = {"mae": 0.02, "loss": 0.02}
"""Smallest effect of interest by metric; that of every other metric is `OTHERS_MARGIN`."""
DEFAULT_MARGIN = 0.01

TOST = 0.05
"""Of each of two one-sided tests, whose 90 % interval then lies below the margin (Schuirmann 1987)."""


def default_margin(metric: Metric) -> float:
    """The smallest difference in a metric that would interest anyone."""
    return MARGIN.get(metric.name, DEFAULT_MARGIN)


@dataclass(frozen=True)
class ComponentTest:
    """One part of a claim on one dataset and stratum, as measured.

    holds, opposes   p-values for the claimed direction, and for its opposite; None where not testable
    p_negligible     p-value of an effect as large as the margin in the claimed direction (`directional`)
    people           interval over retraining and people; `retraining` is over this test set alone
    says             the sentence of each verdict that it can get
    optimum_set      of a component that says where an extremum lies: the levels that are not refuted as it
    needed           whether its claim cannot do without it; where it is not testable, one that is not needed is no
                     part of the claim
    reason           why it is not testable, and the remedy: one sentence; empty where it is
    """

    claim: str
    component: str
    dataset: str
    source: str
    stratum: Mapping[str, Any]
    metric: str
    estimand: str
    sentences: Mapping[Verdict, str] = field(default_factory=dict)
    p_supports: float | None = None
    p_opposes: float | None = None
    p_negligible: float | None = None
    estimate: float | None = None
    ci_retraining: Interval | None = None
    ci_people: Interval | None = None
    margin: float | None = None
    optimum_set: tuple[Any, ...] | None = None
    needed: bool = True
    unit: str = "repeat"
    n_units: int = 0
    n_seeds: int = 0
    sd_repeats: float | None = None
    sd_seeds: float | None = None
    units_needed: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""

    @property
    def negligible(self) -> bool:
        """Whether the effect is shown to be below the margin, before correction: where its 90 % interval lies."""
        return self.p_negligible is not None and self.p_negligible <= TOST

    @property
    def against(self) -> float | None:
        """The p-value of what contradicts it: the opposite, or an effect below the margin; None where not testable."""
        return min((p for p in (self.p_opposes, self.p_negligible) if p is not None), default=None)


@dataclass(frozen=True)
class Finding:
    """A component, or a whole claim, with its verdict; fields as in `Component`.

    p_value, p_adjusted   for the claimed direction; adjusted by Holm over dataset × stratum
    p_against             of what contradicts it, adjusted by Holm over component × dataset × stratum; a whole claim's
                          is the smallest of its components' that are not supported
    beats_linear          whether any cell of the dataset beats the linear reference row; None where that is not known
    """

    measured: ComponentTest
    verdict: Verdict
    p_adjusted: float | None
    sentence: str
    beats_linear: bool | None = None
    p_against: float | None = None

    @property
    def p_value(self) -> float | None:
        """Before correction."""
        return self.measured.p_supports


class EffectTest(TypedDict):
    """The numbers of a component that claims one direction, by the fields of `Component`."""

    p_supports: float
    p_opposes: float
    p_negligible: float
    estimate: float
    ci_retraining: Interval
    ci_people: Interval | None
    margin: float


def compute_effect_test(retraining: Mean, people: Mean | None, *, sign: int, margin: float) -> EffectTest:
    """The numbers of a component that claims an effect above 0 (`sign` 1) or below it (-1).

    Either p is two-sided and the larger of the two estimands' (1 if the effect has the other sign): supported needs
    both. That it is negligible is one-sided, and the larger of the two as well: at 5 % where both 90 % intervals lie on
    the near side of the margin.
    """
    means = [retraining, *([people] if people else [])]
    p = max(mean.p_value() for mean in means)
    effect = sign * retraining.estimate
    beyond = max(mean.p_value(sign * margin, "less" if sign > 0 else "greater") for mean in means)
    return {
        "p_supports": p if effect > 0 else 1.0,
        "p_opposes": p if effect < 0 else 1.0,
        "p_negligible": beyond,
        "estimate": retraining.estimate,
        "ci_retraining": retraining.interval(),
        "ci_people": people.interval() if people else None,
        "margin": margin,
    }


def conclude(components: Sequence[ComponentTest], *, alpha: float, beats_linear: Mapping[str, bool]) -> list[Finding]:
    """A finding for every component, and for every claim × dataset × stratum one (component `all`) that sums it up.

    A component may itself be called `all`: nothing of its claim is testable there, and it has no parts.
    beats_linear   by dataset, where it is known
    """
    findings = _judged(components, alpha)
    return [*_wholes(findings, alpha, beats_linear), *(f for f in findings if f.measured.component != ALL)]


def _judged(components: Sequence[ComponentTest], alpha: float) -> list[Finding]:
    """Each component by itself."""
    p_supports = _adjusted(components, lambda c: (c.claim, c.component), lambda c: c.p_supports)
    against = _adjusted(components, lambda c: c.claim, lambda c: c.against)
    found = []
    for c, p, q in zip(components, p_supports, against, strict=True):
        verdict, before = _verdict(c, p, q, alpha), _verdict(c, c.p_supports, c.against, alpha)
        found.append(Finding(c, verdict, p, compose_sentence(c, verdict, before=before), p_against=q))
    return found


def _verdict(component: ComponentTest, p_supports: float | None, against: float | None, alpha: float) -> Verdict:
    """That of these p-values. An effect that is there, and shown to be smaller than would interest anyone, is there."""
    if component.reason:
        return "not testable"
    if p_supports is None:
        return "descriptive"
    if p_supports <= alpha:
        return "supported"
    return "contradicted" if against is not None and against <= alpha else "inconclusive"


def compose_sentence(component: ComponentTest, verdict: Verdict, *, before: Verdict | None = None) -> str:
    """The plain sentence of a verdict; if inconclusive also how many units would tell.

    before   the verdict before correction
    """
    if verdict == "not testable":
        return component.reason
    lost = verdict == "inconclusive" and before in {"supported", "contradicted"}
    said = component.sentences[before if lost and before else verdict]
    if lost:
        said += " After correction for how many were asked that is no longer significant."
    if verdict == "supported" and component.negligible and component.margin is not None:
        said += f" It is shown to be below {component.margin:g}, the smallest effect of interest."
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
    adjusted = _adjusted(drafts, lambda c: c.claim, lambda c: c.p_supports)
    made = []
    for draft, p, group in zip(drafts, adjusted, groups.values(), strict=True):
        verdict = _combined(_needed(group), p, alpha)
        said = _summed_up(_needed(group) or group, verdict)
        linear = beats_linear.get(draft.dataset)
        if linear is False:
            said += f" {UNBEATEN}"
        doubted = [f.p_against for f in group if f.p_against is not None and f.verdict != "supported"]
        against = min(doubted, default=None)
        made.append(Finding(draft, verdict, p, said, linear, against))
    return made


def _needed(group: Sequence[Finding]) -> list[Finding]:
    """The findings that a claim rests on."""
    return [f for f in group if f.measured.needed or f.verdict != "not testable"]


def _whole(group: Sequence[Finding]) -> ComponentTest:
    """A claim's own numbers: p is the largest of its components'; None if it lacks that of one."""
    first = group[0].measured
    p_supports = [None if f.measured.reason else f.measured.p_supports for f in _needed(group)]
    known = [p for p in p_supports if p is not None]
    testable = [f.measured for f in group if not f.measured.reason]
    return replace(
        ComponentTest(first.claim, ALL, first.dataset, first.source, first.stratum, first.metric, ""),
        p_supports=max(known) if known and len(known) == len(p_supports) else None,
        unit=first.unit,
        n_units=min((c.n_units for c in testable), default=0),
        n_seeds=min((c.n_seeds for c in testable), default=0),
        details={"components": {f.measured.component: f.verdict for f in group if f.measured.component != ALL}},
    )


def _combined(needed: Sequence[Finding], p_adjusted: float | None, alpha: float) -> Verdict:
    """One contradicted component is enough; with an untestable one a claim cannot be supported by any more units."""
    verdicts = {f.verdict for f in needed}
    if "contradicted" in verdicts:
        return "contradicted"
    if "not testable" in verdicts or not verdicts:
        return "not testable"
    if verdicts == {"supported"} and p_adjusted is not None and p_adjusted <= alpha:
        return "supported"
    return "inconclusive"


def _summed_up(group: Sequence[Finding], verdict: Verdict) -> str:
    """The sentences that decided: all of a supported claim, else those of the components with the claim's verdict."""
    deciding = dict.fromkeys(f.sentence for f in group if f.verdict == verdict)
    if verdict == "inconclusive" and not deciding:
        return "Every part holds by itself, but not after correction for how many were asked."
    return " ".join(deciding)


def _adjusted(
    components: Iterable[ComponentTest],
    family: Callable[[ComponentTest], Hashable],
    p_of: Callable[[ComponentTest], float | None],
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
