"""The three roles of a hyperparameter, each a section of the file: a factor, tuned, or fixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tcray.config.domains import INTERVALS, Choice, Domain, LogInt, LogUniform
from tcray.config.fields import Kind, ListOf, WordOr
from tcray.config.hyperparameters import (
    HYPERPARAMETERS,
    MODALITY_DROPOUT_PATTERN,
    Hyperparameter,
    describe_unknown,
    find_hyperparameter,
    modality_dropout,
)
from tcray.config.messages import format_value, join_words, suggest_names
from tcray.config.nodes import Node
from tcray.errors import Problem

SUBSETS = "subsets"
"""Stands in the place of `modalities`' levels for every non-empty subset of what a dataset has."""


@dataclass(frozen=True, slots=True)
class Role(Kind):
    """Hyperparameters by name, each with what its role asks of it; None where it cannot have the role."""

    asks: Callable[[Hyperparameter], Kind | None]

    def read(self, node: Node, problems: list[Problem]) -> dict[str, Any] | None:
        """The values by hyperparameter in file order; a value that does not fit is left out."""
        if not isinstance(node.value, dict):
            problems.append(node.problem(f"expected hyperparameters by name, found {format_value(node.value)}"))
            return None
        values: dict[str, Any] = {}
        for name, child in node.value.items():
            hyperparameter = find_hyperparameter(name)
            if hyperparameter is None:
                problems.append(child.key_problem(describe_unknown(name)))
            elif (kind := self.asks(hyperparameter)) is None:
                problems.append(child.key_problem(f"{name} cannot be tuned; it may be a factor or fixed"))
            elif (value := kind.read(child, problems)) is not None:
                values[name] = value
        return values

    def schema(self) -> dict[str, Any]:
        """An object with a property for each hyperparameter that can have the role."""
        family = modality_dropout("<modality>")
        return {
            "type": "object",
            "properties": {name: s for name, h in HYPERPARAMETERS.items() if (s := self._schema(h)) is not None},
            "patternProperties": {f"^{MODALITY_DROPOUT_PATTERN}$": self._schema(family)},
            "additionalProperties": False,
        }

    def _schema(self, hyperparameter: Hyperparameter) -> dict[str, Any] | None:
        kind, default = self.asks(hyperparameter), hyperparameter.default
        description = hyperparameter.meaning + ("" if default is None else f" (unless given, {default})")
        return {**kind.schema(), "description": description} if kind else None


@dataclass(frozen=True, slots=True)
class Levels(Kind):
    """The levels of a factor: a list of the hyperparameter's values, each once."""

    kind: Kind

    def read(self, node: Node, problems: list[Problem]) -> tuple[Any, ...] | None:
        """The levels in file order."""
        if isinstance(node.value, list):
            return ListOf(self.kind, "level").read(node, problems)
        where = _where(node)
        problems.append(node.problem(f"expected a list of levels, found {format_value(node.value)}{where}"))
        return None

    def schema(self) -> dict[str, Any]:
        """An array of the hyperparameter's values."""
        return ListOf(self.kind, "level").schema()


@dataclass(frozen=True, slots=True)
class DomainOf(Kind):
    """A domain that a hyperparameter may be drawn from, all of it within the hyperparameter's own range."""

    hyperparameter: Hyperparameter

    def read(self, node: Node, problems: list[Problem]) -> Domain | None:
        """The domain."""
        words = self.hyperparameter.domains
        if not isinstance(node.value, dict) or len(node.value) != 1:
            what = f"{len(node.value)} keys" if isinstance(node.value, dict) else format_value(node.value)
            example = f"{words[0]}: [{'…' if words[0] == Choice.word else 'low, high'}]"
            problems.append(node.problem(f"expected a domain such as {{{example}}}, found {what}{_where(node)}"))
            return None
        ((word, values),) = node.value.items()
        if word == Choice.word:
            options = ListOf(self.hyperparameter.kind, "option").read(values, problems)
            return None if options is None else Choice(options)
        if word in words:
            return self._interval(word, values, problems)
        known = (*INTERVALS, Choice.word)
        holds = f"{self.hyperparameter.name} is tuned over {join_words(words)}"
        problems.append(values.key_problem(holds if word in known else f"no such domain; {suggest_names(word, words)}"))
        return None

    def _interval(self, word: str, node: Node, problems: list[Problem]) -> Domain | None:
        if not isinstance(node.value, list) or len(node.value) != 2:
            what = f"a list of {len(node.value)}" if isinstance(node.value, list) else format_value(node.value)
            problems.append(node.problem(f"expected [low, high], found {what}"))
            return None
        low, high = (self.hyperparameter.kind.read(bound, problems) for bound in node.value)
        if low is None or high is None:
            return None
        if word in (LogUniform.word, LogInt.word) and low <= 0:
            problems.append(node.value[0].problem(f"expected a low above 0 on a log scale, found {format_value(low)}"))
        elif low >= high:
            problems.append(
                node.problem(f"expected low below high, found {format_value(low)} and {format_value(high)}")
            )
        else:
            return INTERVALS[word](low, high)
        return None

    def schema(self) -> dict[str, Any]:
        """An object with the domain's word as its only key."""
        one = self.hyperparameter.kind
        pair = {"type": "array", "items": one.schema(), "minItems": 2, "maxItems": 2}
        values = {
            word: ListOf(one, "option").schema() if word == Choice.word else pair
            for word in self.hyperparameter.domains
        }
        return {
            "type": "object",
            "properties": values,
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }


def _where(node: Node) -> str:
    """Where a value belongs that is not what its role asks for."""
    match node.value:
        case list():
            return "; a list of levels belongs under factors"
        case dict() if len(node.value) == 1 and (node.value.keys() & {*INTERVALS, Choice.word}):
            return "; a domain belongs under tune"
        case str() | int() | float():
            return "; a single value belongs under fixed"
        case _:
            return ""


def _levels(hyperparameter: Hyperparameter) -> Kind:
    levels = Levels(hyperparameter.kind)
    return WordOr(SUBSETS, levels, "a list of levels") if hyperparameter.name == "modalities" else levels


FACTORS = Role(_levels)
TUNE = Role(lambda hyperparameter: DomainOf(hyperparameter) if hyperparameter.domains else None)
FIXED = Role(lambda hyperparameter: hyperparameter.kind)
