"""Tables of the report, and the parts that they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["name", "words", "number", "verdict", "source"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, and what it is, which decides how it is set."""

    text: str
    kind: Kind = "number"
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """A header over `columns` columns."""

    text: str
    columns: int = 1
    kind: Kind = "number"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under one or two lines of headers; `lower` rows stand below a rule."""

    caption: str
    heads: tuple[tuple[Head, ...], ...]
    rows: tuple[tuple[Cell, ...], ...]
    lower: tuple[tuple[Cell, ...], ...] = ()
    note: str = ""


Numbered = tuple[str, str, Table]
"""A table with the topic and the dataset (empty for all of them) under which it stands."""


def name(text: str) -> Cell:
    """What a row is about."""
    return Cell(text, "name")


def words(text: str) -> Cell:
    """A text that is no number."""
    return Cell(text, "words")


def heads(first: Sequence[str], numbers: Sequence[str]) -> tuple[Head, ...]:
    """A line of headers: over words, then over numbers."""
    kept = [text.replace("≥ ", "≥\N{NO-BREAK SPACE}") for text in numbers]
    return (*(Head(text, kind="words") for text in first), *map(Head, kept))
