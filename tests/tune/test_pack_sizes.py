from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from tcray.tune.pack_sizes import LARGEST, PackSizes


def settled(sizes: PackSizes, rate: Callable[[int], float], signature: str = "s", packs: int = 40) -> list[int]:
    """The sizes of packs formed one after another, if a pack of n runs trains `rate(n)` epochs a second."""
    formed = []
    for _ in range(packs):
        size = sizes.limit(signature, waiting=10_000_000, slots=2, free=1)
        formed.append(size)
        sizes.measured(signature, "kind", size, rate(size))
    return formed


def saturating(best: int) -> Callable[[int], float]:
    """Throughput that grows up to packs of `best` runs, and then falls a little."""
    return lambda n: min(n, best) * (1 if n <= best else 0.9)


@pytest.mark.parametrize("best", [8, 16, 32, 128])
def test_it_grows_while_that_pays(best: int) -> None:
    """The size doubles as long as throughput grows, and then stays at the best."""
    formed = settled(PackSizes(16), saturating(best))
    assert max(16, best) == formed[-1]
    assert max(formed) <= 2 * max(16, best)


def test_it_grows_within_bounds() -> None:
    """However much throughput grows, a pack has an end."""
    assert LARGEST == settled(PackSizes(16), lambda n: n)[-1]


def test_a_slow_pack_now_and_then_does_not_count() -> None:
    """Of the packs at a size the fastest counts: a busy machine makes no size look bad."""
    turn = iter(range(1000))
    formed = settled(PackSizes(16), lambda n: saturating(64)(n) * (0.5 if next(turn) % 2 == 0 else 1))
    assert 64 == formed[-1]


def test_what_clearly_harms_is_not_tried_twice() -> None:
    """One pack is enough to see that a size is much too large."""
    formed = settled(PackSizes(16), lambda n: 16 if n <= 16 else 10)
    assert [16, 16, 32, 16] == formed[:4]


def test_signatures_are_measured_apart() -> None:
    """What one signature learns is nothing to another."""
    sizes = PackSizes(16)
    assert 32 == settled(sizes, saturating(32), "narrow")[-1]
    assert 16 == settled(sizes, saturating(16), "wide")[-1]
    assert 32 == sizes.limit("narrow", waiting=1000, slots=2, free=1)


def test_like_is_compared_with_like() -> None:
    """A kind of pack that takes longer by nature does not make a size look bad."""
    sizes = PackSizes(16)
    for _ in range(2):
        sizes.measured("s", "search", 16, 100.0)
    for _ in range(4):
        sizes.measured("s", "confirm", 32, 10.0)
    assert 32 == sizes.limit("s", waiting=1000, slots=1, free=1)
    for _ in range(2):
        sizes.measured("s", "search", 32, 150.0)
    assert 64 == sizes.limit("s", waiting=1000, slots=1, free=1)


def test_packs_that_are_not_full_teach_nothing() -> None:
    """Only packs of the size in question are measured."""
    sizes = PackSizes(16)
    for _ in range(10):
        sizes.measured("s", "kind", 15, 1e9)
    assert 16 == sizes.limit("s", waiting=1000, slots=2, free=1)


def test_a_given_size_stays() -> None:
    """A number in the sweep file is the size of packs, whatever is measured or waits."""
    sizes = PackSizes(7, fixed=True)
    assert {7} == set(settled(sizes, lambda n: n))
    assert 7 == sizes.limit("s", waiting=3, slots=2, free=2)


def test_every_slot_is_kept_busy() -> None:
    """Few runs are spread over the slots that are free, down to one run each."""
    sizes = PackSizes(16)
    for waiting, slots in [(1, 4), (4, 4), (5, 4), (20, 4), (63, 4)]:
        assert math.ceil(waiting / slots) == sizes.limit("s", waiting, slots, free=slots)


def test_the_last_two_rounds_are_alike() -> None:
    """Where runs fill one round of packs and a bit, two rounds of smaller packs are made of them."""
    assert 10 == PackSizes(16).limit("s", waiting=40, slots=2, free=1)
    assert 16 == PackSizes(16).limit("s", waiting=64, slots=2, free=1)


def test_crumbs_are_not_halved_for_ever() -> None:
    """While the other slots are busy, a few runs go together rather than half and half again."""
    sizes, waiting, formed = PackSizes(16), 13, []
    while waiting:
        formed.append(min(waiting, sizes.limit("s", waiting, slots=2, free=1)))
        waiting -= formed[-1]
    assert [8, 5] == formed
