from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray.tune.search import Searcher

from tcray.errors import StoreBusyError, SweepError
from tcray.search.plan import find_cards, plan
from tcray.search.queue import Execution, Pack, Queue
from tcray.store.store import Store
from tcray.tune import placement
from tcray.tune import searcher as searching
from tcray.tune.datasets import LazyDatasets, LazyTestExamples
from tcray.tune.nodes import AutoscalingLimits, Node
from tcray.tune.pack_sizes import PackSizes
from tcray.tune.placement import Capacity, Placement, WorkerResources
from tcray.tune.report import Report
from tcray.tune.searcher import PackSearcher
from tcray.tune.status.host_notices import HostNotices
from tcray.tune.trainable import ORDER, REPORT, PlacementRequest
from tcray.tune.worker import Worker as PackWorker

from .factories import make_sweep
from .fakes import FakeTrain

ON_CPU, ON_CARD, BESIDE = (
    WorkerResources(1, 0, "cpu"),
    WorkerResources(1, 0.5, "cuda"),
    WorkerResources(1, 0, "cpu", cpu_only=True),
)


@dataclass
class Lease:
    """A lease that is lost when it is told to be."""

    lost: bool = False

    def check(self) -> None:
        """Raises if it is lost."""
        if self.lost:
            raise StoreBusyError("sweep small-1 was taken over by pid 7 on there")


class Worker:
    """A worker on a node, as a handle of Ray's: what it was told to take."""

    def __init__(self, node: str) -> None:
        """It has no pack."""
        self.node = node
        self.pack: Pack | None = None
        self.take = SimpleNamespace(remote=self._take)

    def _take(self, pack: Pack) -> str:
        self.pack = pack
        return "taken"


class Tune:
    """What Ray Tune does with a searcher, by hand: trials are numbered, and trained when the test says so."""

    def __init__(self, folder: Path, pack: int = 3, slots: int = 2) -> None:
        """Begins the small sweep."""
        sweep = make_sweep(folder)
        planned = plan(sweep, find_cards(sweep))
        store = Store.open(str(folder / "trials"), create=True).sweep(planned.sweep_id())
        library = LazyDatasets(planned.cards, sweep.data.root)
        self.queue = Queue(planned, store, LazyTestExamples(library))
        self.lease = Lease()
        self.said: list[str] = []
        self.stop_asked = False
        self.nodes = [Node("here", slots, 0, "node")]
        self.room = Capacity(Placement((ON_CPU,)), lambda: self.nodes, AutoscalingLimits())
        sizes = dict.fromkeys(("cpu", "cuda"), PackSizes(pack, fixed=True))
        lease: Any = self.lease
        remarks = HostNotices("trials")
        self.searcher = PackSearcher(
            self.queue,
            lease,
            sizes,
            self.room,
            lambda w: w.node,
            remarks,
            "/logs",
            self.said.append,
            lambda: self.stop_asked,
        )
        self.worker = PackWorker(store, library.__getitem__, "cpu", FakeTrain(str(folder / "trace")))
        self.trials = 0

    def ask(self) -> str | None:
        """Asks for a trial: its id, None if there is none now, or that there are no more."""
        self.trials += 1
        given = self.searcher.suggest(str(self.trials))
        return str(self.trials) if isinstance(given, dict) else given

    def ask_all(self) -> list[str]:
        """Asks for trials until there is none."""
        trials = []
        while (trial := self.ask()) is not None:
            assert trial != Searcher.FINISHED
            trials.append(trial)
        return trials

    def begin(self, trial: str, node: str = "node") -> Pack | None:
        """Has a worker for a trial; the pack that it is given."""
        worker = Worker(node)
        self.searcher.began(trial, worker)
        return worker.pack

    def must_begin(self) -> tuple[str, Pack]:
        """Asks for a trial that there has to be, and has a worker for it, which has to have a pack."""
        trial = self.ask()
        assert trial not in (None, Searcher.FINISHED)
        pack = self.begin(trial)
        assert pack is not None
        return trial, pack

    def end(self, trial: str, report: Report) -> list[Report]:
        """Tells of a trial's result; what Tune keeps of it."""
        kept = [report]
        self.searcher.on_trial_complete(trial_id=trial, result={REPORT: kept, "done": True}, error=False)
        return kept

    def die(self, trial: str) -> None:
        """Tells of a trial whose process died."""
        self.searcher.on_trial_complete(trial_id=trial, error=True)


def failed(pack: Pack, failure: Any, reason: str = "") -> Report:
    """The report of a pack that nothing came of."""
    now = datetime.now(UTC)
    return Report(Execution("there", "cpu", "", len(pack.segments), now, now), (), failure, reason)


@pytest.fixture
def tune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tune:
    """Two slots, packs of three, and nodes that are looked at all the time."""
    monkeypatch.setattr(placement, "REFRESH_SECONDS", 0.0)
    return Tune(tmp_path)


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What every inquest comes to, one after another; to be filled by the test."""
    coming: list[str | None] = []

    class Inquest:
        def __init__(self, node: str, taken: str) -> None:
            assert ("node", "taken") == (node, taken)

        def verdict(self) -> str | None:
            return coming.pop(0)

    monkeypatch.setattr(searching, "Inquest", Inquest)
    return coming


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[Worker]:
    """The workers that were sent away."""
    workers: list[Worker] = []
    monkeypatch.setattr(ray, "kill", workers.append)
    return workers


def keys(packs: Sequence[Pack]) -> list[Any]:
    """The runs of packs."""
    return [segment.key for pack in packs for segment in pack.segments]


def test_as_many_workers_as_slots(tune: Tune) -> None:
    """A worker is asked for when a slot is free for it, and no sooner."""
    first, _ = tune.must_begin(), tune.must_begin()
    assert tune.ask() is None
    tune.end(first[0], tune.worker.work(first[1], ""))
    assert 1 == len(tune.ask_all())


def test_a_pack_is_formed_when_a_worker_is_there(tune: Tune) -> None:
    """No run waits for a worker that may not come: whoever is there first has the first pack."""
    early, late = tune.ask_all()
    first = tune.begin(late)
    second = tune.begin(early)
    assert first is not None
    assert second is not None
    assert first.number < second.number
    assert keys([first]) < keys([second])


def test_a_worker_may_come_too_late(tmp_path: Path) -> None:
    """One for which no pack is left does nothing, and that is nothing to be recorded."""
    tune = Tune(tmp_path, pack=3, slots=4)
    trials = tune.ask_all()
    assert 4 == len(trials)
    *_, late = trials
    while tune.queue.take(3):
        pass
    assert tune.begin(late) is None
    tune.searcher.on_trial_complete(trial_id=late, result={REPORT: [], "done": True}, error=False)
    assert tune.searcher.failure is None


def test_a_whole_sweep(tune: Tune) -> None:
    """Asked and told until it has no more, the searcher finishes the queue, and Tune keeps nothing of the results."""
    while (trial := tune.ask()) not in (None, Searcher.FINISHED):
        pack = tune.begin(trial)
        assert pack is not None
        assert [] == tune.end(trial, tune.worker.work(pack, ""))
    assert trial == Searcher.FINISHED
    assert tune.queue.finished
    assert tune.searcher.failure is None
    assert tune.searcher.over


def test_where_packs_are(tune: Tune) -> None:
    """Packs under way are counted by node; workers that are not there wait since they were asked for."""
    there, not_there = tune.ask_all()
    assert {} == tune.searcher.packs
    assert 2 == len(tune.searcher.waits[ON_CPU])
    pack = tune.begin(there)
    assert pack is not None
    assert {"node": 1} == tune.searcher.packs
    assert {ON_CPU: [tune.searcher._crew.hires[not_there].asked_at]} == tune.searcher.waits
    tune.end(there, tune.worker.work(pack, ""))
    assert {} == tune.searcher.packs


def test_both_kinds_of_host(tune: Tune) -> None:
    """Under `device: any` each share is asked for as often as its hosts have slots, and the CPU's is pinned there."""
    tune.room.placement = Placement((ON_CARD, BESIDE))
    tune.nodes[:] = [Node("gpu", 8, 1, "a"), Node("cpu", 2, 0, "b"), Node("leaves", 2, 0, "c", draining=True)]
    orders: list[PlacementRequest] = []
    while isinstance(given := tune.searcher.suggest(str(len(orders))), dict):
        orders.append(given[ORDER])
    assert [PlacementRequest(ON_CARD)] * 2 + [PlacementRequest(BESIDE, ("b", "c"))] * 2 == orders


def test_a_host_that_leaves_begins_nothing(tune: Tune, killed: list[Worker]) -> None:
    """A worker on a node that is about to leave is sent away, and its slot counts no more; nobody is blamed."""
    tune.nodes.append(Node("spot", 2, 0, "spot"))
    trials = tune.ask_all()
    assert 4 == len(trials)
    tune.nodes[1] = replace(tune.nodes[1], draining=True)
    for trial in trials[:3]:
        assert tune.begin(trial, "spot") is None
        tune.die(trial)
    assert ["spot"] * 3 == [worker.node for worker in killed]
    assert tune.searcher.failure is None
    assert 1 == len(tune.ask_all()), "one of two slots has been asked for"
    assert [] == tune.said


def test_a_worker_that_starts_may_die_with_its_host(tune: Tune) -> None:
    """Workers that die before they begin count for nothing where a host went meanwhile."""
    for _ in range(4):
        tune.nodes.append(Node("spot", 1, 0, "spot"))
        trial = tune.ask_all()[-1]
        tune.nodes.pop()
        tune.die(trial)
    assert tune.searcher.failure is None


def test_what_is_remarkable_of_a_host_is_said(tune: Tune) -> None:
    """What the report of a pack that was trained tells of its host is passed on."""
    trial, pack = tune.must_begin()
    tune.end(trial, replace(tune.worker.work(pack, ""), relayed=True))
    assert [f"{socket.gethostname()} does not see trials: states and weights go through this host"] == tune.said


def test_a_crash_is_halved(tune: Tune) -> None:
    """A pack whose training raised is said with its reason, and its halves come first."""
    trial, pack = tune.must_begin()
    tune.end(trial, failed(pack, "crash", "ValueError: no"))
    assert ["a pack of 3 runs (mosi/rank=1, …) failed: ValueError: no; its halves are tried apart"] == tune.said
    halves = [tune.must_begin()[1], tune.must_begin()[1]]
    assert keys([pack]) == keys(halves)


def test_a_process_that_died_alone_is_a_crash(tune: Tune, verdicts: list[str | None]) -> None:
    """Once it is known that the node lives, a pack whose process died is halved; until then others go on."""
    verdicts += [None, "crashed"]
    trial, pack = tune.must_begin()
    tune.die(trial)
    tune.must_begin()
    assert [] == tune.said
    halves = [tune.must_begin()[1]]
    assert ["the worker of a pack of 3 runs (mosi/rank=1, …) died; its halves are tried apart"] == tune.said
    assert keys([pack])[:2] == keys(halves)


def test_a_lost_host_blames_nobody(tune: Tune, verdicts: list[str | None]) -> None:
    """The pack of a host that is gone waits again, whole."""
    verdicts += ["lost"]
    trial, pack = tune.must_begin()
    tune.die(trial)
    assert keys([pack]) == keys([tune.must_begin()[1]])
    assert ["a host was lost: a pack of 3 runs (mosi/rank=1, …) waits again"] == tune.said


def test_a_worker_killed_between_packs_blames_nobody(tune: Tune, verdicts: list[str | None]) -> None:
    """A pack that the worker had not come to waits again, whole, and no host is said to be lost."""
    verdicts += ["not begun"]
    trial, pack = tune.must_begin()
    tune.die(trial)
    assert keys([pack]) == keys([tune.must_begin()[1]])
    assert ["a worker died before it began a pack of 3 runs (mosi/rank=1, …), which waits again"] == tune.said


def test_workers_that_never_come_to_a_pack_end_the_sweep(tune: Tune, verdicts: list[str | None]) -> None:
    """Three in a row that start, and die before their pack, are enough."""
    verdicts += ["not begun"] * 3
    for _ in range(3):
        assert tune.searcher.failure is None
        trial, _pack = tune.must_begin()
        tune.die(trial)
    assert Searcher.FINISHED == tune.ask()
    assert "3 workers in a row died before they began" in str(tune.searcher.failure)


def test_workers_that_cannot_start_end_the_sweep(tune: Tune) -> None:
    """A worker that dies before it begins is no pack's fault; three in a row, and none has ever begun."""
    for _ in range(3):
        assert tune.searcher.failure is None
        tune.die(tune.ask_all()[0])
    assert isinstance(tune.searcher.failure, SweepError)
    assert "3 workers in a row died before they began" in str(tune.searcher.failure)
    assert "/logs" in str(tune.searcher.failure)
    assert 0 == tune.queue.progress().failed


@pytest.mark.parametrize("failure", ["store", "start"])
def test_what_no_pack_can_help_ends_the_sweep(tune: Tune, failure: str) -> None:
    """A worker that cannot reach the store, or cannot begin, ends the sweep, and the host is named."""
    trial, pack = tune.must_begin()
    tune.end(trial, failed(pack, failure, "trials/ cannot be written"))
    assert "on there: trials/ cannot be written" == str(tune.searcher.failure)
    assert tune.ask() == Searcher.FINISHED, "nothing more is handed out"


def test_a_host_that_is_of_no_use_is_done_without(tune: Tune, killed: list[Worker]) -> None:
    """As long as there is another: that is said once, its packs wait again, and nothing more is begun there."""
    tune.nodes.append(Node("late", 2, 0, "late"))
    first, second, third, fourth = tune.ask_all()
    packs = [tune.begin(first, "late"), tune.begin(second, "late")]
    report = failed(packs[0], "start", "tcray is 0.0.9, and 0.1.0 at the driver\nHave the same on every host.")  # type: ignore[arg-type]
    tune.end(first, report)
    tune.end(second, replace(report))
    said = "on there: tcray is 0.0.9, and 0.1.0 at the driver: it takes no part from here. Have the same on every host."
    assert [said] == tune.said
    assert tune.begin(third, "late") is None
    assert ["late"] == [worker.node for worker in killed]
    tune.die(third)
    again = tune.searcher.suggest("again")
    assert {ORDER: PlacementRequest(ON_CPU, bars=("late",))} == again
    assert keys([packs[0]]) == keys([tune.begin(fourth)])  # type: ignore[list-item]
    assert tune.ask() is None, "it is done by two"
    assert tune.searcher.failure is None


def test_a_lost_lease_ends_the_sweep(tune: Tune) -> None:
    """Once another driver has taken over, nothing is recorded and nothing handed out."""
    trial, pack = tune.must_begin()
    tune.lease.lost = True
    tune.end(trial, tune.worker.work(pack, ""))
    assert isinstance(tune.searcher.failure, StoreBusyError)
    assert 0 == tune.queue.progress().epochs_done


def test_a_lost_lease_ends_it_before_anything_is_written(tune: Tune, verdicts: list[str | None]) -> None:
    """Neither what an inquest came to nor what is due is decided any more: that is the other driver's."""
    verdicts += ["crashed"] * 9
    trial, _ = tune.must_begin()
    other = tune.ask()
    assert other not in (None, Searcher.FINISHED)
    tune.die(trial)
    before = [tune.queue._store.read(table).num_rows for table in ("ledger", "runs")]
    tune.lease.lost = True
    assert tune.begin(other) is None
    assert Searcher.FINISHED == tune.ask()
    assert 9 == len(verdicts)
    assert before == [tune.queue._store.read(table).num_rows for table in ("ledger", "runs")]


def test_whoever_stops_the_sweep_waits_for_no_inquest(tune: Tune, verdicts: list[str | None]) -> None:
    """With no worker left Tune would ask on and on, without a look at who wants to leave."""
    verdicts += [None] * 2
    trial, _ = tune.must_begin()
    tune.die(trial)
    assert not tune.searcher.over
    tune.stop_asked = True
    assert Searcher.FINISHED == tune.ask()


def test_tune_may_tell_twice(tune: Tune) -> None:
    """A trial that Tune tells of twice counts once."""
    trial, pack = tune.must_begin()
    report = tune.worker.work(pack, "")
    tune.end(trial, report)
    tune.die(trial)
    assert tune.searcher.failure is None


def test_a_bug_is_not_swallowed(tune: Tune, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tune swallows what a searcher raises; it is kept, with its traceback in a note."""

    def broken(*_: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(Queue, "record", broken)
    trial, pack = tune.must_begin()
    tune.end(trial, tune.worker.work(pack, ""))
    assert isinstance(tune.searcher.failure, KeyError)
    assert "in broken" in tune.searcher.failure.__notes__[0]
