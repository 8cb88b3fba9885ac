"""Pseudorandom draws by digests of names."""

from __future__ import annotations

from tcray.data.splits import draw_stratified, flatnonzero, shuffle_by_digest

NAMES = [f"name-{i}" for i in range(40)]


def test_an_order_depends_on_names_and_purpose_alone() -> None:
    """The order depends on the set of names and the purpose, not on input order or duplicates."""
    assert shuffle_by_digest(NAMES, "a") == shuffle_by_digest([*reversed(NAMES), *NAMES], "a")
    assert sorted(shuffle_by_digest(NAMES, "a")) == sorted(NAMES)
    assert shuffle_by_digest(NAMES, "a") != shuffle_by_digest(NAMES, "b")


def test_a_new_name_keeps_the_order_of_the_others() -> None:
    """Adding a name keeps the relative order of the others."""
    assert [name for name in shuffle_by_digest([*NAMES, "new"], "a") if name != "new"] == shuffle_by_digest(NAMES, "a")


def test_stratified_draws_keep_the_shares_of_labels() -> None:
    """Of 30 + 10 names, 8 drawn are 6 + 2; of 9, the extra place goes to the largest remainder."""
    label_of = {name: int(i < 10) for i, name in enumerate(NAMES)}
    assert [sum(label_of[name] == label for name in draw_stratified(label_of, 8, "a")) for label in (0, 1)] == [6, 2]
    assert [sum(label_of[name] == label for name in draw_stratified(label_of, 9, "a")) for label in (0, 1)] == [7, 2]
    assert draw_stratified(label_of, 8, "a") == draw_stratified(dict(reversed(label_of.items())), 8, "a")


def test_flatnonzero_returns_the_indices_of_true_flags() -> None:
    """Indices of true flags are returned in order."""
    assert flatnonzero([True, False, True]) == [0, 2]
