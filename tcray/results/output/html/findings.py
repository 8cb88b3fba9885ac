"""What was concluded, as the report tells it: verdicts at the head, and the numbers of every component."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tcray.claims.verdicts import ALL, Finding
from tcray.config.claims import CLAIMS
from tcray.results.analysis import Results
from tcray.results.display.grouping import grouped
from tcray.results.display.labels import NONE, dataset_label, metric_label, number_label, p_label, plural, stratum_label
from tcray.results.display.table import Cell, Table, heads, name, words
from tcray.results.output.verdict_text import (
    bounds_label,
    component_label,
    count_label,
    effect_label,
    findings_of,
    sentence_of,
    told,
    two_lines_label,
)


@dataclass(frozen=True, slots=True)
class Concluded:
    """A verdict in words: where it holds, and one plain sentence."""

    dataset: str
    source: str
    stratum: str
    verdict: str
    sentence: str

    @classmethod
    def of(cls, finding: Finding) -> Concluded:
        """What a finding says."""
        c = finding.measured
        return cls(c.dataset, c.source, stratum_label(c.stratum), finding.verdict, sentence_of(finding))


@dataclass(frozen=True, slots=True)
class ComponentShown:
    """A component of a claim on one dataset: its estimand, and what it comes to in each stratum."""

    name: str
    estimand: str
    concluded: tuple[Concluded, ...]


@dataclass(frozen=True, slots=True)
class ClaimShown:
    """A claim: its question, what it comes to on each dataset and stratum, and the numbers behind."""

    name: str
    question: str
    wholes: tuple[Concluded, ...]
    table: Table | None


def claim_shown(claim: str, results: Results) -> ClaimShown:
    """What is said of a claim."""
    own = findings_of(claim, results.findings)
    measured = [finding for finding in own if finding.measured.component != ALL and finding.verdict != "not testable"]
    table = _table(claim, measured) if measured else None
    return ClaimShown(claim, CLAIMS[claim].question, tuple(map(Concluded.of, told(claim, results))), table)


def components_shown(claim: str, dataset: str, findings: Sequence[Finding]) -> tuple[ComponentShown, ...]:
    """The components of a claim on a dataset; the claim itself where nothing of it could be told apart."""
    own = [finding for finding in findings_of(claim, findings) if finding.measured.dataset == dataset]
    parts = [finding for finding in own if finding.measured.component != ALL] or own
    by_estimand = grouped(parts, lambda finding: (finding.measured.component, finding.measured.estimand))
    return tuple(
        ComponentShown(component_label(component), estimand, _merged(map(Concluded.of, same)))
        for (component, estimand), same in by_estimand.items()
    )


def _merged(concluded: Iterable[Concluded]) -> tuple[Concluded, ...]:
    """Strata of which the very same is said are named together."""
    said = grouped(concluded, lambda one: (one.verdict, one.sentence)).values()
    return tuple(replace(same[0], stratum="; ".join(one.stratum for one in same)) for same in said)


FIRST = ("dataset", "within", "component", "metric", "verdict")
NUMBERS = (
    "effect",
    "95 % over retraining",
    "95 % over retraining and people",
    "margin",
    "p",
    "p (Holm)",
    "against, p (Holm)",
    "two lines, p",
    "units",
    "runs a cell",
    "SD between repeats",
    "SD between seeds",
    "units needed",
)


def _table(claim: str, findings: Sequence[Finding]) -> Table:
    """The numbers of every component that could be tested, or is described; no column of which nothing is known."""
    columns = zip(heads(FIRST, NUMBERS), *map(_row, findings), strict=True)
    head, *rows = zip(*(column for column in columns if {cell.text for cell in column[1:]} - {NONE, ""}), strict=True)
    caption = f"Numbers behind {claim}: effect, both intervals, p-values, and what they rest on"
    return Table(caption, (head,), tuple(rows))


def _row(finding: Finding) -> tuple[Cell, ...]:
    c = finding.measured
    return (
        name(dataset_label(c.dataset, c.source)),
        words(stratum_label(c.stratum)),
        words(component_label(c.component)),
        words(metric_label(c.metric)),
        Cell(finding.verdict, "verdict"),
        Cell(effect_label(c)),
        Cell(bounds_label(c, c.retraining)),
        Cell(bounds_label(c, c.people)),
        Cell(f"{c.margin:g}" if c.margin is not None else NONE),
        Cell(p_label(finding.p_value)),
        Cell(p_label(finding.p_adjusted)),
        Cell(p_label(finding.p_against)),
        Cell(two_lines_label(c)),
        Cell(plural(c.n_units, c.unit) if c.n_units else NONE),
        Cell(count_label(c.n_seeds)),
        Cell(number_label(c.sd_repeats)),
        Cell(number_label(c.sd_seeds)),
        Cell(count_label(c.units_needed)),
    )
