"""Draws by digests of names."""

from __future__ import annotations

from tcray.data.splits import draw_stratified, flatnonzero, shuffle_by_digest

NAMES = [f"name-{i}" for i in range(40)]


def test_an_order_depends_on_names_and_purpose_alone():
    """Not on the order they come in, nor on how often."""
    assert shuffle_by_digest(NAMES, "a") == shuffle_by_digest([*reversed(NAMES), *NAMES], "a")
    assert sorted(shuffle_by_digest(NAMES, "a")) == sorted(NAMES)
    assert shuffle_by_digest(NAMES, "a") != shuffle_by_digest(NAMES, "b")


def test_a_new_name_leaves_the_order_of_the_others():
    """An example more does not reshuffle a dataset."""
    assert [name for name in shuffle_by_digest([*NAMES, "new"], "a") if name != "new"] == shuffle_by_digest(NAMES, "a")


def test_what_is_carved_has_the_labels_of_the_whole():
    """30 and 10 of 40 give 6 and 2 of 8; of 9, the place left over goes to the largest remainder."""
    label_of = {name: int(i < 10) for i, name in enumerate(NAMES)}
    assert [sum(label_of[name] == label for name in draw_stratified(label_of, 8, "a")) for label in (0, 1)] == [6, 2]
    assert [sum(label_of[name] == label for name in draw_stratified(label_of, 9, "a")) for label in (0, 1)] == [7, 2]
    assert draw_stratified(label_of, 8, "a") == draw_stratified(dict(reversed(label_of.items())), 8, "a")


def test_positions_are_where_flags_are_true():
    """In their order."""
    assert flatnonzero([True, False, True]) == [0, 2]
