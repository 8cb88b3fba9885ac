"""Verdicts and components of claims, as the report shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tcray.claims.verdicts import ALL, Finding
from tcray.config.claims import CLAIMS
from tcray.results.analysis import Results
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import format_stratum
from tcray.results.display.table import Table
from tcray.results.output.component_tables import build_component_table
from tcray.results.output.verdict_text import format_component, select_findings, select_verdicts


@dataclass(frozen=True, slots=True)
class VerdictSummary:
    """A verdict in words: dataset, stratum, and one plain sentence."""

    dataset: str
    source: str
    stratum: str
    verdict: str
    sentence: str

    @classmethod
    def of(cls, finding: Finding) -> VerdictSummary:
        """Return the summary of a finding."""
        c = finding.measured
        return cls(c.dataset, c.source, format_stratum(c.stratum), finding.verdict, finding.sentence)


@dataclass(frozen=True, slots=True)
class ComponentSummary:
    """A component of a claim on one dataset: its estimand, and its verdict in each stratum."""

    name: str
    estimand: str
    verdicts: tuple[VerdictSummary, ...]


@dataclass(frozen=True, slots=True)
class ClaimSummary:
    """A claim: its question, its verdict on each dataset and stratum, and the table of its components."""

    name: str
    question: str
    verdicts: tuple[VerdictSummary, ...]
    table: Table | None


def summarize_claim(claim: str, results: Results) -> ClaimSummary:
    """Return the summary of a claim."""
    verdicts = tuple(map(VerdictSummary.of, select_verdicts(claim, results)))
    return ClaimSummary(claim, CLAIMS[claim].question, verdicts, build_component_table(claim, results.findings))


def summarize_components(claim: str, dataset: str, findings: Sequence[Finding]) -> tuple[ComponentSummary, ...]:
    """Return the components of a claim on a dataset; the claim itself if it has no components there."""
    own = [finding for finding in select_findings(claim, findings) if finding.measured.dataset == dataset]
    parts = [finding for finding in own if finding.measured.component != ALL] or own
    by_estimand = group_by(parts, lambda finding: (finding.measured.component, finding.measured.estimand))
    return tuple(
        ComponentSummary(format_component(component), estimand, _merge_strata(map(VerdictSummary.of, same)))
        for (component, estimand), same in by_estimand.items()
    )


def _merge_strata(verdicts: Iterable[VerdictSummary]) -> tuple[VerdictSummary, ...]:
    """Return one summary for all strata with the same verdict and sentence."""
    groups = group_by(verdicts, lambda one: (one.verdict, one.sentence)).values()
    return tuple(replace(same[0], stratum="; ".join(one.stratum for one in same)) for same in groups)
