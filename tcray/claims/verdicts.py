"""From component tests to verdicts.

An analysis measures components (`ComponentTest`); `conclude` corrects their p-values for multiple testing and assigns
the verdicts.

A claim is supported if all its components are. Its p-value is the largest of theirs, which needs no correction for the
number of components; Holm's correction is over dataset × stratum. One contradicted component contradicts a claim, and
each component is a chance to do so by mistake. P-values of contradiction are therefore corrected over
component × dataset × stratum.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypedDict

from tcray.config.metrics import METRICS, Metric
from tcray.statistics.mean import Interval, Mean
from tcray.statistics.multiplicity import holm

VerdictLabel = Literal["supported", "contradicted", "inconclusive", "not testable", "descriptive"]

ALL = "all"
"""The component of a finding that stands for the whole claim on a dataset and stratum."""

MARGIN: Mapping[str, float] = {"mae": 0.02, "loss": 0.02}
"""Smallest effect of interest by metric; `DEFAULT_MARGIN` is that of every other metric."""
DEFAULT_MARGIN = 0.01

TOST = 0.05
"""Level of each of two one-sided tests; their 90 % interval then lies below the margin (Schuirmann 1987)."""


def default_margin(metric: Metric) -> float:
    """Return the smallest difference of interest in a metric, in the metric's units."""
    return MARGIN.get(metric.name, DEFAULT_MARGIN)


@dataclass(frozen=True)
class ComponentTest:
    """The test of one part of a claim on one dataset and stratum.

    p_supports, p_opposes   p-values for the claimed direction and for its opposite; None if not testable
    p_negligible     p-value of an effect as large as the margin in the claimed direction (see `compute_effect_test`)
    ci_retraining    interval over retraining, given this test set
    ci_people        interval over retraining and test groups (people)
    sentences        the sentence for each verdict that the component can receive
    optimum_set      for a component about the location of an extremum: the levels that are not refuted
    required         False if the claim can do without the component: if not testable, it is then ignored
    reason           why the component is not testable, and the remedy, in one sentence; empty if it is testable
    """

    claim: str
    component: str
    dataset: str
    source: str
    stratum: Mapping[str, Any]
    metric: str
    estimand: str
    sentences: Mapping[VerdictLabel, str] = field(default_factory=dict)
    p_supports: float | None = None
    p_opposes: float | None = None
    p_negligible: float | None = None
    estimate: float | None = None
    ci_retraining: Interval | None = None
    ci_people: Interval | None = None
    margin: float | None = None
    optimum_set: tuple[Any, ...] | None = None
    required: bool = True
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
        """True if the effect is shown to be below the margin, before correction (its 90 % interval lies below)."""
        return self.p_negligible is not None and self.p_negligible <= TOST

    @property
    def p_contradicts(self) -> float | None:
        """The smaller p-value of the opposite and of an effect below the margin; None if not testable."""
        return min((p for p in (self.p_opposes, self.p_negligible) if p is not None), default=None)


@dataclass(frozen=True)
class Finding:
    """The verdict on a component or on a whole claim, for one dataset and stratum.

    measured              the component's test
    p_value, p_adjusted   for the claimed direction; adjusted by Holm over dataset × stratum
    p_against             of contradiction, adjusted by Holm over component × dataset × stratum; for a whole claim the
                          smallest one of its components that are not supported
    beats_linear          True if a cell of the dataset beats the linear baseline; None if unknown
    """

    measured: ComponentTest
    verdict: VerdictLabel
    p_adjusted: float | None
    sentence: str
    beats_linear: bool | None = None
    p_against: float | None = None

    @property
    def p_value(self) -> float | None:
        """The p-value for the claimed direction, before correction."""
        return self.measured.p_supports

    @property
    def remark(self) -> str:
        """A sentence about the dataset if no cell beats the linear baseline; otherwise empty."""
        return "No cell beats the linear model on this dataset." if self.beats_linear is False else ""


class EffectTest(TypedDict):
    """The fields of a `ComponentTest` that claims an effect in one direction."""

    p_supports: float
    p_opposes: float
    p_negligible: float
    estimate: float
    ci_retraining: Interval
    ci_people: Interval | None
    margin: float


def compute_effect_test(retraining: Mean, people: Mean | None, *, sign: int, margin: float) -> EffectTest:
    """Return the test of an effect that is claimed to be above 0 (`sign` 1) or below 0 (`sign` -1).

    The p-values of both directions are two-sided, and the larger of the two estimands' (1 if the effect has the other
    sign), so that a supported effect holds for both. The p-value of a negligible effect is one-sided and again the
    larger of the two: it is at most 5 % if both 90 % intervals lie on the near side of the margin.

    Args:
        retraining: the mean effect over units, given this test set.
        people: the mean effect over units and test groups; None without groups.
        sign: the claimed direction.
        margin: the smallest effect of interest, positive, in the metric's units.
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
    """Return a finding for each claim × dataset × stratum (component `all`), followed by one for each component.

    If a claim is not testable at all on a dataset, its only component may itself be `all`.

    Args:
        components: the components of all claims.
        alpha: level with which adjusted p-values are compared.
        beats_linear: by dataset, True if a cell beats the linear baseline; datasets may be missing.
    """
    findings = _conclude_components(components, alpha)
    return [*_conclude_claims(findings, alpha, beats_linear), *(f for f in findings if f.measured.component != ALL)]


def _conclude_components(components: Sequence[ComponentTest], alpha: float) -> list[Finding]:
    """Return one finding for each component."""
    supports = _adjust(components, lambda c: (c.claim, c.component), lambda c: c.p_supports)
    against = _adjust(components, lambda c: c.claim, lambda c: c.p_contradicts)
    findings = []
    for c, p, q in zip(components, supports, against, strict=True):
        verdict, unadjusted = _decide(c, p, q, alpha), _decide(c, c.p_supports, c.p_contradicts, alpha)
        findings.append(Finding(c, verdict, p, compose_sentence(c, verdict, unadjusted=unadjusted), p_against=q))
    return findings


def _decide(component: ComponentTest, supports: float | None, against: float | None, alpha: float) -> VerdictLabel:
    """Return the verdict for these p-values. A significant effect counts as supported even if below the margin."""
    if component.reason:
        return "not testable"
    if supports is None:
        return "descriptive"
    if supports <= alpha:
        return "supported"
    return "contradicted" if against is not None and against <= alpha else "inconclusive"


def compose_sentence(component: ComponentTest, verdict: VerdictLabel, *, unadjusted: VerdictLabel | None = None) -> str:
    """Return the sentence of a verdict; an inconclusive one includes the number of units that would be needed.

    Args:
        component: the component that was tested.
        verdict: its verdict.
        unadjusted: the verdict before correction for multiple testing, if known.
    """
    if verdict == "not testable":
        return component.reason
    lost = verdict == "inconclusive" and unadjusted in {"supported", "contradicted"}
    text = component.sentences[unadjusted if lost and unadjusted else verdict]
    if lost:
        text += " After correction for multiple testing this is no longer significant."
    if verdict == "supported" and component.negligible and component.margin is not None:
        text += f" The effect is below {component.margin:g}, the smallest effect of interest."
    if verdict == "inconclusive" and component.units_needed is not None and component.margin is not None:
        metric = METRICS.get(component.metric.rpartition(".")[2])
        label = f" in {metric.label}" if metric else ""
        text += (
            f" About {component.units_needed:,} {component.unit}s would show an effect of "
            f"{component.margin:g}{label} with 80 % power."
        )
    return text


def _conclude_claims(findings: Sequence[Finding], alpha: float, beats_linear: Mapping[str, bool]) -> list[Finding]:
    """Return one finding for each claim × dataset × stratum, from the findings of its components."""
    groups: dict[Hashable, list[Finding]] = {}
    for finding in findings:
        if finding.verdict != "descriptive":
            c = finding.measured
            groups.setdefault((c.claim, c.dataset, c.source, tuple(c.stratum.items())), []).append(finding)
    drafts = [_combine_tests(group) for group in groups.values()]
    adjusted = _adjust(drafts, lambda c: c.claim, lambda c: c.p_supports)
    concluded = []
    for draft, p, group in zip(drafts, adjusted, groups.values(), strict=True):
        verdict = _combine_verdicts(_select_required(group), p, alpha)
        sentence = _combine_sentences(_select_required(group) or group, verdict)
        doubted = [f.p_against for f in group if f.p_against is not None and f.verdict != "supported"]
        against = min(doubted, default=None)
        concluded.append(Finding(draft, verdict, p, sentence, beats_linear.get(draft.dataset), against))
    return concluded


def _select_required(group: Sequence[Finding]) -> list[Finding]:
    """Return the findings on which a claim rests: optional components count only if they are testable."""
    return [f for f in group if f.measured.required or f.verdict != "not testable"]


def _combine_tests(group: Sequence[Finding]) -> ComponentTest:
    """Return the test of a whole claim: p is the largest of its components, or None if one of them has none."""
    first = group[0].measured
    p_values = [None if f.measured.reason else f.measured.p_supports for f in _select_required(group)]
    known = [p for p in p_values if p is not None]
    testable = [f.measured for f in group if not f.measured.reason]
    return replace(
        ComponentTest(first.claim, ALL, first.dataset, first.source, first.stratum, first.metric, ""),
        p_supports=max(known) if known and len(known) == len(p_values) else None,
        unit=first.unit,
        n_units=min((c.n_units for c in testable), default=0),
        n_seeds=min((c.n_seeds for c in testable), default=0),
        details={"components": {f.measured.component: f.verdict for f in group if f.measured.component != ALL}},
    )


def _combine_verdicts(required: Sequence[Finding], p_adjusted: float | None, alpha: float) -> VerdictLabel:
    """Return the verdict of a claim: one contradicted component is enough; an untestable one prevents support."""
    verdicts = {f.verdict for f in required}
    if "contradicted" in verdicts:
        return "contradicted"
    if "not testable" in verdicts or not verdicts:
        return "not testable"
    if verdicts == {"supported"} and p_adjusted is not None and p_adjusted <= alpha:
        return "supported"
    return "inconclusive"


def _combine_sentences(group: Sequence[Finding], verdict: VerdictLabel) -> str:
    """Return the sentences of the components with the claim's verdict."""
    deciding = dict.fromkeys(f.sentence for f in group if f.verdict == verdict)
    if verdict == "inconclusive" and not deciding:
        return "Every part is supported by itself, but the claim is not significant after correction."
    return " ".join(deciding)


def _adjust(
    components: Iterable[ComponentTest],
    family: Callable[[ComponentTest], Hashable],
    p_of: Callable[[ComponentTest], float | None],
) -> list[float | None]:
    """Return p-values adjusted by Holm within each family; None for a component without p or not testable."""
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
