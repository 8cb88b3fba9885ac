"""Pack sizes found by measuring throughput during the sweep (`pack: auto`)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from tcray.config.sweep import Resources
from tcray.tune.capacity import Device

FIRST_SIZES: Mapping[Device, int] = {"cpu": 16, "cuda": 64}
"""Initial pack sizes under `pack: auto`."""

MIN_GAIN = 1.05
"""A larger pack is kept if it trains at least this many times as many epochs per second."""

MAX_LOSS = 0.85
"""A larger pack that trains at most this many times as many epochs per second is given up at once."""

MEASUREMENTS = 2
"""Packs measured if one does not decide; the fastest counts, because hosts are busy and a worker's first pack is slow.
"""

LARGEST = 1024


def first_size(resources: Resources, device: Device) -> int:
    """Return the number of runs in a sweep's first packs."""
    return FIRST_SIZES[device] if resources.pack == "auto" else resources.pack


@dataclass(slots=True)
class PackSizes:
    """Pack size by signature: it doubles as long as throughput grows, then stays.

    The size changes no result, so measurements are not kept from one session to the next.

    first   the initial size; the only one if `fixed`
    """

    first: int
    fixed: bool = False
    _sizes: dict[Hashable, int] = field(default_factory=dict)
    _settled: set[Hashable] = field(default_factory=set)
    _rates: dict[tuple[Hashable, Hashable, int], list[float]] = field(default_factory=lambda: defaultdict(list))

    def limit(self, signature: Hashable, waiting: int, slots: int, free: int) -> int:
        """Return the largest size for the next pack of `signature`.

        waiting   number of waiting runs of all signatures
        slots     number of packs that can be trained at a time; `free` of these slots are empty

        The size is small enough to keep every slot busy, but not so small that overhead dominates, unless a slot would
        stay empty. It also balances the last two rounds of packs.
        """
        size = self._size(signature)
        if self.fixed or waiting >= 2 * slots * size:
            return size
        rounds = max(1, math.ceil(waiting / (slots * size)))
        fair = math.ceil(waiting / (slots * rounds))
        least = min(size, self.first // 2, math.ceil(waiting / free))
        return max(1, fair, least)

    def record_rate(self, signature: Hashable, kind: Hashable, size: int, rate: float) -> None:
        """Record the throughput of a pack, in epochs per second summed over its runs, and adapt the size.

        kind    other influences on the time (first and last epoch, evaluations); only packs of one kind are compared
        size    number of runs in the pack
        """
        if self.fixed or signature in self._settled or size != self._size(signature):
            return
        rates = self._rates[signature, kind, size]
        rates.append(rate)
        smaller = self._rates.get((signature, kind, size // 2), [])
        if not smaller:
            if size == self.first and len(rates) == MEASUREMENTS:
                self._double(signature, size)
            return
        gain = max(rates) / max(smaller)
        if gain >= MIN_GAIN:
            self._double(signature, size)
        elif gain <= MAX_LOSS or len(rates) == MEASUREMENTS:
            self._settle(signature, size // 2)

    def _size(self, signature: Hashable) -> int:
        return self._sizes.get(signature, self.first)

    def _double(self, signature: Hashable, size: int) -> None:
        if size == LARGEST:
            self._settle(signature, size)
        else:
            self._sizes[signature] = min(2 * size, LARGEST)

    def _settle(self, signature: Hashable, size: int) -> None:
        self._sizes[signature] = size
        self._settled.add(signature)
