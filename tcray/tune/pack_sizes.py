"""How many runs to train together, found while working: `pack: auto`."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field

WORTHWHILE = 1.05
"""A larger pack is kept if it trains this many times as many epochs a second."""

HARMFUL = 0.85
"""A larger pack that trains no more than this many times as many is given up at once."""

MEASUREMENTS = 2
"""Packs measured where one does not decide, the fastest counts: machines are busy, a worker's first pack is slow."""

LARGEST = 1024


@dataclass(slots=True)
class PackSizes:
    """The size of packs by signature: it doubles as long as that is worthwhile, and then stays.

    Size changes no result, so what is measured is not remembered from one session to the next.

    first   the size to begin with; the only one where `fixed`
    """

    first: int
    fixed: bool = False
    _sizes: dict[Hashable, int] = field(default_factory=dict)
    _settled: set[Hashable] = field(default_factory=set)
    _rates: dict[tuple[Hashable, Hashable, int], list[float]] = field(default_factory=lambda: defaultdict(list))

    def limit(self, signature: Hashable, waiting: int, slots: int, free: int) -> int:
        """Most runs the next pack of `signature` may have.

        waiting   runs of all signatures that wait
        slots     how many packs can be trained at a time, of which `free` have none

        No larger than what keeps every slot busy, nor so small that much of its time is overhead, unless a slot would
        have nothing; and of the last two rounds none is much smaller than the other.
        """
        size = self._size(signature)
        if self.fixed or waiting >= 2 * slots * size:
            return size
        rounds = max(1, math.ceil(waiting / (slots * size)))
        fair = math.ceil(waiting / (slots * rounds))
        least = min(size, self.first // 2, math.ceil(waiting / free))
        return max(1, fair, least)

    def measured(self, signature: Hashable, kind: Hashable, size: int, rate: float) -> None:
        """A pack of `size` runs trained `rate` epochs a second, over all its runs.

        kind    what else its time depends on (from which epoch to which, with what evaluations): like is compared
                with like
        """
        if self.fixed or signature in self._settled or size != self._size(signature):
            return
        rates = self._rates[signature, kind, size]
        rates.append(rate)
        smaller = self._rates.get((signature, kind, size // 2), [])
        if not smaller:
            if size == self.first and len(rates) == MEASUREMENTS:
                self._grow(signature, size)
            return
        gain = max(rates) / max(smaller)
        if gain >= WORTHWHILE:
            self._grow(signature, size)
        elif gain <= HARMFUL or len(rates) == MEASUREMENTS:
            self._settle(signature, size // 2)

    def _size(self, signature: Hashable) -> int:
        return self._sizes.get(signature, self.first)

    def _grow(self, signature: Hashable, size: int) -> None:
        if size == LARGEST:
            self._settle(signature, size)
        else:
            self._sizes[signature] = min(2 * size, LARGEST)

    def _settle(self, signature: Hashable, size: int) -> None:
        self._sizes[signature] = size
        self._settled.add(signature)
