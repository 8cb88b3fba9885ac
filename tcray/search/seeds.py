"""Which seed index each run has.

Repeat q owns the indices from 1000·q to 1000·q + 999: it searches with the first and confirms with those after it. So
indices are the same in every cell (runs pair across cells), no index is used both to choose and to confirm, and more
repeats or more seeds leave the earlier ones as they were. Where nothing is tuned, nothing was chosen: the seeds are
0, 1, 2, …, and each is a unit.
"""

from __future__ import annotations

BLOCK = 1000
"""Seed indices a repeat owns."""

MAX_CONFIRM_SEEDS = BLOCK - 1
"""Confirm seeds that a repeat can have beside its search seed."""


def search_seed(repeat: int) -> int:
    """The seed index that repeat `repeat` (from 0) searches with."""
    return BLOCK * repeat


def confirm_seeds(repeat: int, count: int, *, searched: bool) -> range:
    """The `count` seed indices that repeat `repeat` confirms with; without a search there is only repeat 0."""
    return range(BLOCK * repeat + 1, BLOCK * repeat + 1 + count) if searched else range(count)
