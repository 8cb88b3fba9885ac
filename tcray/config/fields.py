"""Types of single values: each reads a node, reports what does not fit, and describes itself as JSON Schema."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tcray.config.messages import find_nearest, format_value, join_words
from tcray.config.nodes import Node
from tcray.errors import Problem


class FieldType(ABC):
    """Type of a value in the sweep file."""

    @abstractmethod
    def read(self, node: Node, problems: list[Problem]) -> Any:
        """Return the value of `node`; None, with the reason appended to `problems`, if it does not fit."""

    @abstractmethod
    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the values that fit."""


@dataclass(frozen=True, slots=True)
class Range:
    """A range of numbers; a bound of None is absent."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def __contains__(self, number: float) -> bool:
        """Return True if `number` lies within the bounds."""
        return (
            (self.at_least is None or number >= self.at_least)
            and (self.above is None or number > self.above)
            and (self.at_most is None or number <= self.at_most)
            and (self.below is None or number < self.below)
        )

    def __str__(self) -> str:
        """Return the bounds in words, as in `at least 0 and below 1`."""
        bounds = (("at least", self.at_least), ("above", self.above), ("at most", self.at_most), ("below", self.below))
        return join_words((f"{word} {bound:g}" for word, bound in bounds if bound is not None), "and")

    def json_schema(self) -> dict[str, float]:
        """Return the bounds under their names in JSON Schema."""
        names = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
        bounds = (self.at_least, self.above, self.at_most, self.below)
        return {name: bound for name, bound in zip(names, bounds, strict=True) if bound is not None}


@dataclass(frozen=True, slots=True)
class Integer(FieldType):
    """A whole number of at least `at_least`."""

    at_least: int

    def read(self, node: Node, problems: list[Problem]) -> int | None:
        """Return the whole number."""
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int):
            problems.append(node.problem(f"expected a whole number, found {format_value(value)}"))
        elif value < self.at_least:
            problems.append(node.problem(f"expected at least {self.at_least}, found {value}"))
        else:
            return value
        return None

    def json_schema(self) -> dict[str, Any]:
        """Return an integer with a minimum."""
        return {"type": "integer", "minimum": self.at_least}


@dataclass(frozen=True, slots=True)
class Number(FieldType):
    """A finite number within `range`, read as a float so that 1 and 1.0 are the same value."""

    range: Range

    def read(self, node: Node, problems: list[Problem]) -> float | None:
        """Return the number as a float."""
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            problems.append(node.problem(f"expected a number, found {format_value(value)}"))
        elif not math.isfinite(value):
            problems.append(node.problem(f"expected a finite number, found {format_value(value)}"))
        elif value not in self.range:
            problems.append(node.problem(f"expected {self.range}, found {format_value(value)}"))
        else:
            return float(value) + 0.0  # the sum turns -0.0 into 0.0; otherwise the two would have different digests
        return None

    def json_schema(self) -> dict[str, Any]:
        """Return a number with its bounds."""
        return {"type": "number", **self.range.json_schema()}


@dataclass(frozen=True, slots=True)
class OneOf(FieldType):
    """One of several words."""

    options: tuple[str, ...]

    _FEW = 4

    def read(self, node: Node, problems: list[Problem]) -> str | None:
        """Return the word."""
        if node.value in self.options and isinstance(node.value, str):
            return node.value
        near = find_nearest(node.value, self.options) if isinstance(node.value, str) else ""
        if near and len(self.options) > self._FEW:
            problems.append(node.problem(f'there is no {format_value(node.value)}; did you mean "{near}"?'))
        else:
            problems.append(node.problem(f"expected {join_words(self.options)}, found {format_value(node.value)}"))
        return None

    def json_schema(self) -> dict[str, Any]:
        """Return the words as an enumeration."""
        return {"enum": list(self.options)}


@dataclass(frozen=True, slots=True)
class Name(FieldType):
    """A name that is safe in ids and paths: a letter, then letters, digits, `_` and `-`."""

    pattern: str = "[A-Za-z][A-Za-z0-9_-]{0,63}"

    def read(self, node: Node, problems: list[Problem]) -> str | None:
        """Return the name."""
        if isinstance(node.value, str) and re.fullmatch(self.pattern, node.value):
            return node.value
        expected = "a name (a letter, then letters, digits, _ and -, 64 at most)"
        problems.append(node.problem(f"expected {expected}, found {format_value(node.value)}"))
        return None

    def json_schema(self) -> dict[str, Any]:
        """Return a string that matches the pattern."""
        return {"type": "string", "pattern": f"^{self.pattern}$"}


@dataclass(frozen=True, slots=True)
class Text(FieldType):
    """A text that is not blank."""

    def read(self, node: Node, problems: list[Problem]) -> str | None:
        """Return the text without surrounding white space."""
        if isinstance(node.value, str) and node.value.strip():
            return node.value.strip()
        problems.append(node.problem(f"expected a text, found {format_value(node.value)}"))
        return None

    def json_schema(self) -> dict[str, Any]:
        """Return a string that is not empty."""
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class WordOr(FieldType):
    """One special word, or a value of another type, which is not a text and which messages call `noun`."""

    word: str
    type: FieldType
    noun: str

    def read(self, node: Node, problems: list[Problem]) -> Any:
        """Return the word, or the value that the other type reads."""
        if node.value == self.word:
            return self.word
        if isinstance(node.value, str):
            problems.append(node.problem(f"expected {self.word} or {self.noun}, found {format_value(node.value)}"))
            return None
        return self.type.read(node, problems)

    def json_schema(self) -> dict[str, Any]:
        """Return the alternative of the two."""
        return {"anyOf": [{"const": self.word}, self.type.json_schema()]}


@dataclass(frozen=True, slots=True)
class ListOf(FieldType):
    """A list of distinct values of one type; messages call each value `noun`."""

    type: FieldType
    noun: str
    min_length: int = 1

    def read(self, node: Node, problems: list[Problem]) -> tuple[Any, ...] | None:
        """Return the values in file order."""
        if not isinstance(node.value, list):
            problems.append(node.problem(f"expected a list of {self.noun}s, found {format_value(node.value)}"))
            return None
        before = len(problems)
        if len(node.value) < self.min_length:
            problems.append(node.problem(f"expected at least one {self.noun}, found an empty list"))
        values = [(item, self.type.read(item, problems)) for item in node.value]
        problems.extend(_find_duplicates(values))
        return tuple(value for _, value in values) if len(problems) == before else None

    def json_schema(self) -> dict[str, Any]:
        """Return an array of unique items."""
        return {
            "type": "array",
            "items": self.type.json_schema(),
            "minItems": self.min_length,
            "uniqueItems": True,
        }


def _find_duplicates(values: Iterable[tuple[Node, Any]]) -> Iterable[Problem]:
    """Yield a problem for each repeated value; lists of names are equal if they differ only in order."""
    seen = set()
    for node, value in values:
        identity = frozenset(value) if isinstance(value, tuple) else value
        if identity is not None and identity in seen:
            repeated = f"[{', '.join(value)}]" if isinstance(value, tuple) else format_value(value)
            yield node.problem(f"{repeated} is given twice")
        seen.add(identity)
