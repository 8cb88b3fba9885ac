"""Pending segments and the packs taken from them."""

from tcray.search.pending import PendingRuns
from tcray.search.run_history import Segment
from tcray.store.keys import RunKey

from .factories import make_plan

PLAN = make_plan(datasets=("mosi", "mustard"), factors={"conditioning": ("none", "jwae")})
CELLS = {cell.key: cell for cell in PLAN.cells}
PLAIN, CONDITIONED, OTHER = "mosi/conditioning=none", "mosi/conditioning=jwae", "mustard/conditioning=none"


def segment(cell, trial, start=0, stop=2, confirm=False):
    """Return a segment of a trial of a cell."""
    run = PLAN.make_run(CELLS[cell], PLAN.resolve(CELLS[cell], {}), seed=0)
    return Segment(RunKey("confirm" if confirm else "search", cell, 0, trial, 0), run, start, stop, confirm)


def pend(*segments):
    """Return the pending runs after these segments were added in this order."""
    pending = PendingRuns()
    for one in segments:
        pending.add(one)
    return pending


def trials(pack):
    """Return the trials in a pack."""
    return [one.key.trial for one in pack.segments]


def test_nothing_pending_makes_no_pack() -> None:
    """Without pending segments, `peek` and `take` return None."""
    assert PendingRuns().peek() is None
    assert PendingRuns().take(8) is None


def test_a_pack_has_segments_of_one_group() -> None:
    """Only segments of one signature, one range of epochs and one phase are trained together."""
    segments = [
        segment(PLAIN, 0),
        segment(CONDITIONED, 1),
        segment(OTHER, 2),
        segment(PLAIN, 3, start=2, stop=4),
        segment(PLAIN, 4, confirm=True),
        segment(PLAIN, 5),
    ]
    pending = pend(*segments)
    assert [trials(pending.take(8)) for _ in range(5)] == [[0, 5], [1], [2], [3], [4]]
    assert pending.take(8) is None


def test_every_group_gets_its_turn() -> None:
    """The group with the oldest segment goes first, no matter how many segments another group has."""
    pending = pend(
        *(segment(PLAIN, n) for n in range(3)), segment(OTHER, 10), *(segment(PLAIN, n) for n in range(3, 6))
    )
    assert [trials(pending.take(2)) for _ in range(4)] == [[0, 1], [2, 3], [10], [4, 5]]


def test_a_requeued_pack_is_first_again() -> None:
    """Requeued segments return to their old place."""
    pending = pend(*(segment(PLAIN, n) for n in range(4)))
    pack = pending.take(2)
    pending.requeue(pack)
    assert trials(pending.take(3)) == [0, 1, 2]


def test_the_next_segment_of_a_run_waits_behind_older_ones() -> None:
    """A promoted run waits behind segments that were added before its promotion."""
    pending = pend(segment(PLAIN, 0), segment(PLAIN, 1), segment(PLAIN, 2))
    pending.take(1)
    pending.add(segment(PLAIN, 0, start=2, stop=4))
    assert [trials(pending.take(8)) for _ in range(2)] == [[1, 2], [0]]


def test_a_run_that_crashes_is_found_by_bisection() -> None:
    """Of eight runs, the one that kills its process is alone after three more crashes, and the others are trained."""
    pending = pend(*(segment(PLAIN, n) for n in range(8)))
    trained, crashes = [], []
    while (pack := pending.take(8)) is not None:
        if 5 not in trials(pack):
            trained += trials(pack)
        elif len(pack.segments) == 1:
            break
        else:
            crashes.append(trials(pack))
            pending.bisect(pack)
    assert crashes == [[0, 1, 2, 3, 4, 5, 6, 7], [4, 5, 6, 7], [4, 5]]
    assert trained == [0, 1, 2, 3, 4]


def test_peek_returns_the_signature_of_the_next_pack() -> None:
    """The signature is that of the pack that `take` returns next, and nothing is taken."""
    pending = pend(segment(CONDITIONED, 0), segment(PLAIN, 1), segment(OTHER, 2))
    pending.bisect(pending.take(8))
    pending.add(segment(CONDITIONED, 3))
    found = []
    while (signature := pending.peek()) is not None:
        assert signature == pending.peek()
        pack = pending.take(8)
        assert signature == pack.signature
        found += trials(pack)
    assert found == [0, 1, 2, 3]


def test_halves_are_not_joined_with_others() -> None:
    """Neither new segments nor the other half fill up a half."""
    pending = pend(segment(PLAIN, 0), segment(PLAIN, 1))
    pending.bisect(pending.take(8))
    pending.add(segment(PLAIN, 2))
    assert [trials(pending.take(8)) for _ in range(3)] == [[0], [1], [2]]


def test_a_half_above_the_limit_is_split() -> None:
    """The limit also applies to halves."""
    pending = pend(*(segment(PLAIN, n) for n in range(8)))
    pending.bisect(pending.take(8))
    assert [trials(pending.take(3)) for _ in range(4)] == [[0, 1, 2], [3], [4, 5, 6], [7]]


def test_a_requeued_half_stays_apart() -> None:
    """A half whose host was lost is requeued as a half."""
    pending = pend(*(segment(PLAIN, n) for n in range(4)))
    pending.bisect(pending.take(8))
    pending.requeue(pending.take(8))
    assert trials(pending.take(8)) == [0, 1]


def test_pending_segments_are_counted_by_signature() -> None:
    """All segments of a signature count, in any group."""
    pending = pend(segment(PLAIN, 0), segment(PLAIN, 1, start=2, stop=4), segment(OTHER, 2), segment(OTHER, 3))
    pending.bisect(pending.take(1))
    plain, other = (segment(cell, 0).run.signature for cell in (PLAIN, OTHER))
    assert pending.count_by_signature() == {plain: 2, other: 2}
    assert len(pending) == 4
