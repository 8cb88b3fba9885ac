"""Numbers that JSON does not know."""

from __future__ import annotations

import json
from math import inf, nan

from tcray.store.finite import finite


def test_nan_is_null_and_infinities_are_texts():
    """At any depth, so that strict JSON can be written; everything else stays what it was."""
    value = {"a": [nan, inf, -inf, 0.1], "b": (1, "x", None, True), "c": {"d": nan}}
    assert finite(value) == {"a": [None, "inf", "-inf", 0.1], "b": [1, "x", None, True], "c": {"d": None}}
    json.dumps(finite(value), allow_nan=False)
