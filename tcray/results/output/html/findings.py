"""What was concluded, as the report tells it: verdicts at the head, and the numbers of every component."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tcray.claims.verdicts import ALL, Finding
from tcray.config.claims import CLAIMS
from tcray.results.analysis import Results
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import (
    NONE,
    format_count,
    format_dataset,
    format_metric,
    format_number,
    format_p,
    format_stratum,
)
from tcray.results.display.table import Cell, Table, heads, name, words
from tcray.results.output.verdict_text import (
    format_bounds,
    format_component,
    format_effect,
    format_integer,
    format_two_lines_p,
    select_findings,
    select_verdicts,
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
        return cls(c.dataset, c.source, format_stratum(c.stratum), finding.verdict, finding.sentence)


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
    own = select_findings(claim, results.findings)
    measured = [finding for finding in own if finding.measured.component != ALL and finding.verdict != "not testable"]
    table = _table(claim, measured) if measured else None
    return ClaimShown(claim, CLAIMS[claim].question, tuple(map(Concluded.of, select_verdicts(claim, results))), table)


def components_shown(claim: str, dataset: str, findings: Sequence[Finding]) -> tuple[ComponentShown, ...]:
    """The components of a claim on a dataset; the claim itself where nothing of it could be told apart."""
    own = [finding for finding in select_findings(claim, findings) if finding.measured.dataset == dataset]
    parts = [finding for finding in own if finding.measured.component != ALL] or own
    by_estimand = group_by(parts, lambda finding: (finding.measured.component, finding.measured.estimand))
    return tuple(
        ComponentShown(format_component(component), estimand, _merged(map(Concluded.of, same)))
        for (component, estimand), same in by_estimand.items()
    )


def _merged(concluded: Iterable[Concluded]) -> tuple[Concluded, ...]:
    """Strata of which the very same is said are named together."""
    said = group_by(concluded, lambda one: (one.verdict, one.sentence)).values()
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
        name(format_dataset(c.dataset, c.source)),
        words(format_stratum(c.stratum)),
        words(format_component(c.component)),
        words(format_metric(c.metric)),
        Cell(finding.verdict, "verdict"),
        Cell(format_effect(c)),
        Cell(format_bounds(c, c.ci_retraining)),
        Cell(format_bounds(c, c.ci_people)),
        Cell(f"{c.margin:g}" if c.margin is not None else NONE),
        Cell(format_p(finding.p_value)),
        Cell(format_p(finding.p_adjusted)),
        Cell(format_p(finding.p_against)),
        Cell(format_two_lines_p(c)),
        Cell(format_count(c.n_units, c.unit) if c.n_units else NONE),
        Cell(format_integer(c.n_seeds)),
        Cell(format_number(c.sd_repeats)),
        Cell(format_number(c.sd_seeds)),
        Cell(format_integer(c.units_needed)),
    )
