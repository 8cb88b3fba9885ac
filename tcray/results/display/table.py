"""The one kind of table, which the terminal, the HTML report and TensorBoard write, each in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from tcray.results.display.labels import MISSING

ColumnKind = Literal["name", "text", "number", "verdict", "source"]
RowKind = Literal["plain", "heading", "baseline"]

ALWAYS = 0
"""The priority of columns that are shown however narrow the terminal."""


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A column of a table.

    header    a line break marks the best place to wrap it
    kind      numbers are aligned right, everything else left; verdicts and sources are set as badges in HTML
    priority  columns with large values are the first to be left out in a narrow terminal
    group     a header above neighboring columns of the same group
    brief     True if a terminal shows means without their intervals
    """

    header: str
    kind: ColumnKind = "number"
    priority: int = 1
    group: str = ""
    brief: bool = False


@dataclass(frozen=True, slots=True)
class TableRow:
    """The texts of a row, one per column. A name may run across the empty texts to its right.

    kind  a heading names the rows below it; a rule separates baselines from the rows above them
    bold  indices of the columns whose text is bold
    """

    texts: tuple[str, ...]
    kind: RowKind = "plain"
    bold: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its title and its notes.

    topic    the section of the report that it belongs to, as `rank-generalisation`
    dataset  empty if the table is about several datasets
    """

    title: str
    columns: tuple[ColumnSpec, ...]
    rows: tuple[TableRow, ...]
    notes: tuple[str, ...] = ()
    topic: str = ""
    dataset: str = ""

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Headers above the columns, each with its number of columns; empty if no column has a group."""
        spans = [(group, len(list(columns))) for group, columns in groupby(self.columns, lambda column: column.group)]
        return spans if any(group for group, _ in spans) else []

    @property
    def plain_rows(self) -> list[TableRow]:
        """The rows above the baselines."""
        return [row for row in self.rows if row.kind != "baseline"]

    @property
    def baselines(self) -> list[TableRow]:
        """The rows of the baselines."""
        return [row for row in self.rows if row.kind == "baseline"]

    def select_columns(self, indices: Sequence[int]) -> Table:
        """Return the table with only these columns."""
        rows = (
            replace(
                row,
                texts=tuple(row.texts[at] for at in indices),
                bold=frozenset(place for place, at in enumerate(indices) if at in row.bold),
            )
            for row in self.rows
        )
        return replace(self, columns=tuple(self.columns[at] for at in indices), rows=tuple(rows))

    def drop_empty_columns(self) -> Table:
        """Return the table without the columns in which no value is known."""
        known = [
            at
            for at, column in enumerate(self.columns)
            if column.priority == ALWAYS or any(row.texts[at] not in ("", MISSING) for row in self.rows)
        ]
        return self.select_columns(known)
