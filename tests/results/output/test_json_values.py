"""Conversion of values to JSON, and the schemas of the results."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jsonschema
import numpy as np
import pytest
from numpy.typing import NDArray

from tcray.results.output.json_values import (
    INTEGER,
    NUMBER,
    STRING,
    Property,
    array_of,
    json_type_of,
    mapping_of,
    object_of,
    to_json,
)


@dataclass
class Point:
    """A position with a name."""

    at: float
    name: str | None = None


@dataclass
class Everything:
    """A dataclass with a field of every type that the analyses use."""

    points: tuple[Point, ...]
    values: NDArray[np.float64]
    by_subset: Mapping[frozenset[str], float]
    by_pair: Mapping[tuple[str, str], Point]
    level: str | float
    source: Literal["real", "twin"]
    whole: bool
    open: Any
    low: float | None = None


EVERYTHING = Everything(
    points=(Point(1.5, "a"), Point(math.nan)),
    values=np.array([[1.0, np.nan], [-np.inf, 2.0]]),
    by_subset={frozenset(): 0.0, frozenset({"text", "audio"}): math.inf},
    by_pair={("text", "audio"): Point(np.float64(0.25))},
    level=3,
    source="twin",
    whole=True,
    open={"set": {3, 1, 2}, 2: np.int64(7), "path": Path("x"), "none": np.float64("nan")},
)


def test_a_dataclass_becomes_an_object_of_its_fields():
    """Arrays become lists, subsets are joined with +, and numbers that are not finite become null."""
    assert json_type_of(Everything).write(EVERYTHING) == {
        "points": [{"at": 1.5, "name": "a"}, {"at": None, "name": None}],
        "values": [[1.0, None], [None, 2.0]],
        "by_subset": {"none": 0.0, "audio+text": None},
        "by_pair": {"text+audio": {"at": 0.25, "name": None}},
        "level": 3,
        "source": "twin",
        "whole": True,
        "open": {"set": [1, 2, 3], "2": 7, "path": "x", "none": None},
        "low": None,
    }


def test_written_values_fit_their_schema():
    """The result is valid, and the docstring of the dataclass is the description in the schema."""
    kind = json_type_of(Everything)
    jsonschema.Draft202012Validator.check_schema(kind.schema)
    jsonschema.validate(kind.write(EVERYTHING), kind.schema)
    assert kind.schema["properties"]["points"]["items"]["description"] == "A position with a name."


@pytest.mark.parametrize(
    ("key", "value"),
    [("points", [{"at": "1"}]), ("source", "fake"), ("low", "0"), ("values", ["1"]), ("by_subset", {"text": "1"})],
)
def test_the_schema_rejects_values_of_the_wrong_type(key: str, value: Any):
    """A field with a value of the wrong type is invalid."""
    kind = json_type_of(Everything)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**kind.write(EVERYTHING), key: value}, kind.schema)


@pytest.mark.parametrize("change", [{"more": 1}, {"n": "two"}])
def test_an_object_has_exactly_its_keys(change: dict[str, Any]):
    """Keys keep their order; each value comes from the given function or from the attribute of that name."""
    kind = object_of({"n": Property(INTEGER, "how many", lambda value: len(value.name)), "name": Property(STRING)})
    written = kind.write(Point(0.0, "abc"))
    assert list(written.items()) == [("n", 3), ("name", "abc")]
    assert kind.schema["properties"]["n"] == {"description": "how many", "type": "integer"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**written, **change}, kind.schema)


def test_arrays_mappings_and_null():
    """JSON types are composed of JSON types."""
    assert array_of(NUMBER).write((1, None, math.nan)) == [1.0, None, None]
    assert mapping_of(NUMBER).write({1: 2}) == {"1": 2.0}
    assert [STRING.or_null().write(value) for value in ("a", None)] == ["a", None]


def test_a_nested_dataclass_becomes_an_object():
    """A dataclass inside a list is converted as well."""
    assert to_json([Point(math.inf, "a")]) == [{"at": None, "name": "a"}]


@pytest.mark.parametrize("annotation", [object, dict | str, Path | int])
def test_an_annotation_without_a_json_type_is_an_error(annotation: Any):
    """The TypeError is raised when the module is imported, not at the end of a sweep."""
    with pytest.raises(TypeError, match=r"results\.json has no way to write"):
        json_type_of(annotation)
