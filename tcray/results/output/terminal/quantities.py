"""What a table of components tells of each, and how much of it there is room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tcray.claims.verdicts import Finding
from tcray.results.display.labels import NONE, format_metric, format_number, format_p
from tcray.results.output.terminal.table import Column, fitting, ruled
from tcray.results.output.verdict_text import format_bounds, format_effect, format_integer, format_two_lines_p

ALWAYS = 2
"""Columns that are shown however narrow the terminal: what is claimed, and the verdict."""


@dataclass(frozen=True, slots=True)
class Row:
    """A claim as a whole in a place, if anything sums it up there; without a place, one of its components."""

    place: str
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class ColumnSpec:
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


def table_of(rows: Sequence[Row], width: int) -> list[str]:
    """Findings in as many columns as fit in `width` characters, none of which is empty."""
    by_interest = sorted(QUANTITIES, key=lambda quantity: quantity.interest)
    chosen = [
        quantity
        for place, quantity in enumerate(by_interest)
        if place < ALWAYS or set(quantity.column(rows).texts) - {"", NONE}
    ]
    return _lines(fitting(chosen, width, taken=lambda some: max(map(len, _lines(some, rows))), always=ALWAYS), rows)


def _lines(some: Sequence[ColumnSpec], rows: Sequence[Row]) -> list[str]:
    """The table of some quantities, in the order of `QUANTITIES`; across those of effects runs the place of a claim."""
    shown = [quantity for quantity in QUANTITIES if quantity in some]
    effects = Column.block([quantity.column(rows) for quantity in shown if quantity.of_effect])
    texts = tuple(row.place or text for row, text in zip(rows, effects.texts, strict=True))
    others = [quantity.column(rows) for quantity in shown if not quantity.of_effect]
    return ruled([replace(effects, texts=texts), *others])


def _needed(finding: Finding) -> str:
    return format_integer(finding.measured.units_needed) if finding.verdict == "inconclusive" else NONE


QUANTITIES = (
    ColumnSpec(("",), lambda f: f"  {f.measured.component}", 0, right=False),
    ColumnSpec(("metric",), lambda f: format_metric(f.measured.metric), 8, right=False),
    ColumnSpec(("effect",), lambda f: format_effect(f.measured), 2),
    ColumnSpec(("95 % interval", "over retraining"), lambda f: format_bounds(f.measured, f.measured.ci_retraining), 3),
    ColumnSpec(("and over", "people too"), lambda f: format_bounds(f.measured, f.measured.ci_people), 6),
    ColumnSpec(("SD of", "repeats"), lambda f: format_number(f.measured.sd_repeats), 11),
    ColumnSpec(("SD of", "seeds"), lambda f: format_number(f.measured.sd_seeds), 12),
    ColumnSpec(("p",), lambda f: format_p(f.p_value), 7, of_effect=False),
    ColumnSpec(("Holm p",), lambda f: format_p(f.p_adjusted), 4, of_effect=False),
    ColumnSpec(("against", "Holm p"), lambda f: format_p(f.p_against), 13, of_effect=False),
    ColumnSpec(("two lines", "p"), lambda f: format_two_lines_p(f.measured), 14, of_effect=False),
    ColumnSpec(("units",), lambda f: format_integer(f.measured.n_units), 5, of_effect=False),
    ColumnSpec(("runs",), lambda f: format_integer(f.measured.n_seeds), 10, of_effect=False),
    ColumnSpec(("units", "needed"), _needed, 9, of_effect=False),
    ColumnSpec(("verdict",), lambda f: f.verdict, 1, of_effect=False, right=False),
)
