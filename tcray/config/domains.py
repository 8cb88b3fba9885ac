"""Domains of tuned hyperparameters, as the sweep file writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Uniform:
    """Numbers from `low` to `high`, uniformly distributed."""

    keyword: ClassVar[str] = "uniform"
    low: float
    high: float

    def to_document(self) -> dict[str, list[Any]]:
        """Return the domain as in the file: `{uniform: [low, high]}`."""
        return {self.keyword: [self.low, self.high]}


@dataclass(frozen=True, slots=True)
class LogUniform:
    """Numbers from `low` (above 0) to `high`, uniformly distributed on a log scale."""

    keyword: ClassVar[str] = "log_uniform"
    low: float
    high: float

    def to_document(self) -> dict[str, list[Any]]:
        """Return the domain as in the file: `{log_uniform: [low, high]}`."""
        return {self.keyword: [self.low, self.high]}


@dataclass(frozen=True, slots=True)
class Int:
    """Whole numbers from `low` to `high`, both included, uniformly distributed."""

    keyword: ClassVar[str] = "int"
    low: int
    high: int

    def to_document(self) -> dict[str, list[Any]]:
        """Return the domain as in the file: `{int: [low, high]}`."""
        return {self.keyword: [self.low, self.high]}


@dataclass(frozen=True, slots=True)
class LogInt:
    """Whole numbers from `low` (at least 1) to `high`, both included, uniformly distributed on a log scale."""

    keyword: ClassVar[str] = "log_int"
    low: int
    high: int

    def to_document(self) -> dict[str, list[Any]]:
        """Return the domain as in the file: `{log_int: [low, high]}`."""
        return {self.keyword: [self.low, self.high]}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `options`, in file order and without any notion of distance between them."""

    keyword: ClassVar[str] = "choice"
    options: tuple[Any, ...]

    def to_document(self) -> dict[str, list[Any]]:
        """Return the domain as in the file: `{choice: [option, …]}`."""
        return {self.keyword: list(self.options)}


Domain = Uniform | LogUniform | Int | LogInt | Choice

INTERVALS: Mapping[str, type[Uniform | LogUniform | Int | LogInt]] = {
    interval.keyword: interval for interval in (Uniform, LogUniform, Int, LogInt)
}
"""The domains written `[low, high]`, by their keyword in the file."""

DESCRIPTIONS: Mapping[str, str] = {
    "uniform": "[low, high]: numbers, uniformly distributed.",
    "log_uniform": "[low, high] with low above 0: numbers, uniformly distributed on a log scale.",
    "int": "[low, high], both included: whole numbers, uniformly distributed.",
    "log_int": "[low, high], both included, low at least 1: whole numbers, uniformly distributed on a log scale.",
    "choice": "[option, …]: one of the options, without an order.",
}
"""A sentence on every domain for the JSON Schema, by keyword."""


def from_document(document: Mapping[str, list[Any]]) -> Domain:
    """Return the domain of a document; the inverse of every domain's `to_document`."""
    ((keyword, values),) = document.items()
    return Choice(tuple(values)) if keyword == Choice.keyword else INTERVALS[keyword](*values)
