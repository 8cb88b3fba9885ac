"""Kinds of JSON value: how each is written, and the schema that whatever is written so fits."""

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
class Kind:
    """How a value is written as JSON, and a schema that says so."""

    write: Callable[[Any], Any]
    schema: Mapping[str, Any]

    def or_null(self) -> Kind:
        """The same, or nothing."""
        nullable = {"anyOf": [self.schema, {"type": "null"}]}
        return Kind(lambda value: None if value is None else self.write(value), nullable)


def number(value: Any) -> float | None:
    """A real number; None for what is not there, and for what is no finite number."""
    return float(value) if value is not None and math.isfinite(value) else None


def anything(value: Any) -> Any:
    """A value of any kind as JSON can say it: keys as text, sets in order, and null for what is no finite number."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: anything(getattr(value, field.name)) for field in fields(value)}
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return number(value)
        case np.generic() | np.ndarray():
            return anything(value.tolist())
        case Mapping():
            return {key_text(key): anything(item) for key, item in value.items()}
        case set() | frozenset():
            return [anything(item) for item in sorted(value)]
        case Collection():
            return [anything(item) for item in value]
    return str(value)


def key_text(key: Any) -> str:
    """A key: names of a pair or subset joined by `+`, and `none` for the empty subset."""
    if isinstance(key, tuple | set | frozenset):
        return "+".join(map(str, key if isinstance(key, tuple) else sorted(key))) or "none"
    return str(key)


NUMBER = Kind(number, {"type": ["number", "null"]})
WHOLE = Kind(int, {"type": "integer"})
TEXT = Kind(str, {"type": "string"})
FLAG = Kind(bool, {"type": "boolean"})
OPEN = Kind(anything, {"type": "object"})
"""A mapping whose keys are its owner's own."""
ARRAY = Kind(anything, {"type": "array", "items": {"type": ["number", "null", "array"]}})
"""Numbers along one axis, or within one another along several."""
SCALAR = Kind(anything, {"type": ["number", "string", "boolean", "null"]})


def one_of(*texts: str) -> Kind:
    """One of these texts."""
    return Kind(str, {"enum": list(texts)})


def list_of(kind: Kind) -> Kind:
    """Any number of the same kind."""
    return Kind(lambda values: [kind.write(value) for value in values], {"type": "array", "items": kind.schema})


def by_name(kind: Kind) -> Kind:
    """A mapping to values of one kind."""
    return Kind(
        lambda values: {key_text(key): kind.write(value) for key, value in values.items()},
        {"type": "object", "additionalProperties": kind.schema},
    )


@dataclass(frozen=True)
class Entry:
    """One key of a record: its kind, its meaning, and how it is read: as the attribute of that name, unless said."""

    kind: Kind
    meaning: str = ""
    read: Callable[[Any], Any] | None = None

    def schema(self) -> dict[str, Any]:
        """Its kind's, with its meaning."""
        return {"description": self.meaning, **self.kind.schema} if self.meaning else dict(self.kind.schema)


def record(entries: Mapping[str, Entry], meaning: str = "") -> Kind:
    """An object with exactly these keys, in this order."""
    readers = [(key, entry.kind.write, entry.read or attrgetter(key)) for key, entry in entries.items()]
    schema = {
        **({"description": meaning} if meaning else {}),
        "type": "object",
        "properties": {key: entry.schema() for key, entry in entries.items()},
        "required": list(entries),
        "additionalProperties": False,
    }
    return Kind(lambda value: {key: write(read(value)) for key, write, read in readers}, schema)


_PLAIN: Mapping[Any, Kind] = {str: TEXT, int: WHOLE, float: NUMBER, bool: FLAG, Any: Kind(anything, {})}


def kind_of(annotation: Any) -> Kind:
    """The kind of what a type annotation allows; of a dataclass a record of its fields, explained by its docstring.

    Raises TypeError for an annotation that says nothing about JSON.
    """
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if is_dataclass(annotation) and isinstance(annotation, type):
        hints = get_type_hints(annotation)
        return record(
            {field.name: Entry(kind_of(hints[field.name])) for field in fields(annotation)},
            inspect.getdoc(annotation) or "",
        )
    return _generic(get_origin(annotation), get_args(annotation), annotation)


def _generic(origin: Any, arguments: tuple[Any, ...], annotation: Any) -> Kind:
    """The kind of a type with arguments."""
    if origin is np.ndarray:
        return ARRAY
    if origin is Literal:
        return one_of(*arguments)
    if origin in {Union, UnionType}:
        return _union([argument for argument in arguments if argument is not NoneType], NoneType in arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return by_name(kind_of(arguments[1]))
    if isinstance(origin, type) and issubclass(origin, Collection):
        return list_of(kind_of(arguments[0]))
    raise TypeError(f"results.json has no way to write {annotation}")


def _union(types: list[Any], nullable: bool) -> Kind:
    """Of one type and nothing, or of several plain types."""
    if len(types) == 1:
        kind = kind_of(types[0])
        return kind.or_null() if nullable and kind is not NUMBER else kind
    if set(types) <= {str, int, float, bool}:
        return SCALAR
    raise TypeError(f"results.json has no way to write a union of {types}")
