"""Grouping of items by a key."""

from __future__ import annotations

from tcray.results.display.grouping import group_by


def test_groups_come_in_the_order_of_their_first_members():
    """Groups are in the order of their first members, and members keep their order."""
    assert [("b", ["b1", "b2"]), ("a", ["a1"])] == list(group_by(["b1", "a1", "b2"], lambda name: name[0]).items())
