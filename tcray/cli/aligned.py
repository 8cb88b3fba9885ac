"""Tables in plain text: columns as wide as what stands in them, numbers to the right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """A column of text under its name."""

    name: str
    texts: Sequence[str]
    numeric: bool

    @classmethod
    def of(cls, name: str, values: Sequence[Any]) -> Column:
        """Values as a table shows them: four digits of a float, nothing for None."""
        numeric = any(isinstance(value, int | float) for value in values)
        return cls(name, [_text(value) for value in values], numeric)

    @property
    def width(self) -> int:
        """Characters of its widest line."""
        return max(len(self.name), *map(len, self.texts), 0)

    def lines(self) -> Iterator[str]:
        """Its name and texts, all of one width."""
        width = self.width
        return (text.rjust(width) if self.numeric else text.ljust(width) for text in (self.name, *self.texts))


def aligned(columns: Sequence[Column]) -> str:
    """The table of these columns, a line a row, the names first."""
    return "\n".join(GAP.join(cells).rstrip() for cells in zip(*(column.lines() for column in columns), strict=True))


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns, taken in order, that stand beside each other within `width` characters; the first always does."""
    kept, used = list(columns[:1]), sum(column.width for column in columns[:1])
    for column in columns[1:]:
        if used + len(GAP) + column.width <= width:
            kept.append(column)
            used += len(GAP) + column.width
    return kept


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
