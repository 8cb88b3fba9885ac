"""What is told of a claim, wherever it was asked: its verdict, its sentence, and the effect with its intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tcray.claims.verdicts import ALL, UNBEATEN, ComponentTest, Finding
from tcray.config.messages import join_words
from tcray.results.analysis import Results
from tcray.results.display.grouping import grouped
from tcray.results.display.labels import (
    NONE,
    interval_label,
    p_label,
    plural,
    short_dataset_label,
    short_place_label,
    signed_label,
)
from tcray.statistics.mean import Interval

NOTHING = "Nothing can be said of it: no confirm run is complete."
"""What is told of a claim without findings."""


def findings_of(claim: str, findings: Iterable[Finding]) -> list[Finding]:
    """Those of one claim."""
    return [finding for finding in findings if finding.measured.claim == claim]


def told(claim: str, results: Results) -> list[Finding]:
    """The claim as a whole, place by place; its components where nothing sums them up, since they only describe.

    Datasets come as the sweep lists them, and the strata of each as they were analysed.
    """
    told: list[Finding] = []
    own = findings_of(claim, results.findings)
    for there in grouped(own, lambda finding: short_place_label(finding.measured)).values():
        told += [finding for finding in there if finding.measured.component == ALL] or there
    return sorted(told, key=lambda finding: results.sweep.datasets.index(finding.measured.dataset))


def basis_label(finding: Finding) -> str:
    """On what a verdict rests, as ` (p 0.006, 12 seeds)`: p is for what is claimed, or else said to be against it."""
    measured = finding.measured
    p = [f"p {p_label(finding.p_adjusted)}"] if finding.p_adjusted is not None else []
    if finding.verdict == "contradicted":
        p = [f"p {p_label(finding.p_against)} against it"] if finding.p_against is not None else []
    units = [plural(measured.n_units, measured.unit)] if measured.n_units else []
    return f" ({', '.join([*p, *units])})" if p or units else ""


def sentence_of(finding: Finding) -> str:
    """Its sentence, without what is said of its dataset once and for all."""
    return finding.sentence.removesuffix(f" {UNBEATEN}")


def unbeaten(findings: Sequence[Finding]) -> str:
    """On which datasets the linear model is not beaten, in a sentence; empty where there is none."""
    known = [finding.measured for finding in findings if finding.beats_linear is False]
    datasets = dict.fromkeys(short_dataset_label(measured.dataset, measured.source) for measured in known)
    return f"No cell beats the linear model on {join_words(datasets)}." if datasets else ""


def component_label(component: str) -> str:
    """A part of a claim, in words."""
    return "the whole claim" if component == ALL else component.replace("-", " ")


def effect_label(measured: ComponentTest) -> str:
    """A difference with its sign; of a place on a factor's axis the level."""
    if measured.estimate is not None and _locates(measured):
        return f"at {measured.estimate:g}"
    return signed_label(measured.estimate)


def bounds_label(measured: ComponentTest, interval: Interval | None) -> str:
    """One of its intervals, in the same units."""
    if interval is not None and _locates(measured):
        return f"{interval.low:g} to {interval.high:g}"
    return interval_label(interval)


def two_lines_label(measured: ComponentTest) -> str:
    """The p-value of the two-lines test (Simonsohn 2018), where the component asks for a peak."""
    return p_label(measured.details.get("two_lines_p"))


def count_label(count: int | None) -> str:
    """Of units or runs, where there are any."""
    return f"{count:,}" if count else NONE


def _locates(measured: ComponentTest) -> bool:
    """Whether the estimate is the level at which something is best or worst, and no difference."""
    return measured.optimum_set is not None
