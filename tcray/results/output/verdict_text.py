"""What is told of a claim, wherever it was asked: its verdict, its sentence, and the effect with its intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tcray.claims.verdicts import ALL, ComponentTest, Finding
from tcray.config.messages import join_words
from tcray.results.analysis import Results
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import (
    NONE,
    format_count,
    format_dataset_short,
    format_interval,
    format_p,
    format_place_short,
    format_signed,
)
from tcray.statistics.mean import Interval

NOTHING = "Nothing can be said of it: no confirm run is complete."
"""What is told of a claim without findings."""


def select_findings(claim: str, findings: Iterable[Finding]) -> list[Finding]:
    """Those of one claim."""
    return [finding for finding in findings if finding.measured.claim == claim]


def select_verdicts(claim: str, results: Results) -> list[Finding]:
    """The claim as a whole, place by place; its components where nothing sums them up, since they only describe.

    Datasets come as the sweep lists them, and the strata of each as they were analysed.
    """
    selected: list[Finding] = []
    own = select_findings(claim, results.findings)
    for there in group_by(own, lambda finding: format_place_short(finding.measured)).values():
        selected += [finding for finding in there if finding.measured.component == ALL] or there
    return sorted(selected, key=lambda finding: results.sweep.datasets.index(finding.measured.dataset))


def format_basis(finding: Finding) -> str:
    """On what a verdict rests, as ` (p 0.006, 12 seeds)`: p is for what is claimed, or else said to be against it."""
    measured = finding.measured
    p = [f"p {format_p(finding.p_adjusted)}"] if finding.p_adjusted is not None else []
    if finding.verdict == "contradicted":
        p = [f"p {format_p(finding.p_against)} against it"] if finding.p_against is not None else []
    units = [format_count(measured.n_units, measured.unit)] if measured.n_units else []
    return f" ({', '.join([*p, *units])})" if p or units else ""


def format_unbeaten(findings: Sequence[Finding]) -> str:
    """On which datasets the linear model is not beaten, in a sentence; empty where there is none."""
    known = [finding.measured for finding in findings if finding.beats_linear is False]
    datasets = dict.fromkeys(format_dataset_short(measured.dataset, measured.source) for measured in known)
    return f"No cell beats the linear model on {join_words(datasets)}." if datasets else ""


def format_component(component: str) -> str:
    """A part of a claim, in words."""
    return "the whole claim" if component == ALL else component.replace("-", " ")


def format_effect(measured: ComponentTest) -> str:
    """A difference with its sign; of a place on a factor's axis the level."""
    if measured.estimate is not None and _locates(measured):
        return f"at {measured.estimate:g}"
    return format_signed(measured.estimate)


def format_bounds(measured: ComponentTest, interval: Interval | None) -> str:
    """One of its intervals, in the same units."""
    if interval is not None and _locates(measured):
        return f"{interval.low:g} to {interval.high:g}"
    return format_interval(interval)


def format_two_lines_p(measured: ComponentTest) -> str:
    """The p-value of the two-lines test (Simonsohn 2018), where the component asks for a peak."""
    return format_p(measured.details.get("two_lines_p"))


def format_integer(count: int | None) -> str:
    """Of units or runs, where there are any."""
    return f"{count:,}" if count else NONE


def _locates(measured: ComponentTest) -> bool:
    """Whether the estimate is the level at which something is best or worst, and no difference."""
    return measured.optimum_set is not None
