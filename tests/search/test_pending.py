"""The line in which segments wait."""

from tcray.search.pending import PendingRuns
from tcray.search.run_history import Segment
from tcray.store.keys import RunKey

from .laboratory import a_plan

PLAN = a_plan(datasets=("mosi", "mustard"), factors={"conditioning": ("none", "jwae")})
CELLS = {cell.key: cell for cell in PLAN.cells}
PLAIN, CONDITIONED, OTHER = "mosi/conditioning=none", "mosi/conditioning=jwae", "mustard/conditioning=none"


def segment(cell, trial, start=0, stop=2, confirm=False):
    """A segment of a trial of a cell."""
    run = PLAN.make_run(CELLS[cell], PLAN.resolve(CELLS[cell], {}), seed=0)
    return Segment(RunKey("confirm" if confirm else "search", cell, 0, trial, 0), run, start, stop, confirm)


def line_of(*segments):
    """A line in which these stand, in this order."""
    line = PendingRuns()
    for one in segments:
        line.add(one)
    return line


def trials(pack):
    """The trials in a pack."""
    return [one.key.trial for one in pack.segments]


def test_nobody_in_line_makes_no_pack():
    """An empty line gives None."""
    assert PendingRuns().take(8) is None


def test_a_pack_holds_one_kind():
    """Only runs of one signature, one segment and one phase are trained together."""
    kinds = [
        segment(PLAIN, 0),
        segment(CONDITIONED, 1),
        segment(OTHER, 2),
        segment(PLAIN, 3, start=2, stop=4),
        segment(PLAIN, 4, confirm=True),
        segment(PLAIN, 5),
    ]
    line = line_of(*kinds)
    assert [trials(line.take(8)) for _ in range(5)] == [[0, 5], [1], [2], [3], [4]]
    assert line.take(8) is None


def test_every_kind_gets_its_turn():
    """The kind whose eldest has waited longest goes first, however many wait of another."""
    line = line_of(
        *(segment(PLAIN, n) for n in range(3)), segment(OTHER, 10), *(segment(PLAIN, n) for n in range(3, 6))
    )
    assert [trials(line.take(2)) for _ in range(4)] == [[0, 1], [2, 3], [10], [4, 5]]


def test_a_lost_pack_is_first_again():
    """Segments that come back take their old place."""
    line = line_of(*(segment(PLAIN, n) for n in range(4)))
    pack = line.take(2)
    line.requeue(pack)
    assert trials(line.take(3)) == [0, 1, 2]


def test_the_next_segment_of_a_run_stands_behind():
    """A run that goes on waits behind those that came meanwhile."""
    line = line_of(segment(PLAIN, 0), segment(PLAIN, 1), segment(PLAIN, 2))
    line.take(1)
    line.add(segment(PLAIN, 0, start=2, stop=4))
    assert [trials(line.take(8)) for _ in range(2)] == [[1, 2], [0]]


def test_a_culprit_is_found_by_halving():
    """Of eight runs the one that kills its process stands alone after three more deaths, and the rest is trained."""
    line = line_of(*(segment(PLAIN, n) for n in range(8)))
    trained, deaths = [], []
    while (pack := line.take(8)) is not None:
        if 5 not in trials(pack):
            trained += trials(pack)
        elif len(pack.segments) == 1:
            break
        else:
            deaths.append(trials(pack))
            line.bisect(pack)
    assert deaths == [[0, 1, 2, 3, 4, 5, 6, 7], [4, 5, 6, 7], [4, 5]]
    assert trained == [0, 1, 2, 3, 4]


def test_halves_are_not_joined_with_others():
    """Newcomers and the other half stay out of a half, even where there is room."""
    line = line_of(segment(PLAIN, 0), segment(PLAIN, 1))
    line.bisect(line.take(8))
    line.add(segment(PLAIN, 2))
    assert [trials(line.take(8)) for _ in range(3)] == [[0], [1], [2]]


def test_a_half_that_is_too_large_by_now_is_taken_in_two():
    """The limit holds for halves as well."""
    line = line_of(*(segment(PLAIN, n) for n in range(8)))
    line.bisect(line.take(8))
    assert [trials(line.take(3)) for _ in range(4)] == [[0, 1, 2], [3], [4, 5, 6], [7]]


def test_a_lost_half_stays_apart():
    """A half whose host went comes back as a half."""
    line = line_of(*(segment(PLAIN, n) for n in range(4)))
    line.bisect(line.take(8))
    line.requeue(line.take(8))
    assert trials(line.take(8)) == [0, 1]


def test_those_who_wait_are_counted_by_signature():
    """All segments of a signature count, whatever their kind."""
    line = line_of(segment(PLAIN, 0), segment(PLAIN, 1, start=2, stop=4), segment(OTHER, 2), segment(OTHER, 3))
    line.bisect(line.take(1))
    plain, other = (segment(cell, 0).run.signature for cell in (PLAIN, OTHER))
    assert line.count_by_signature() == {plain: 2, other: 2}
    assert len(line) == 4
