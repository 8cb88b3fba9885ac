"""The seed index of each run."""

from hypothesis import given
from hypothesis import strategies as st

from tcray.search.seeds import MAX_CONFIRM_SEEDS, confirm_seeds, search_seed


@given(st.integers(1, 50), st.integers(1, MAX_CONFIRM_SEEDS))
def test_no_seed_is_used_twice_in_a_cell(repeats, count) -> None:
    """Search and confirm seeds of all repeats are disjoint."""
    used = [search_seed(q) for q in range(repeats)]
    used += [seed for q in range(repeats) for seed in confirm_seeds(q, count, searched=True)]
    assert len(used) == len(set(used))


def test_more_repeats_and_seeds_keep_the_earlier_ones() -> None:
    """The first seeds of a repeat are the same, no matter how many follow."""
    assert list(confirm_seeds(3, 2, searched=True)) == [3001, 3002]
    assert list(confirm_seeds(3, 4, searched=True)) == [3001, 3002, 3003, 3004]


def test_without_a_search_the_seeds_count_from_zero() -> None:
    """If nothing is tuned, each seed is a unit."""
    assert list(confirm_seeds(0, 12, searched=False)) == list(range(12))
