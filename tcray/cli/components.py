"""A claim's components as a table: a line each, below the dataset and stratum that it was measured on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from tcray.cli.aligned import GAP
from tcray.cli.tables import NONE, Column, lines
from tcray.cli.which import shown_dataset
from tcray.results.analyses.finding import ALL, Finding, Verdict
from tcray.results.statistics.mean import Interval
from tcray.results.views.labels import interval_label, metric_label, number_label, p_label, signed_label, stratum_label

STYLES: Mapping[Verdict, str] = {
    "supported": "bold green",
    "contradicted": "bold red",
    "inconclusive": "bold yellow",
    "not testable": "bold",
    "descriptive": "bold",
}


ALWAYS = 2
"""Columns that are shown however narrow the terminal: what is claimed, and the verdict."""


@dataclass(frozen=True, slots=True)
class Row:
    """A claim as a whole in a place, if anything sums it up there; without a place, one of its components."""

    place: str
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a column tells of a finding.

    interest   the smaller, the sooner it has room in a narrow terminal
    of_effect  tells nothing of a claim as a whole: the name of its dataset and stratum stands there
    """

    header: tuple[str, ...]
    text: Callable[[Finding], str]
    interest: int
    of_effect: bool = True
    right: bool = True

    def column(self, rows: Sequence[Row]) -> Column:
        """Its text in every row."""
        return Column(self.header, tuple(self._text(row) for row in rows), self.right)

    def _text(self, row: Row) -> str:
        return "" if row.finding is None or (row.place and self.of_effect) else self.text(row.finding)


def place(dataset: str, source: str, stratum: Mapping[str, Any]) -> str:
    """A dataset and stratum as `mosi (twin), conditioning=none`."""
    return ", ".join(filter(None, [shown_dataset(dataset, source), stratum_label(stratum)]))


def place_of(finding: Finding) -> str:
    """Where a finding was made."""
    return place(finding.measured.dataset, finding.measured.source, finding.measured.stratum)


def components_table(findings: Sequence[Finding], width: int) -> list[Text]:
    """The findings of one claim, in as many columns as fit in `width` characters; no line where none has a p-value."""
    if not any(finding.p_value is not None for finding in findings):
        return []
    rows = list(_rows(findings))
    kept: list[Quantity] = []
    for quantity in sorted(QUANTITIES, key=lambda quantity: quantity.interest):
        if len(kept) >= ALWAYS and not set(quantity.column(rows).texts) - {"", NONE}:
            continue
        if len(kept) >= ALWAYS and max(map(len, _laid_out([*kept, quantity], rows))) > width:
            break
        kept.append(quantity)
    return [_coloured(line) for line in _laid_out(kept, rows)]


def _rows(findings: Sequence[Finding]) -> Iterator[Row]:
    """By dataset and stratum, in the order of the findings."""
    for where in dict.fromkeys(map(place_of, findings)):
        there = [finding for finding in findings if place_of(finding) == where]
        yield Row(where, next((finding for finding in there if finding.measured.component == ALL), None))
        yield from (Row("", finding) for finding in there if finding.measured.component != ALL)


def _laid_out(quantities: Sequence[Quantity], rows: Sequence[Row]) -> list[str]:
    """The table of these quantities, in the order of `QUANTITIES`."""
    shown = [quantity for quantity in QUANTITIES if quantity in quantities]
    effects = [quantity.column(rows) for quantity in shown if quantity.of_effect]
    return lines([_block(effects, rows), *(quantity.column(rows) for quantity in shown if not quantity.of_effect)], 0)


def _block(columns: Sequence[Column], rows: Sequence[Row]) -> Column:
    """Columns as one, across which the place of a claim as a whole may run."""
    height = max(len(column.header) for column in columns)
    joined = [GAP.join(cells).rstrip() for cells in zip(*(column.lines(height) for column in columns), strict=True)]
    texts = tuple(row.place or text for row, text in zip(rows, joined[height:], strict=True))
    return Column(tuple(joined[:height]), texts, right=False)


def _coloured(line: str) -> Text:
    """The verdict, which ends a line, in its colour."""
    text = Text(line)
    for verdict, style in STYLES.items():
        if line.endswith(f" {verdict}"):
            text.stylize(style, len(line) - len(verdict))
    return text


def _effect(finding: Finding) -> str:
    """A difference with its sign; of a place on a factor's axis the level."""
    estimate = finding.measured.estimate
    return f"at {estimate:g}" if estimate is not None and _locates(finding) else signed_label(estimate)


def _bounds(finding: Finding, interval: Interval | None) -> str:
    if interval is None:
        return NONE
    return (
        f"{interval.low:g} to {interval.high:g}" if _locates(finding) else interval_label(interval.low, interval.high)
    )


def _locates(finding: Finding) -> bool:
    """Whether what is estimated is the level at which something is best or worst: no margin is in that unit."""
    return finding.measured.margin is None and "optimum_set" in finding.measured.details


def _count(count: int | None) -> str:
    return f"{count:,}" if count else NONE


def _needed(finding: Finding) -> str:
    return _count(finding.measured.units_needed) if finding.verdict == "inconclusive" else NONE


QUANTITIES = (
    Quantity(("",), lambda f: f"  {f.measured.component}", 0, right=False),
    Quantity(("metric",), lambda f: metric_label(f.measured.metric), 8, right=False),
    Quantity(("effect",), _effect, 2),
    Quantity(("95 % interval", "over retraining"), lambda f: _bounds(f, f.measured.retraining), 3),
    Quantity(("and over", "people too"), lambda f: _bounds(f, f.measured.people), 6),
    Quantity(("SD of", "repeats"), lambda f: number_label(f.measured.sd_repeats), 11),
    Quantity(("SD of", "seeds"), lambda f: number_label(f.measured.sd_seeds), 12),
    Quantity(("p",), lambda f: p_label(f.p_value), 7, of_effect=False),
    Quantity(("Holm p",), lambda f: p_label(f.p_adjusted), 4, of_effect=False),
    Quantity(("units",), lambda f: _count(f.measured.n_units), 5, of_effect=False),
    Quantity(("runs",), lambda f: _count(f.measured.n_seeds), 10, of_effect=False),
    Quantity(("units", "needed"), _needed, 9, of_effect=False),
    Quantity(("verdict",), lambda f: f.verdict, 1, of_effect=False, right=False),
)
