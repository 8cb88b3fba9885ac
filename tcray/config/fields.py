"""What one value may be. A kind reads a node, says what does not fit, and describes itself in JSON Schema."""

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


class Kind(ABC):
    """What a value may be."""

    @abstractmethod
    def read(self, node: Node, problems: list[Problem]) -> Any:
        """The value that `node` stands for; None, with the reason appended to `problems`, if it does not fit."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """The values that fit, as JSON Schema says it."""


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch of numbers; a bound that is None is not there."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def __contains__(self, number: float) -> bool:
        """Whether `number` lies within the bounds."""
        return (
            (self.at_least is None or number >= self.at_least)
            and (self.above is None or number > self.above)
            and (self.at_most is None or number <= self.at_most)
            and (self.below is None or number < self.below)
        )

    def __str__(self) -> str:
        """As in `at least 0 and below 1`."""
        bounds = (("at least", self.at_least), ("above", self.above), ("at most", self.at_most), ("below", self.below))
        return join_words((f"{word} {bound:g}" for word, bound in bounds if bound is not None), "and")

    def schema(self) -> dict[str, float]:
        """The bounds, as JSON Schema names them."""
        names = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
        bounds = (self.at_least, self.above, self.at_most, self.below)
        return {name: bound for name, bound in zip(names, bounds, strict=True) if bound is not None}


@dataclass(frozen=True, slots=True)
class Whole(Kind):
    """A whole number of at least `at_least`."""

    at_least: int

    def read(self, node: Node, problems: list[Problem]) -> int | None:
        """The whole number."""
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int):
            problems.append(node.problem(f"expected a whole number, found {format_value(value)}"))
        elif value < self.at_least:
            problems.append(node.problem(f"expected at least {self.at_least}, found {value}"))
        else:
            return value
        return None

    def schema(self) -> dict[str, Any]:
        """An integer with a minimum."""
        return {"type": "integer", "minimum": self.at_least}


@dataclass(frozen=True, slots=True)
class Number(Kind):
    """A finite number within `range`, read as a float so that 1 and 1.0 are one value."""

    range: Range

    def read(self, node: Node, problems: list[Problem]) -> float | None:
        """The number as a float."""
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            problems.append(node.problem(f"expected a number, found {format_value(value)}"))
        elif not math.isfinite(value):
            problems.append(node.problem(f"expected a finite number, found {format_value(value)}"))
        elif value not in self.range:
            problems.append(node.problem(f"expected {self.range}, found {format_value(value)}"))
        else:
            return float(value) + 0.0  # the sum turns -0.0 into 0.0, or the two would have two digests
        return None

    def schema(self) -> dict[str, Any]:
        """A number with its bounds."""
        return {"type": "number", **self.range.schema()}


@dataclass(frozen=True, slots=True)
class OneOf(Kind):
    """One of a few words."""

    options: tuple[str, ...]

    _FEW = 4

    def read(self, node: Node, problems: list[Problem]) -> str | None:
        """The word."""
        if node.value in self.options and isinstance(node.value, str):
            return node.value
        near = find_nearest(node.value, self.options) if isinstance(node.value, str) else ""
        if near and len(self.options) > self._FEW:
            problems.append(node.problem(f'there is no {format_value(node.value)}; did you mean "{near}"?'))
        else:
            problems.append(node.problem(f"expected {join_words(self.options)}, found {format_value(node.value)}"))
        return None

    def schema(self) -> dict[str, Any]:
        """The words as an enumeration."""
        return {"enum": list(self.options)}


@dataclass(frozen=True, slots=True)
class Name(Kind):
    """A name that can stand in ids and paths: a letter, then letters, digits, `_` and `-`."""

    pattern: str = "[A-Za-z][A-Za-z0-9_-]{0,63}"

    def read(self, node: Node, problems: list[Problem]) -> str | None:
        """The name."""
        if isinstance(node.value, str) and re.fullmatch(self.pattern, node.value):
            return node.value
        expected = "a name (a letter, then letters, digits, _ and -, 64 at most)"
        problems.append(node.problem(f"expected {expected}, found {format_value(node.value)}"))
        return None

    def schema(self) -> dict[str, Any]:
        """A string that matches the pattern."""
        return {"type": "string", "pattern": f"^{self.pattern}$"}


@dataclass(frozen=True, slots=True)
class Text(Kind):
    """Any text that says something."""

    def read(self, node: Node, problems: list[Problem]) -> str | None:
        """The text, without space around it."""
        if isinstance(node.value, str) and node.value.strip():
            return node.value.strip()
        problems.append(node.problem(f"expected a text, found {format_value(node.value)}"))
        return None

    def schema(self) -> dict[str, Any]:
        """A string that is not empty."""
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class WordOr(Kind):
    """One special word, or a value of another kind, which is not a text and is called `otherwise`."""

    word: str
    kind: Kind
    otherwise: str

    def read(self, node: Node, problems: list[Problem]) -> Any:
        """The word, or what the other kind reads."""
        if node.value == self.word:
            return self.word
        if isinstance(node.value, str):
            problems.append(node.problem(f"expected {self.word} or {self.otherwise}, found {format_value(node.value)}"))
            return None
        return self.kind.read(node, problems)

    def schema(self) -> dict[str, Any]:
        """Either of the two."""
        return {"anyOf": [{"const": self.word}, self.kind.schema()]}


@dataclass(frozen=True, slots=True)
class ListOf(Kind):
    """A list of values of one kind, each once."""

    kind: Kind
    noun: str
    least: int = 1

    def read(self, node: Node, problems: list[Problem]) -> tuple[Any, ...] | None:
        """The values in file order."""
        if not isinstance(node.value, list):
            problems.append(node.problem(f"expected a list of {self.noun}s, found {format_value(node.value)}"))
            return None
        before = len(problems)
        if len(node.value) < self.least:
            problems.append(node.problem(f"expected at least one {self.noun}, found an empty list"))
        values = [(item, self.kind.read(item, problems)) for item in node.value]
        problems.extend(_repeats(values))
        return tuple(value for _, value in values) if len(problems) == before else None

    def schema(self) -> dict[str, Any]:
        """An array without repeats."""
        return {"type": "array", "items": self.kind.schema(), "minItems": self.least, "uniqueItems": True}


def _repeats(values: Iterable[tuple[Node, Any]]) -> Iterable[Problem]:
    """A problem at each value that was given further up already; the order within a list of names makes no new one."""
    seen = set()
    for node, value in values:
        identity = frozenset(value) if isinstance(value, tuple) else value
        if identity is not None and identity in seen:
            again = f"[{', '.join(value)}]" if isinstance(value, tuple) else format_value(value)
            yield node.problem(f"{again} is given twice")
        seen.add(identity)
