"""Tables in plain text: columns as wide as their contents, and as many as fit the terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any, TypeVar

from tcray.results.display.table import ALWAYS, ColumnSpec, Table

GAP = "  "
RULE = "─"
INDENT = "  "
"""Before the names of rows that stand below a heading."""
PLUS_MINUS = " ± "
NARROWEST = 5
"""Characters of a header that are never wrapped."""

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Column:
    """A column of a plain table: its header, and one text per row."""

    header: str
    texts: tuple[str, ...]
    right: bool = True

    @classmethod
    def of(cls, header: str, values: Sequence[Any]) -> Column:
        """Return a column of any values: floats have four significant digits, and None is blank."""
        return cls(header, tuple(map(_to_text, values)), any(isinstance(value, int | float) for value in values))

    @cached_property
    def width(self) -> int:
        """The number of characters of the widest text."""
        return max(map(len, (self.header, *self.texts)))


def plain(columns: Sequence[Column]) -> str:
    """Return a table without rules: a line of headers, and one line per row."""
    texts = zip(*((column.header, *column.texts) for column in columns), strict=True)
    widths, right = [column.width for column in columns], [column.right for column in columns]
    return "\n".join(_join(line, widths, right) for line in texts)


def width_of(columns: Sequence[Column]) -> int:
    """Return the number of characters that columns take side by side."""
    return sum(column.width for column in columns) + len(GAP) * (len(columns) - 1)


def fit_columns(
    choices: Sequence[Choice], width: float, *, measure: Callable[[Sequence[Choice]], int], always: int = 1
) -> list[Choice]:
    """Return the choices that fit into `width` characters beside those before them.

    measure  returns the width of a table of some choices
    always   the first choices are kept however narrow the terminal
    """
    kept: list[Choice] = []
    for choice in choices:
        if len(kept) < always or measure([*kept, choice]) <= width:
            kept.append(choice)
    return kept


def format_table(table: Table, width: float = math.inf) -> list[str]:
    """Return the lines of a table: headers, a rule, the rows, and below another rule the baselines.

    width  in characters; the columns with the largest priority values are left out until the rest fits
    """
    by_priority = sorted(range(len(table.columns)), key=lambda at: table.columns[at].priority)
    always = sum(column.priority == ALWAYS for column in table.columns)

    def select(indices: Sequence[int]) -> list[str]:
        return _lay_out(table.select_columns(sorted(indices)))

    return select(fit_columns(by_priority, width, measure=lambda some: _longest(select(some)), always=always))


def table_width(table: Table) -> int:
    """Return the number of characters that a table takes with all its columns."""
    return _longest(_lay_out(table))


def _lay_out(table: Table) -> list[str]:
    """Return the lines of a table with all its columns; a name runs across the blank texts to its right."""
    specs = table.columns
    aligned = [_align(spec, [row.texts[at] for row in table.rows]) for at, spec in enumerate(specs)]
    blanks = [len(list(takewhile(lambda text: not text, row.texts[1:]))) for row in table.rows]
    if any(row.kind == "heading" for row in table.rows):
        aligned[0] = [text if row.kind == "heading" else INDENT + text for text, row in _zip(aligned[0], table.rows)]
    own = [[text for text, blank in _zip(aligned[0], blanks) if not blank], *aligned[1:]]
    widths = [max(map(len, texts), default=0) for texts in own]
    headers = [_wrap_header(spec, width) for spec, width in _zip(specs, widths)]
    widths = [max(width, *map(len, header)) for width, header in _zip(widths, headers)]
    for name, blank in _zip(aligned[0], blanks):
        widths[blank] += max(0, len(name) - _span(widths, blank))
    right = [_is_right(spec, texts) for spec, texts in _zip(specs, aligned)]
    height = max(map(len, headers))
    head = zip(*([""] * (height - len(header)) + header for header in headers), strict=True)
    lines = [_join(line, widths, right) for line in head]
    plain_rows: list[str] = []
    baselines: list[str] = []
    for texts, blank, row in zip(zip(*aligned, strict=True), blanks, table.rows, strict=True):
        name = texts[0].ljust(_span(widths, blank)) if blank else _justify(texts[0], widths[0], right[0])
        rest = [_justify(*each) for each in zip(texts, widths, right, strict=True)][blank + 1 :]
        (baselines if row.kind == "baseline" else plain_rows).append(GAP.join([name, *rest]).rstrip())
    rule = RULE * _longest([*lines, *plain_rows, *baselines])
    return [*lines, rule, *plain_rows, *([rule, *baselines] if baselines else [])]


def _align(spec: ColumnSpec, texts: list[str]) -> list[str]:
    """Return texts with their ± below one another, or without what follows it in a brief column."""
    parts = [text.partition(PLUS_MINUS) for text in texts]
    if spec.brief:
        return [mean for mean, *_ in parts]
    if not any(sign for _, sign, _ in parts):
        return texts
    longest = max(len(mean) for mean, *_ in parts)
    return [mean.rjust(longest) + sign + half if mean else "" for mean, sign, half in parts]


def _is_right(spec: ColumnSpec, texts: Sequence[str]) -> bool:
    return spec.kind == "number" and not any(PLUS_MINUS in text for text in texts)


def _wrap_header(spec: ColumnSpec, width: int) -> list[str]:
    """Return a header in as few lines as keep it no wider than its texts, all of much the same length."""
    group = [spec.group] if spec.group else []
    if "\n" in spec.header:
        return [*group, *spec.header.split("\n")]
    pieces: list[tuple[str, str]] = []  # each with the separator before it
    for word in spec.header.replace("≥ ", "≥\N{NO-BREAK SPACE}").split(" "):
        parts = re.findall(r"[^_.]+[_.]?|[_.]", word) or [""]
        pieces += [(" ", parts[0]), *(("", part) for part in parts[1:])]
    longest = max(NARROWEST, *(len(text) for _, text in pieces))
    room = max(width, longest)
    lines = _fill(pieces, room)
    while room > longest and len(tighter := _fill(pieces, room - 1)) == len(lines):
        room, lines = room - 1, tighter
    return [*group, *(line.replace("\N{NO-BREAK SPACE}", " ") for line in lines)]


def _fill(pieces: Sequence[tuple[str, str]], room: int) -> list[str]:
    """Return lines of at most `room` characters."""
    lines: list[str] = []
    for separator, text in pieces:
        if lines and len(lines[-1] + separator + text) <= room:
            lines[-1] += separator + text
        else:
            lines.append(text)
    return lines


def _span(widths: Sequence[int], blank: int) -> int:
    """Return the width of the first column together with the `blank` columns to its right."""
    return sum(widths[: blank + 1]) + blank * len(GAP)


def _join(texts: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    return GAP.join(_justify(*each) for each in zip(texts, widths, right, strict=True)).rstrip()


def _justify(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)


def _longest(lines: Sequence[str]) -> int:
    return max(map(len, lines), default=0)


def _zip(*columns: Sequence[Any]) -> list[tuple[Any, ...]]:
    return list(zip(*columns, strict=True))


def _to_text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
