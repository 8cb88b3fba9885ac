"""The domains a tuned hyperparameter is drawn from, each as the sweep file writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Uniform:
    """Numbers from `low` to `high`, evenly."""

    word: ClassVar[str] = "uniform"
    low: float
    high: float

    def to_document(self) -> dict[str, list[Any]]:
        """As in the file: `{uniform: [low, high]}`."""
        return {self.word: [self.low, self.high]}


@dataclass(frozen=True, slots=True)
class LogUniform:
    """Numbers from `low` (above 0) to `high`, even in their logarithm."""

    word: ClassVar[str] = "log_uniform"
    low: float
    high: float

    def to_document(self) -> dict[str, list[Any]]:
        """As in the file: `{log_uniform: [low, high]}`."""
        return {self.word: [self.low, self.high]}


@dataclass(frozen=True, slots=True)
class Int:
    """Whole numbers from `low` to `high`, both included, evenly."""

    word: ClassVar[str] = "int"
    low: int
    high: int

    def to_document(self) -> dict[str, list[Any]]:
        """As in the file: `{int: [low, high]}`."""
        return {self.word: [self.low, self.high]}


@dataclass(frozen=True, slots=True)
class LogInt:
    """Whole numbers from `low` (at least 1) to `high`, both included, even in their logarithm."""

    word: ClassVar[str] = "log_int"
    low: int
    high: int

    def to_document(self) -> dict[str, list[Any]]:
        """As in the file: `{log_int: [low, high]}`."""
        return {self.word: [self.low, self.high]}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `options`, in file order, none nearer to one than to another."""

    word: ClassVar[str] = "choice"
    options: tuple[Any, ...]

    def to_document(self) -> dict[str, list[Any]]:
        """As in the file: `{choice: [option, …]}`."""
        return {self.word: list(self.options)}


Domain = Uniform | LogUniform | Int | LogInt | Choice

INTERVALS: Mapping[str, type[Uniform | LogUniform | Int | LogInt]] = {
    interval.word: interval for interval in (Uniform, LogUniform, Int, LogInt)
}
"""The domains written `[low, high]`, by the file's word for them."""


def from_document(document: Mapping[str, list[Any]]) -> Domain:
    """The inverse of every domain's `document`."""
    ((word, values),) = document.items()
    return Choice(tuple(values)) if word == Choice.word else INTERVALS[word](*values)
