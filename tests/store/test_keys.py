"""Tests of the key of a run within its sweep."""

from __future__ import annotations

from tcray.store.keys import RUN_KEY, RunKey


def test_a_key_survives_a_row():
    """A key is restored from a row that contains its columns; other columns are ignored."""
    key = RunKey("confirm", "mosi/rank=4", 2, 7, 2001)
    assert RunKey.from_row({**key.columns(), "state": "COMPLETE"}) == key
    assert tuple(key.columns()) == RUN_KEY


def test_keys_are_sorted_field_by_field():
    """Phase, then cell, repeat, trial and seed."""
    keys = [RunKey("search", "a", 0, 0, 1), RunKey("confirm", "b", 0, 0, 0), RunKey("search", "a", 0, 0, 0)]
    assert sorted(keys) == [keys[1], keys[2], keys[0]]
