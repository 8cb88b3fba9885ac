"""Sections of the sweep file: mappings of known keys, and the three roles of a hyperparameter.

A hyperparameter has one role, which is a section of the file: a factor, tuned, or fixed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import MISSING, dataclass
from typing import Any, Final, get_type_hints

from tcray.config.domains import DESCRIPTIONS, INTERVALS, Choice, Domain, LogInt, LogUniform
from tcray.config.fields import FieldType, ListOf, WordOr
from tcray.config.hyperparameters import (
    HYPERPARAMETERS,
    MODALITY_DROPOUT_PATTERN,
    Hyperparameter,
    describe_unknown,
    find_hyperparameter,
    modality_dropout,
)
from tcray.config.messages import find_nearest, format_value, join_words, suggest_names
from tcray.config.nodes import Node
from tcray.errors import Problem

REQUIRED: Final = object()
"""Default of a key that must be given."""

SUBSETS = "subsets"
"""As the levels of `modalities`: every non-empty subset of a dataset's modalities."""


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a section: the type of its value, its description, and its default."""

    type: FieldType
    description: str
    default: Any = REQUIRED

    def json_schema(self) -> dict[str, Any]:
        """Return the schema of the value with its description and, if it has one in JSON, its default."""
        schema = {**self.type.json_schema(), "description": self.description}
        if self.default is REQUIRED or self.default is None:
            return schema
        return {**schema, "default": list(self.default) if isinstance(self.default, tuple) else self.default}


def collect_fields(section: type) -> dict[str, Field]:
    """Return the keys of a dataclass whose fields are `Annotated[python type, field type, description]`."""
    hints = get_type_hints(section, include_extras=True)
    keys: dict[str, Field] = {}
    for field in dataclasses.fields(section):
        type_, description = hints[field.name].__metadata__
        keys[field.name] = Field(type_, description, REQUIRED if field.default is MISSING else field.default)
    return keys


@dataclass(frozen=True)
class Section(FieldType):
    """A mapping with the keys of `fields`; a key without a value counts as not given."""

    fields: Mapping[str, Field]
    example: str

    def read(self, node: Node, problems: list[Problem]) -> dict[str, Any] | None:
        """Return the values by key, defaults included; a value that does not fit is left out."""
        if not isinstance(node.value, dict):
            problems.append(node.problem(f"expected keys, as in {self.example}, found {format_value(node.value)}"))
            return None
        for key, entry in node.value.items():
            if key not in self.fields:
                problems.append(entry.key_problem(f"no such key; {suggest_names(key, self.fields)}"))
        meant = {find_nearest(key, self.fields) for key in node.value if key not in self.fields}
        values: dict[str, Any] = {}
        for key, field in self.fields.items():
            child = node.at(key)
            if child:
                value = field.type.read(child, problems)
                if value is not None:
                    values[key] = value
            elif field.default is not REQUIRED:
                values[key] = copy(field.default)
            elif key not in meant:
                place = node.value.get(key, node).key_place
                problems.append(place.problem(node.below(key), "required, and missing"))
        return values

    def json_schema(self) -> dict[str, Any]:
        """Return an object with these properties and no others."""
        return {
            "type": "object",
            "properties": {key: field.json_schema() for key, field in self.fields.items()},
            "required": [key for key, field in self.fields.items() if field.default is REQUIRED],
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class RoleSection(FieldType):
    """A section of hyperparameters by name.

    value_type     returns the type of a hyperparameter's value in this role; None if it cannot have the role
    has_defaults   True if the values are those of the hyperparameters themselves, and so are their defaults
    """

    value_type: Callable[[Hyperparameter], FieldType | None]
    has_defaults: bool = False

    def read(self, node: Node, problems: list[Problem]) -> dict[str, Any] | None:
        """Return the values by hyperparameter in file order; a value that does not fit is left out."""
        if not isinstance(node.value, dict):
            problems.append(node.problem(f"expected hyperparameters by name, found {format_value(node.value)}"))
            return None
        values: dict[str, Any] = {}
        for name, child in node.value.items():
            hyperparameter = find_hyperparameter(name)
            if hyperparameter is None:
                problems.append(child.key_problem(describe_unknown(name)))
            elif (type_ := self.value_type(hyperparameter)) is None:
                problems.append(child.key_problem(f"{name} cannot be tuned; it may be a factor or fixed"))
            elif (value := type_.read(child, problems)) is not None:
                values[name] = value
        return values

    def json_schema(self) -> dict[str, Any]:
        """Return an object with a property for each hyperparameter that can have the role."""
        schemas = {name: self._property(hyperparameter) for name, hyperparameter in HYPERPARAMETERS.items()}
        return {
            "type": "object",
            "properties": {name: schema for name, schema in schemas.items() if schema is not None},
            "patternProperties": {f"^{MODALITY_DROPOUT_PATTERN}$": self._property(modality_dropout("<modality>"))},
            "additionalProperties": False,
        }

    def _property(self, hyperparameter: Hyperparameter) -> dict[str, Any] | None:
        type_, default = self.value_type(hyperparameter), hyperparameter.default
        if type_ is None:
            return None
        described = hyperparameter.description + ("" if default is None else f" Default: {default}.")
        schema = {**type_.json_schema(), "description": described}
        return {**schema, "default": default} if self.has_defaults and default is not None else schema


@dataclass(frozen=True, slots=True)
class Levels(FieldType):
    """The levels of a factor: a list of distinct values of the hyperparameter."""

    type: FieldType

    def read(self, node: Node, problems: list[Problem]) -> tuple[Any, ...] | None:
        """Return the levels in file order."""
        if isinstance(node.value, list):
            return ListOf(self.type, "level").read(node, problems)
        hint = _suggest_role(node)
        problems.append(node.problem(f"expected a list of levels, found {format_value(node.value)}{hint}"))
        return None

    def json_schema(self) -> dict[str, Any]:
        """Return an array of the hyperparameter's values."""
        return ListOf(self.type, "level").json_schema()


@dataclass(frozen=True, slots=True)
class TunedDomain(FieldType):
    """The domain that a hyperparameter is tuned over, within the range of the hyperparameter itself."""

    hyperparameter: Hyperparameter

    def read(self, node: Node, problems: list[Problem]) -> Domain | None:
        """Return the domain."""
        keywords = self.hyperparameter.domains
        if not isinstance(node.value, dict) or len(node.value) != 1:
            found = f"{len(node.value)} keys" if isinstance(node.value, dict) else format_value(node.value)
            example = f"{keywords[0]}: [{'…' if keywords[0] == Choice.keyword else 'low, high'}]"
            hint = _suggest_role(node)
            problems.append(node.problem(f"expected a domain such as {{{example}}}, found {found}{hint}"))
            return None
        ((keyword, values),) = node.value.items()
        if keyword == Choice.keyword:
            options = ListOf(self.hyperparameter.type, "option").read(values, problems)
            return None if options is None else Choice(options)
        if keyword in keywords:
            return self._read_interval(keyword, values, problems)
        if keyword in (*INTERVALS, Choice.keyword):
            message = f"{self.hyperparameter.name} is tuned over {join_words(keywords)}"
        else:
            message = f"no such domain; {suggest_names(keyword, keywords)}"
        problems.append(values.key_problem(message))
        return None

    def _read_interval(self, keyword: str, node: Node, problems: list[Problem]) -> Domain | None:
        if not isinstance(node.value, list) or len(node.value) != 2:
            found = f"a list of {len(node.value)}" if isinstance(node.value, list) else format_value(node.value)
            problems.append(node.problem(f"expected [low, high], found {found}"))
            return None
        low, high = (self.hyperparameter.type.read(bound, problems) for bound in node.value)
        if low is None or high is None:
            return None
        if keyword in (LogUniform.keyword, LogInt.keyword) and low <= 0:
            message = f"expected a low above 0 on a log scale, found {format_value(low)}"
            problems.append(node.value[0].problem(message))
        elif low >= high:
            message = f"expected low below high, found {format_value(low)} and {format_value(high)}"
            problems.append(node.problem(message))
        else:
            return INTERVALS[keyword](low, high)
        return None

    def json_schema(self) -> dict[str, Any]:
        """Return an object with the domain's keyword as its only key."""
        value = self.hyperparameter.type
        interval = {"type": "array", "items": value.json_schema(), "minItems": 2, "maxItems": 2}
        options = ListOf(value, "option").json_schema()
        return {
            "type": "object",
            "properties": {
                keyword: {
                    **(options if keyword == Choice.keyword else interval),
                    "description": DESCRIPTIONS[keyword],
                }
                for keyword in self.hyperparameter.domains
            },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }


def _suggest_role(node: Node) -> str:
    """Return a hint at the section for a value of this form; empty if there is none."""
    match node.value:
        case list():
            return "; a list of levels belongs under factors"
        case dict() if len(node.value) == 1 and (node.value.keys() & {*INTERVALS, Choice.keyword}):
            return "; a domain belongs under tune"
        case str() | int() | float():
            return "; a single value belongs under fixed"
        case _:
            return ""


def _factor_levels(hyperparameter: Hyperparameter) -> FieldType:
    levels = Levels(hyperparameter.type)
    return WordOr(SUBSETS, levels, "a list of levels") if hyperparameter.name == "modalities" else levels


FACTORS = RoleSection(_factor_levels)
TUNE = RoleSection(lambda hyperparameter: TunedDomain(hyperparameter) if hyperparameter.domains else None)
FIXED = RoleSection(lambda hyperparameter: hyperparameter.type, has_defaults=True)
