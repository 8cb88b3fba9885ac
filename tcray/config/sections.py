"""A section of the sweep file: keys of known names, each of its own kind, drawn from the fields of a dataclass."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from copy import copy
from dataclasses import MISSING, dataclass
from typing import Any, Final, get_type_hints

from tcray.config.fields import Kind
from tcray.config.messages import find_nearest, format_value, suggest_names
from tcray.config.nodes import Node
from tcray.errors import Problem

REQUIRED: Final = object()
"""In the place of a default: the key must be given."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a section: what its value may be, what it means, and what holds where it is not given."""

    kind: Kind
    meaning: str
    default: Any = REQUIRED

    def schema(self) -> dict[str, Any]:
        """The value's schema with its description and, where it is a single value, its default."""
        plain = isinstance(self.default, str | int | float) and self.default != ""
        return {**self.kind.schema(), "description": self.meaning, **({"default": self.default} if plain else {})}


def collect_fields(section: type) -> dict[str, Field]:
    """The keys of a dataclass whose fields are `Annotated[type, kind, meaning]`."""
    hints = get_type_hints(section, include_extras=True)
    keys: dict[str, Field] = {}
    for field in dataclasses.fields(section):
        kind, meaning = hints[field.name].__metadata__
        keys[field.name] = Field(kind, meaning, REQUIRED if field.default is MISSING else field.default)
    return keys


@dataclass(frozen=True)
class Section(Kind):
    """A mapping with the keys of `fields`; a key with nothing after it counts as not given."""

    fields: Mapping[str, Field]
    example: str

    def read(self, node: Node, problems: list[Problem]) -> dict[str, Any] | None:
        """The values by key, defaults included; a value that does not fit is left out."""
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
                value = field.kind.read(child, problems)
                if value is not None:
                    values[key] = value
            elif field.default is not REQUIRED:
                values[key] = copy(field.default)
            elif key not in meant:
                place = node.value.get(key, node).key_place
                problems.append(place.problem(node.below(key), "required, and missing"))
        return values

    def schema(self) -> dict[str, Any]:
        """An object with these properties and no others."""
        return {
            "type": "object",
            "properties": {key: field.schema() for key, field in self.fields.items()},
            "required": [key for key, field in self.fields.items() if field.default is REQUIRED],
            "additionalProperties": False,
        }
