from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from tcray.tune.pack_sizes import LARGEST, PackSizes


def run_packs(sizes: PackSizes, rate: Callable[[int], float], signature: str = "s", packs: int = 40) -> list[int]:
    """Return the sizes of successive packs if a pack of n runs trains `rate(n)` epochs per second."""
    formed = []
    for _ in range(packs):
        size = sizes.limit(signature, waiting=10_000_000, slots=2, free=1)
        formed.append(size)
        sizes.record_rate(signature, "kind", size, rate(size))
    return formed


def saturating(best: int) -> Callable[[int], float]:
    """Return a throughput that grows up to packs of `best` runs and then falls slightly."""
    return lambda n: min(n, best) * (1 if n <= best else 0.9)


@pytest.mark.parametrize("best", [8, 16, 32, 128])
def test_size_grows_with_throughput(best: int) -> None:
    """The size doubles as long as throughput grows, and then stays at the best size."""
    formed = run_packs(PackSizes(16), saturating(best))
    assert max(16, best) == formed[-1]
    assert max(formed) <= 2 * max(16, best)


def test_size_is_bounded() -> None:
    """Even if throughput always grows, the size stops at `LARGEST`."""
    assert LARGEST == run_packs(PackSizes(16), lambda n: n)[-1]


def test_an_occasional_slow_pack_does_not_count() -> None:
    """The fastest pack of a size counts, so a busy machine does not rule out a size."""
    turn = iter(range(1000))
    formed = run_packs(PackSizes(16), lambda n: saturating(64)(n) * (0.5 if next(turn) % 2 == 0 else 1))
    assert 64 == formed[-1]


def test_a_large_loss_decides_at_once() -> None:
    """One pack is enough to reject a size with a much lower throughput."""
    formed = run_packs(PackSizes(16), lambda n: 16 if n <= 16 else 10)
    assert [16, 16, 32, 16] == formed[:4]


def test_signatures_are_independent() -> None:
    """Measurements of one signature do not affect another."""
    sizes = PackSizes(16)
    assert 32 == run_packs(sizes, saturating(32), "narrow")[-1]
    assert 16 == run_packs(sizes, saturating(16), "wide")[-1]
    assert 32 == sizes.limit("narrow", waiting=1000, slots=2, free=1)


def test_only_packs_of_one_kind_are_compared() -> None:
    """A kind of pack that is slower by nature does not rule out a size."""
    sizes = PackSizes(16)
    for _ in range(2):
        sizes.record_rate("s", "search", 16, 100.0)
    for _ in range(4):
        sizes.record_rate("s", "confirm", 32, 10.0)
    assert 32 == sizes.limit("s", waiting=1000, slots=1, free=1)
    for _ in range(2):
        sizes.record_rate("s", "search", 32, 150.0)
    assert 64 == sizes.limit("s", waiting=1000, slots=1, free=1)


def test_partial_packs_are_ignored() -> None:
    """Only packs of the current size are measured."""
    sizes = PackSizes(16)
    for _ in range(10):
        sizes.record_rate("s", "kind", 15, 1e9)
    assert 16 == sizes.limit("s", waiting=1000, slots=2, free=1)


def test_a_fixed_size_stays() -> None:
    """A number in the sweep file is the size of all packs, independent of measurements and waiting runs."""
    sizes = PackSizes(7, fixed=True)
    assert {7} == set(run_packs(sizes, lambda n: n))
    assert 7 == sizes.limit("s", waiting=3, slots=2, free=2)


def test_every_slot_is_kept_busy() -> None:
    """Few runs are spread over the free slots, down to one run per slot."""
    sizes = PackSizes(16)
    for waiting, slots in [(1, 4), (4, 4), (5, 4), (20, 4), (63, 4)]:
        assert math.ceil(waiting / slots) == sizes.limit("s", waiting, slots, free=slots)


def test_the_last_two_rounds_are_balanced() -> None:
    """If runs fill a little more than one round of packs, they are split into two rounds of smaller packs."""
    assert 10 == PackSizes(16).limit("s", waiting=40, slots=2, free=1)
    assert 16 == PackSizes(16).limit("s", waiting=64, slots=2, free=1)


def test_the_last_runs_are_not_halved_repeatedly() -> None:
    """While the other slots are busy, a few runs form one pack instead of ever smaller halves."""
    sizes, waiting, formed = PackSizes(16), 13, []
    while waiting:
        formed.append(min(waiting, sizes.limit("s", waiting, slots=2, free=1)))
        waiting -= formed[-1]
    assert [8, 5] == formed
