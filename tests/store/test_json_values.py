"""Tests of numbers that strict JSON cannot represent."""

from __future__ import annotations

import json
from math import inf, nan

from tcray.store.json_values import to_json_value


def test_nan_is_null_and_infinities_are_texts() -> None:
    """The replacement happens at any depth, so that strict JSON can be written; all other values are unchanged."""
    value = {"a": [nan, inf, -inf, 0.1], "b": (1, "x", None, True), "c": {"d": nan}}
    assert to_json_value(value) == {"a": [None, "inf", "-inf", 0.1], "b": [1, "x", None, True], "c": {"d": None}}
    json.dumps(to_json_value(value), allow_nan=False)
