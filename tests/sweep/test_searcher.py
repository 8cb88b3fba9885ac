from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ray.tune.search import Searcher

from tcray.errors import StoreBusyError, SweepError
from tcray.search.plan import find_cards, plan
from tcray.search.queue import Circumstances, Pack, Queue
from tcray.store.store import Store
from tcray.sweep import searcher as searching
from tcray.sweep.library import HeldOut, Library
from tcray.sweep.packing import PackSizes
from tcray.sweep.report import Report
from tcray.sweep.searcher import PackSearcher
from tcray.sweep.trainable import ORDER, REPORT
from tcray.sweep.worker import Worker

from .small import a_sweep
from .toy import Toy


@dataclass
class Lease:
    """A lease that is lost when it is told to be."""

    lost: bool = False

    def check(self) -> None:
        """Raises if it is lost."""
        if self.lost:
            raise StoreBusyError("sweep small-1 was taken over by pid 7 on there")


class Tune:
    """What Ray Tune does with a searcher, by hand: trials are numbered, and trained when the test says so."""

    def __init__(self, folder: Path, pack: int = 3, slots: int = 2) -> None:
        """Begins the small sweep."""
        sweep = a_sweep(folder)
        planned = plan(sweep, find_cards(sweep))
        store = Store.open(str(folder / "trials"), create=True).sweep(planned.sweep_id())
        library = Library(planned.cards, sweep.data.root)
        self.queue = Queue(planned, store, HeldOut(library))
        self.lease = Lease()
        self.said: list[str] = []
        sizes = PackSizes(pack, fixed=True)
        lease: Any = self.lease
        self.searcher = PackSearcher(self.queue, lease, sizes, lambda: slots, "/logs", self.said.append)
        self.worker = Worker(store, library.__getitem__, "cpu", Toy(str(folder / "trace")))
        self.trials = 0

    def ask(self) -> tuple[str, Pack] | str | None:
        """Asks for a trial: its id and its pack, or what else the searcher said."""
        self.trials += 1
        given = self.searcher.suggest(str(self.trials))
        return (str(self.trials), given[ORDER].pack) if isinstance(given, dict) else given

    def must_ask(self) -> tuple[str, Pack]:
        """Asks for a trial that there has to be."""
        asked = self.ask()
        assert isinstance(asked, tuple)
        return asked

    def end(self, trial: str, report: Report) -> list[Report]:
        """Tells of a trial's result; what Tune keeps of it."""
        kept = [report]
        self.searcher.on_trial_complete(trial_id=trial, result={REPORT: kept, "done": True}, error=False)
        return kept

    def die(self, trial: str, began: bool = True) -> None:
        """Tells of a trial whose process died, after it began or before."""
        if began:
            self.searcher.began(trial, "node")  # type: ignore[arg-type]  # no reference into a Ray
        self.searcher.on_trial_complete(trial_id=trial, error=True)


def failed(pack: Pack, failure: Any, reason: str = "") -> Report:
    """The report of a pack that nothing came of."""
    now = datetime.now(UTC)
    return Report(Circumstances("there", "cpu", "", len(pack.segments), now, now), (), failure, reason)


@pytest.fixture
def tune(tmp_path: Path) -> Tune:
    """Two slots, and packs of three."""
    return Tune(tmp_path)


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What every inquest comes to, one after another; to be filled by the test."""
    coming: list[str | None] = []

    class Inquest:
        def __init__(self, node: str) -> None:
            assert node == "node"

        def verdict(self) -> str | None:
            return coming.pop(0)

    monkeypatch.setattr(searching, "Inquest", Inquest)
    return coming


def keys(packs: Sequence[Pack]) -> list[Any]:
    """The runs of packs."""
    return [segment.key for pack in packs for segment in pack.segments]


def test_as_many_packs_as_slots(tune: Tune) -> None:
    """A pack is formed when a slot is free to train it, and no sooner."""
    first, _ = tune.must_ask(), tune.must_ask()
    assert tune.ask() is None
    tune.end(first[0], tune.worker.work(first[1], ""))
    assert isinstance(tune.ask(), tuple)


def test_a_whole_sweep(tune: Tune) -> None:
    """Asked and told until it has no more, the searcher finishes the queue, and Tune keeps nothing of the results."""
    while True:
        asked = tune.ask()
        if not isinstance(asked, tuple):
            break
        assert [] == tune.end(asked[0], tune.worker.work(asked[1], ""))
    assert asked == Searcher.FINISHED
    assert tune.queue.finished
    assert tune.searcher.failure is None


def test_what_does_not_fit_is_halved(tune: Tune) -> None:
    """A pack that is short of memory is said, and no later one of its kind is as large."""
    trial, pack = tune.must_ask()
    tune.end(trial, failed(pack, "memory"))
    assert ["a pack of 3 runs (mosi/rank=1, …) did not fit into memory; its halves are tried apart"] == tune.said
    assert 1 == len(tune.must_ask()[1].segments)


def test_a_crash_is_halved(tune: Tune) -> None:
    """A pack whose training raised is said with its reason, and its halves come first."""
    trial, pack = tune.must_ask()
    tune.end(trial, failed(pack, "crash", "ValueError: no"))
    assert ["a pack of 3 runs (mosi/rank=1, …) failed: ValueError: no; its halves are tried apart"] == tune.said
    halves = [tune.must_ask()[1], tune.must_ask()[1]]
    assert keys([pack]) == keys(halves)


def test_a_process_that_died_alone_is_a_crash(tune: Tune, verdicts: list[str | None]) -> None:
    """Once it is known that the node lives, a pack whose process died is halved; until then others go on."""
    verdicts += [None, "crashed"]
    trial, pack = tune.must_ask()
    tune.die(trial)
    tune.must_ask()
    assert [] == tune.said
    halves = [tune.must_ask()[1]]
    assert ["the worker of a pack of 3 runs (mosi/rank=1, …) died; its halves are tried apart"] == tune.said
    assert keys([pack])[:2] == keys(halves)


def test_a_lost_host_blames_nobody(tune: Tune, verdicts: list[str | None]) -> None:
    """The pack of a host that is gone waits again, whole."""
    verdicts += ["lost"]
    trial, pack = tune.must_ask()
    tune.die(trial)
    assert keys([pack]) == keys([tune.must_ask()[1]])
    assert ["a host was lost: a pack of 3 runs (mosi/rank=1, …) waits again"] == tune.said


def test_a_worker_killed_between_packs_blames_nobody(tune: Tune, verdicts: list[str | None]) -> None:
    """A pack that the worker had not come to waits again, whole, and no host is said to be lost."""
    verdicts += ["not begun"]
    trial, pack = tune.must_ask()
    tune.die(trial)
    assert keys([pack]) == keys([tune.must_ask()[1]])
    assert ["a worker died before it began a pack of 3 runs (mosi/rank=1, …), which waits again"] == tune.said


def test_workers_that_never_come_to_a_pack_end_the_sweep(tune: Tune, verdicts: list[str | None]) -> None:
    """Three in a row that start, and die before their pack, are enough."""
    verdicts += ["not begun"] * 3
    for _ in range(3):
        assert tune.searcher.failure is None
        trial, _pack = tune.must_ask()
        tune.die(trial)
    assert Searcher.FINISHED == tune.ask()
    assert "3 workers in a row died before they began" in str(tune.searcher.failure)


def test_workers_that_cannot_start_end_the_sweep(tune: Tune) -> None:
    """A worker that dies before it begins is no pack's fault; three in a row, and none has ever begun."""
    for _ in range(3):
        assert tune.searcher.failure is None
        trial, pack = tune.must_ask()
        tune.die(trial, began=False)
    assert isinstance(tune.searcher.failure, SweepError)
    assert "3 workers in a row died before they began" in str(tune.searcher.failure)
    assert "/logs" in str(tune.searcher.failure)
    assert 24 >= len(keys([pack])), "nothing was given up for dead"
    assert 0 == tune.queue.progress().failed


@pytest.mark.parametrize("failure", ["store", "start"])
def test_what_no_pack_can_help_ends_the_sweep(tune: Tune, failure: str) -> None:
    """A worker that cannot reach the store, or cannot begin, ends the sweep, and the host is named."""
    trial, pack = tune.must_ask()
    tune.end(trial, failed(pack, failure, "trials/ cannot be written"))
    assert "on there: trials/ cannot be written" == str(tune.searcher.failure)
    assert tune.ask() == Searcher.FINISHED, "nothing more is handed out"


def test_a_lost_lease_ends_the_sweep(tune: Tune) -> None:
    """Once another driver has taken over, nothing is recorded and nothing handed out."""
    trial, pack = tune.must_ask()
    tune.lease.lost = True
    tune.end(trial, tune.worker.work(pack, ""))
    assert isinstance(tune.searcher.failure, StoreBusyError)
    assert 0 == tune.queue.progress().epochs_done


def test_tune_may_tell_twice(tune: Tune) -> None:
    """A trial that Tune tells of twice counts once."""
    trial, pack = tune.must_ask()
    report = tune.worker.work(pack, "")
    tune.end(trial, report)
    tune.die(trial, began=False)
    assert tune.searcher.failure is None


def test_a_bug_is_not_swallowed(tune: Tune, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tune swallows what a searcher raises; it is kept, with its traceback in a note."""

    def broken(*_: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(Queue, "record", broken)
    trial, pack = tune.must_ask()
    tune.end(trial, tune.worker.work(pack, ""))
    assert isinstance(tune.searcher.failure, KeyError)
    assert "in broken" in tune.searcher.failure.__notes__[0]
