"""What was concluded, as the report tells it: verdicts at the head, and the numbers of every component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tcray.results.analyses.finding import ALL, Finding
from tcray.results.statistics.mean import Interval
from tcray.results.views.labels import (
    NONE,
    dataset_label,
    interval_label,
    metric_label,
    number_label,
    p_label,
    stratum_label,
)
from tcray.results.views.report.table import Cell, Table, heads, name, words
from tcray.spec.claims import CLAIMS


@dataclass(frozen=True, slots=True)
class Concluded:
    """A verdict in words: where it holds, and one plain sentence."""

    dataset: str
    source: str
    stratum: str
    verdict: str
    sentence: str


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


def claim_shown(claim: str, findings: Sequence[Finding]) -> ClaimShown:
    """What is said of a claim; on a dataset where nothing sums it up, its components speak for it."""
    own = _of(claim, findings)
    summed_up = {finding.measured.dataset for finding in own if finding.measured.component == ALL}
    wholes = [f for f in own if f.measured.component == ALL or f.measured.dataset not in summed_up]
    measured = [finding for finding in own if finding.measured.component != ALL and finding.verdict != "not testable"]
    question = CLAIMS[claim].question if claim in CLAIMS else claim
    return ClaimShown(claim, question, tuple(map(_concluded, wholes)), _table(claim, measured) if measured else None)


def components_shown(claim: str, dataset: str, findings: Sequence[Finding]) -> tuple[ComponentShown, ...]:
    """The components of a claim on a dataset; the claim itself where nothing of it could be told apart."""
    own = [finding for finding in _of(claim, findings) if finding.measured.dataset == dataset]
    parts = [finding for finding in own if finding.measured.component != ALL] or own
    grouped: dict[tuple[str, str], list[Concluded]] = {}
    for finding in parts:
        c = finding.measured
        grouped.setdefault((_named(c.component), c.estimand), []).append(_concluded(finding))
    return tuple(ComponentShown(name, estimand, _merged(told)) for (name, estimand), told in grouped.items())


def _merged(concluded: Sequence[Concluded]) -> tuple[Concluded, ...]:
    """Strata of which the very same is said are named together."""
    strata: dict[tuple[str, str], list[Concluded]] = {}
    for one in concluded:
        strata.setdefault((one.verdict, one.sentence), []).append(one)
    return tuple(replace(same[0], stratum="; ".join(one.stratum for one in same)) for same in strata.values())


def datasets_of(claim: str, findings: Sequence[Finding]) -> dict[str, str]:
    """The datasets that something is said of, in order, with their sources; one that was left out has none."""
    return {finding.measured.dataset: finding.measured.source for finding in _of(claim, findings)}


def _of(claim: str, findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.measured.claim == claim]


def _named(component: str) -> str:
    return "the whole claim" if component == ALL else component.replace("-", " ")


def _concluded(finding: Finding) -> Concluded:
    c = finding.measured
    return Concluded(c.dataset, c.source, stratum_label(c.stratum), finding.verdict, finding.sentence)


FIRST = ("dataset", "within", "component", "metric", "verdict")
NUMBERS = (
    "effect",
    "95 % over retraining",
    "95 % over retraining and people",
    "margin",
    "p",
    "p (Holm)",
    "units",
    "runs a cell",
    "SD between repeats",
    "SD between seeds",
    "units needed",
)


def _table(claim: str, findings: Sequence[Finding]) -> Table:
    """The numbers of every component that could be tested, or is described."""
    rows = tuple(_row(finding) for finding in findings)
    caption = f"Numbers behind {claim}: effect, both intervals, p-values, and what they rest on"
    used = [column for column in range(len(rows[0])) if any(row[column].text not in (NONE, "") for row in rows)]
    head = heads(FIRST, NUMBERS)
    return Table(
        caption, (tuple(head[column] for column in used),), tuple(tuple(row[at] for at in used) for row in rows)
    )


def _row(finding: Finding) -> tuple[Cell, ...]:
    c = finding.measured
    retraining, people = (_interval(interval) if interval else NONE for interval in (c.retraining, c.people))
    units = f"{c.n_units} {c.unit}{'' if c.n_units == 1 else 's'}" if c.n_units else NONE
    return (
        name(dataset_label(c.dataset, c.source)),
        words(stratum_label(c.stratum)),
        words(_named(c.component)),
        words(metric_label(c.metric) if c.metric else ""),
        Cell(finding.verdict, "verdict"),
        Cell(_exact(c.estimate) or number_label(c.estimate)),
        Cell(retraining),
        Cell(people),
        Cell(f"{c.margin:g}" if c.margin is not None else NONE),
        Cell(p_label(finding.p_value)),
        Cell(p_label(finding.p_adjusted)),
        Cell(units),
        Cell(f"{c.n_seeds}" if c.n_seeds else NONE),
        Cell(number_label(c.sd_repeats)),
        Cell(number_label(c.sd_seeds)),
        Cell(f"{c.units_needed:,}" if c.units_needed is not None else NONE),
    )


def _interval(interval: Interval) -> str:
    ends = _exact(interval.low), _exact(interval.high)
    return " to ".join(ends) if all(ends) else interval_label(interval.low, interval.high)


def _exact(value: float | None) -> str:
    """A level, as of rank, which is exact where an estimate is not; empty for whatever has more than two decimals."""
    return f"{value:g}".replace("-", "−") if value is not None and round(value, 2) == value else ""
