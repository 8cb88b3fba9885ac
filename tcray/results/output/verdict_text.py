"""The wording of verdicts, shared by all outputs: sentences, effects, intervals and p-values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tcray.claims.verdicts import ALL, ComponentTest, Finding
from tcray.config.messages import join_words
from tcray.results.analysis import Results
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import (
    format_count,
    format_dataset_short,
    format_interval,
    format_p,
    format_place_short,
    format_signed,
)
from tcray.statistics.mean import Interval

NO_FINDINGS = "There is no verdict: no confirm run is complete."
"""The sentence for a claim without findings."""


def select_findings(claim: str, findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings of one claim."""
    return [finding for finding in findings if finding.measured.claim == claim]


def select_verdicts(claim: str, results: Results) -> list[Finding]:
    """Return the findings on a claim as a whole, one per dataset and stratum.

    If a claim only describes, there is no finding on the whole, and its components are returned instead. Datasets are
    in the order of the sweep, and the strata of each in the order in which they were analyzed.
    """
    selected: list[Finding] = []
    own = select_findings(claim, results.findings)
    for same in group_by(own, lambda finding: format_place_short(finding.measured)).values():
        selected += [finding for finding in same if finding.measured.component == ALL] or same
    return sorted(selected, key=lambda finding: results.sweep.datasets.index(finding.measured.dataset))


def format_basis(finding: Finding) -> str:
    """Return the basis of a verdict, as ` (p 0.006, 12 seeds)`; p is for the claim unless marked as against it."""
    measured = finding.measured
    p = [f"p {format_p(finding.p_adjusted)}"] if finding.p_adjusted is not None else []
    if finding.verdict == "contradicted":
        p = [f"p {format_p(finding.p_against)} against it"] if finding.p_against is not None else []
    units = [format_count(measured.n_units, measured.unit)] if measured.n_units else []
    return f" ({', '.join([*p, *units])})" if p or units else ""


def format_unbeaten(findings: Sequence[Finding]) -> str:
    """Return a sentence listing the datasets on which no cell beats the linear model; empty if there are none."""
    known = [finding.measured for finding in findings if finding.beats_linear is False]
    datasets = dict.fromkeys(format_dataset_short(measured.dataset, measured.source) for measured in known)
    return f"No cell beats the linear model on {join_words(datasets)}." if datasets else ""


def format_component(component: str) -> str:
    """Return the name of a component in words."""
    return "the whole claim" if component == ALL else component.replace("-", " ")


def format_effect(measured: ComponentTest) -> str:
    """Return an effect: a difference with its sign, or the level if the component locates an optimum."""
    if measured.estimate is not None and _locates(measured):
        return f"at {measured.estimate:g}"
    return format_signed(measured.estimate)


def format_bounds(measured: ComponentTest, interval: Interval | None) -> str:
    """Return one of the intervals of a component, in the units of its effect."""
    if interval is not None and _locates(measured):
        return f"{interval.low:g} to {interval.high:g}"
    return format_interval(interval)


def format_two_lines_p(measured: ComponentTest) -> str:
    """Return the p-value of the two-lines test (Simonsohn 2018), missing unless the component is about a peak."""
    return format_p(measured.details.get("two_lines_p"))


def _locates(measured: ComponentTest) -> bool:
    """True if the estimate is the level of an optimum, not a difference."""
    return measured.optimum_set is not None
