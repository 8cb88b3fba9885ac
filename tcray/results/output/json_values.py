"""Types of JSON values: each with a function that writes it, and the JSON Schema of what that function writes."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np


@dataclass(frozen=True)
class JsonType:
    """A type of JSON value: a function that writes a value, and the schema of what it writes."""

    write: Callable[[Any], Any]
    schema: Mapping[str, Any]

    def or_null(self) -> JsonType:
        """Return this type or null, which None is written as."""
        nullable = {"anyOf": [self.schema, {"type": "null"}]}
        return JsonType(lambda value: None if value is None else self.write(value), nullable)


def to_number(value: Any) -> float | None:
    """Return a real number; None if it is missing or not finite."""
    return float(value) if value is not None and math.isfinite(value) else None


def to_json(value: Any) -> Any:
    """Return any value in the types of JSON: keys as text, sets in order, None for numbers that are not finite."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return to_number(value)
        case np.generic() | np.ndarray():
            return to_json(value.tolist())
        case Mapping():
            return {to_key(key): to_json(item) for key, item in value.items()}
        case set() | frozenset():
            return [to_json(item) for item in sorted(value)]
        case Collection():
            return [to_json(item) for item in value]
    return str(value)


def to_key(key: Any) -> str:
    """Return a key as text: the names of a pair or subset joined by `+`, and `none` for the empty subset."""
    if isinstance(key, tuple | set | frozenset):
        return "+".join(map(str, key if isinstance(key, tuple) else sorted(key))) or "none"
    return str(key)


NUMBER = JsonType(to_number, {"type": ["number", "null"]})
INTEGER = JsonType(int, {"type": "integer"})
STRING = JsonType(str, {"type": "string"})
BOOLEAN = JsonType(bool, {"type": "boolean"})
OBJECT = JsonType(to_json, {"type": "object"})
"""A mapping with any keys."""
ARRAY = JsonType(to_json, {"type": "array", "items": {"type": ["number", "null", "array"]}})
"""Numbers along one axis, or nested along several."""
SCALAR = JsonType(to_json, {"type": ["number", "string", "boolean", "null"]})


def enum_of(*texts: str) -> JsonType:
    """Return the type of these texts."""
    return JsonType(str, {"enum": list(texts)})


def array_of(items: JsonType) -> JsonType:
    """Return the type of arrays of one type."""
    return JsonType(lambda values: [items.write(value) for value in values], {"type": "array", "items": items.schema})


def mapping_of(values: JsonType) -> JsonType:
    """Return the type of objects with any keys, whose values have one type."""
    return JsonType(
        lambda mapping: {to_key(key): values.write(value) for key, value in mapping.items()},
        {"type": "object", "additionalProperties": values.schema},
    )


@dataclass(frozen=True)
class Property:
    """One property of an object: its type, its description, and the function that reads it.

    read  by default, the attribute with the name of the property
    """

    type: JsonType
    description: str = ""
    read: Callable[[Any], Any] | None = None

    def schema(self) -> dict[str, Any]:
        """Return the schema of the type, with the description."""
        return {"description": self.description, **self.type.schema} if self.description else dict(self.type.schema)


def object_of(properties: Mapping[str, Property], description: str = "") -> JsonType:
    """Return the type of objects with exactly these properties, in this order."""
    readers = [(key, one.type.write, one.read or attrgetter(key)) for key, one in properties.items()]
    schema = {
        **({"description": description} if description else {}),
        "type": "object",
        "properties": {key: one.schema() for key, one in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }
    return JsonType(lambda value: {key: write(read(value)) for key, write, read in readers}, schema)


_PLAIN: Mapping[Any, JsonType] = {str: STRING, int: INTEGER, float: NUMBER, bool: BOOLEAN, Any: JsonType(to_json, {})}


def json_type_of(annotation: Any) -> JsonType:
    """Return the JSON type of a type annotation.

    A dataclass becomes an object with its fields as properties and its docstring as description.

    Raises:
        TypeError: if the annotation has no JSON type.
    """
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if is_dataclass(annotation) and isinstance(annotation, type):
        hints = get_type_hints(annotation)
        return object_of(
            {field.name: Property(json_type_of(hints[field.name])) for field in fields(annotation)},
            inspect.getdoc(annotation) or "",
        )
    return _generic_type(get_origin(annotation), get_args(annotation), annotation)


def _generic_type(origin: Any, arguments: tuple[Any, ...], annotation: Any) -> JsonType:
    """Return the JSON type of a type with arguments."""
    if origin is np.ndarray:
        return ARRAY
    if origin is Literal:
        return enum_of(*arguments)
    if origin in {Union, UnionType}:
        return _union_type([argument for argument in arguments if argument is not NoneType], NoneType in arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return mapping_of(json_type_of(arguments[1]))
    if isinstance(origin, type) and issubclass(origin, Collection):
        return array_of(json_type_of(arguments[0]))
    raise TypeError(f"results.json has no way to write {annotation}")


def _union_type(types: list[Any], nullable: bool) -> JsonType:
    """Return the JSON type of one type or None, or of several plain types."""
    if len(types) == 1:
        only = json_type_of(types[0])
        return only.or_null() if nullable and only is not NUMBER else only
    if set(types) <= {str, int, float, bool}:
        return SCALAR
    raise TypeError(f"results.json has no way to write a union of {types}")
