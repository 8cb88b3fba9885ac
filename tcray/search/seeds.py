"""The seed index of each run.

Repeat q owns the indices from 1000·q to 1000·q + 999: it searches with the first and confirms with those that follow.
Hence indices are the same in every cell (runs pair across cells), no index is used both to select and to confirm, and
more repeats or more seeds leave the earlier ones unchanged. If nothing is tuned, nothing is selected: the seeds are
0, 1, 2, …, and each of them is a unit.
"""

from __future__ import annotations

SEEDS_PER_REPEAT = 1000
"""Seed indices that a repeat owns."""

MAX_CONFIRM_SEEDS = SEEDS_PER_REPEAT - 1
"""Confirm seeds that a repeat can have beside its search seed."""


def search_seed(repeat: int) -> int:
    """Return the seed index that repeat `repeat` (from 0) searches with."""
    return SEEDS_PER_REPEAT * repeat


def confirm_seeds(repeat: int, count: int, *, searched: bool) -> range:
    """Return the `count` seed indices that repeat `repeat` confirms with; without a search there is only repeat 0."""
    first = SEEDS_PER_REPEAT * repeat + 1 if searched else 0
    return range(first, first + count)
