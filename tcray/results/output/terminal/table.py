"""Tables in plain text: columns as wide as what stands in them, and as many as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

GAP = "  "
RULE = "─"

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Column:
    """The lines of a header, and a text a row; numbers stand to the right."""

    header: tuple[str, ...]
    texts: tuple[str, ...]
    right: bool = True

    @classmethod
    def of(cls, name: str, values: Sequence[Any]) -> Column:
        """Values as they are: four digits of a float, nothing for None."""
        return cls((name,), tuple(map(_text, values)), any(isinstance(value, int | float) for value in values))

    @classmethod
    def block(cls, columns: Sequence[Column]) -> Column:
        """Columns side by side as one, across which a text may run that is of none of them."""
        height = _height(columns)
        lines = _beside(columns)
        return cls(tuple(lines[:height]), tuple(lines[height:]), right=False)

    @cached_property
    def width(self) -> int:
        """Of the widest text."""
        return max(map(len, (*self.header, *self.texts)))

    def lines(self, height: int) -> Iterator[str]:
        """The header at the foot of `height` lines, then the texts, all of one width."""
        for text in (*[""] * (height - len(self.header)), *self.header, *self.texts):
            yield text.rjust(self.width) if self.right else text.ljust(self.width)


def plain(columns: Sequence[Column]) -> str:
    """A table: header and rows."""
    return "\n".join(_beside(columns))


def ruled(columns: Sequence[Column], baselines: int = 0) -> list[str]:
    """A table, line by line: header, a rule, rows, and below another rule the last `references` of them."""
    lines, height = _beside(columns), _height(columns)
    rule = RULE * max(map(len, lines))
    rows = len(lines) - baselines
    return [*lines[:height], rule, *lines[height:rows], *([rule] if baselines else []), *lines[rows:]]


def width_of(columns: Sequence[Column]) -> int:
    """Characters that columns take side by side."""
    return sum(column.width for column in columns) + len(GAP) * (len(columns) - 1)


def fitting(
    choices: Sequence[Choice], width: float, *, taken: Callable[[Sequence[Choice]], int], always: int = 1
) -> list[Choice]:
    """Those that fit into `width` characters beside those before them; the first `always` do, however narrow that is.

    taken   how wide a table of some of them is
    """
    kept: list[Choice] = []
    for choice in choices:
        if len(kept) < always or taken([*kept, choice]) <= width:
            kept.append(choice)
    return kept


def _height(columns: Sequence[Column]) -> int:
    return max(len(column.header) for column in columns)


def _beside(columns: Sequence[Column]) -> list[str]:
    """Line by line, headers first."""
    height = _height(columns)
    return [GAP.join(texts).rstrip() for texts in zip(*(column.lines(height) for column in columns), strict=True)]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
