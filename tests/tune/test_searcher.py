from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray.tune.search import Searcher

from tcray.errors import StoreBusyError, SweepError
from tcray.search.queue import Execution, Pack, Queue
from tcray.tune import capacity
from tcray.tune import searcher as searcher_module
from tcray.tune.capacity import AutoscalingLimits, Capacity, Node, WorkerResources
from tcray.tune.pack_sizes import PackSizes
from tcray.tune.searcher import PackSearcher
from tcray.tune.status.host_notices import HostNotices
from tcray.tune.trainable import REPORT, REQUEST, PlacementRequest
from tcray.tune.worker import Report, Worker
from tcray.tune.worker_death import Cause

from .factories import make_queue, make_sweep
from .fakes import FakeLease, FakeTrain

ON_CPU = WorkerResources(1, 0, "cpu")


class FakeActor:
    """A Ray actor on a node, with the pack that it took."""

    def __init__(self, node: str) -> None:
        """Start without a pack."""
        self.node = node
        self.pack: Pack | None = None
        self.take_pack = SimpleNamespace(remote=self._take)

    def _take(self, pack: Pack) -> str:
        self.pack = pack
        return "taken"


class FakeTune:
    """Ray Tune's calls of a searcher, one by one; trials are numbered."""

    def __init__(self, folder: Path, pack: int = 3, slots: int = 2) -> None:
        """Start the small sweep with packs of this size, on one node with this number of slots."""
        self.queue, store, datasets = make_queue(folder / "trials", make_sweep(folder))
        self.lease = FakeLease()
        self.printed: list[str] = []
        self.stop_requested = False
        self.nodes = [Node("here", slots, 0, "node")]
        lease: Any = self.lease
        self.searcher = PackSearcher(
            queue=self.queue,
            lease=lease,
            sizes=PackSizes(pack, fixed=True),
            capacity=Capacity(ON_CPU, lambda: self.nodes, AutoscalingLimits()),
            node_of=lambda actor: actor.node,
            notices=HostNotices("trials"),
            logs="/logs",
            print_note=self.printed.append,
            stop_requested=lambda: self.stop_requested,
        )
        self.worker = Worker(store, datasets.__getitem__, "cpu", FakeTrain(str(folder / "trace")))
        self.trials = 0

    def suggest(self) -> str | None:
        """Ask for a trial; return its id, None if there is none now, or FINISHED."""
        self.trials += 1
        suggested = self.searcher.suggest(str(self.trials))
        return str(self.trials) if isinstance(suggested, dict) else suggested

    def suggest_all(self) -> list[str]:
        """Ask for trials until there is none; return their ids."""
        trials = []
        while (trial := self.suggest()) is not None:
            assert trial != Searcher.FINISHED
            trials.append(trial)
        return trials

    def start(self, trial: str, node: str = "node") -> Pack | None:
        """Start the worker of a trial; return the pack that it gets."""
        actor = FakeActor(node)
        self.searcher.on_worker_ready(trial, actor)
        return actor.pack

    def start_next(self) -> tuple[str, Pack]:
        """Ask for a trial and start its worker; both must succeed."""
        trial = self.suggest()
        assert trial not in (None, Searcher.FINISHED)
        pack = self.start(trial)
        assert pack is not None
        return trial, pack

    def finish(self, trial: str, report: Report) -> list[Report]:
        """Complete a trial with a report; return the list that Tune keeps."""
        kept = [report]
        self.searcher.on_trial_complete(trial_id=trial, result={REPORT: kept, "done": True}, error=False)
        return kept

    def die(self, trial: str) -> None:
        """Complete a trial whose process died."""
        self.searcher.on_trial_complete(trial_id=trial, error=True)


def failed_report(pack: Pack, failure: Any, reason: str = "") -> Report:
    """Return the report of a pack without outcomes."""
    now = datetime.now(UTC)
    return Report(Execution("there", "cpu", "", len(pack.segments), now, now), (), failure, reason)


@pytest.fixture
def tune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTune:
    """Return Tune with two slots and packs of three; nodes are listed at each call."""
    monkeypatch.setattr(capacity, "REFRESH_SECONDS", 0.0)
    return FakeTune(tmp_path)


@pytest.fixture
def causes(monkeypatch: pytest.MonkeyPatch) -> list[Cause | None]:
    """Return the results of successive diagnoses, to be filled by the test."""
    coming: list[Cause | None] = []

    class FakeDeath:
        @staticmethod
        def on_node(node: str, pack: Pack, taken: str) -> SimpleNamespace:
            assert ("node", "taken") == (node, taken)
            return SimpleNamespace(pack=pack)

    monkeypatch.setattr(searcher_module, "WorkerDeath", FakeDeath)
    monkeypatch.setattr(searcher_module, "diagnose_worker_death", lambda death: coming.pop(0))
    return coming


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[FakeActor]:
    """Return the actors that were killed."""
    actors: list[FakeActor] = []
    monkeypatch.setattr(ray, "kill", actors.append)
    return actors


def keys(packs: Sequence[Pack]) -> list[Any]:
    """Return the keys of the runs in packs."""
    return [segment.key for pack in packs for segment in pack.segments]


def test_one_worker_per_slot(tune: FakeTune) -> None:
    """A worker is requested when a slot is free, and no sooner."""
    first, _ = tune.start_next(), tune.start_next()
    assert tune.suggest() is None
    tune.finish(first[0], tune.worker.train_pack(first[1], ""))
    assert 1 == len(tune.suggest_all())


def test_a_pack_is_formed_when_a_worker_has_started(tune: FakeTune) -> None:
    """The first worker that starts gets the first pack, so no run waits for a worker that may never start."""
    early, late = tune.suggest_all()
    first = tune.start(late)
    second = tune.start(early)
    assert first is not None
    assert second is not None
    assert first.number < second.number
    assert keys([first]) < keys([second])


def test_a_worker_may_start_too_late(tmp_path: Path) -> None:
    """A worker for which no pack is left does nothing, and nothing is recorded."""
    tune = FakeTune(tmp_path, pack=3, slots=4)
    trials = tune.suggest_all()
    assert 4 == len(trials)
    *_, late = trials
    while tune.queue.take(3):
        pass
    assert tune.start(late) is None
    tune.searcher.on_trial_complete(trial_id=late, result={REPORT: [], "done": True}, error=False)
    assert tune.searcher.failure is None


def test_a_whole_sweep(tune: FakeTune) -> None:
    """The searcher works through the whole queue, and Tune keeps none of the reports."""
    while (trial := tune.suggest()) not in (None, Searcher.FINISHED):
        pack = tune.start(trial)
        assert pack is not None
        assert [] == tune.finish(trial, tune.worker.train_pack(pack, ""))
    assert trial == Searcher.FINISHED
    assert tune.queue.finished
    assert tune.searcher.failure is None
    assert tune.searcher.is_over


def test_packs_are_counted_by_node(tune: FakeTune) -> None:
    """Packs in training are counted by node; requested workers wait from the time of their request."""
    started, not_started = tune.suggest_all()
    assert {} == tune.searcher.packs_by_node
    assert 2 == len(tune.searcher.waiting_since)
    pack = tune.start(started)
    assert pack is not None
    assert {"node": 1} == tune.searcher.packs_by_node
    assert [tune.searcher._pool.requests[not_started].requested_at] == tune.searcher.waiting_since
    tune.finish(started, tune.worker.train_pack(pack, ""))
    assert {} == tune.searcher.packs_by_node


def test_a_leaving_host_starts_nothing(tune: FakeTune, killed: list[FakeActor]) -> None:
    """A worker on a node that is about to leave is ended, and this does not count as a failure."""
    tune.nodes.append(Node("spot", 2, 0, "spot"))
    trials = tune.suggest_all()
    assert 4 == len(trials)
    tune.nodes[1] = replace(tune.nodes[1], draining=True)
    for trial in trials[:3]:
        assert tune.start(trial, "spot") is None
        tune.die(trial)
    assert ["spot"] * 3 == [actor.node for actor in killed]
    assert tune.searcher.failure is None
    assert 1 == len(tune.suggest_all()), "one of two slots has a request"
    assert [] == tune.printed


def test_a_starting_worker_may_die_with_its_host(tune: FakeTune) -> None:
    """Workers that die before they start do not count as startup failures if a host left meanwhile."""
    for _ in range(4):
        tune.nodes.append(Node("spot", 1, 0, "spot"))
        trial = tune.suggest_all()[-1]
        tune.nodes.pop()
        tune.die(trial)
    assert tune.searcher.failure is None


def test_notices_about_hosts_are_printed(tune: FakeTune) -> None:
    """Notices that follow from the report of a pack are printed."""
    trial, pack = tune.start_next()
    tune.finish(trial, replace(tune.worker.train_pack(pack, ""), relayed=True))
    assert [
        f"{socket.gethostname()} does not see trials: checkpoints and weights pass through this host"
    ] == tune.printed


def test_a_failed_pack_is_bisected(tune: FakeTune) -> None:
    """If training raised an exception, it is printed, and the halves of the pack come next."""
    trial, pack = tune.start_next()
    tune.finish(trial, failed_report(pack, "crash", "ValueError: no"))
    assert ["a pack of 3 runs (mosi/rank=1, …) failed: ValueError: no; its halves are tried separately"] == tune.printed
    halves = [tune.start_next()[1], tune.start_next()[1]]
    assert keys([pack]) == keys(halves)


def test_the_pack_of_a_crashed_process_is_bisected(tune: FakeTune, causes: list[Cause | None]) -> None:
    """When the diagnosis finds a crash, the pack is bisected; until then other packs continue."""
    causes += [None, "crashed"]
    trial, pack = tune.start_next()
    tune.die(trial)
    tune.start_next()
    assert [] == tune.printed
    halves = [tune.start_next()[1]]
    assert ["the worker of a pack of 3 runs (mosi/rank=1, …) died; its halves are tried separately"] == tune.printed
    assert keys([pack])[:2] == keys(halves)


def test_the_pack_of_a_lost_host_is_queued_again(tune: FakeTune, causes: list[Cause | None]) -> None:
    """If the diagnosis finds a lost host, the pack is queued again, whole."""
    causes += ["host_lost"]
    trial, pack = tune.start_next()
    tune.die(trial)
    assert keys([pack]) == keys([tune.start_next()[1]])
    assert ["a host was lost: a pack of 3 runs (mosi/rank=1, …) is queued again"] == tune.printed


def test_the_pack_of_a_worker_killed_between_packs_is_queued_again(tune: FakeTune, causes: list[Cause | None]) -> None:
    """A pack that its worker had not taken is queued again, whole, and no host counts as lost."""
    causes += ["failed_to_start"]
    trial, pack = tune.start_next()
    tune.die(trial)
    assert keys([pack]) == keys([tune.start_next()[1]])
    assert ["a worker died before it started a pack of 3 runs (mosi/rank=1, …), which is queued again"] == tune.printed


def test_workers_that_never_take_their_pack_end_the_sweep(tune: FakeTune, causes: list[Cause | None]) -> None:
    """Three workers in a row that start but die before they take their pack end the sweep."""
    causes += ["failed_to_start"] * 3
    for _ in range(3):
        assert tune.searcher.failure is None
        trial, _pack = tune.start_next()
        tune.die(trial)
    assert Searcher.FINISHED == tune.suggest()
    assert "3 workers in a row died before they started to work" in str(tune.searcher.failure)


def test_workers_that_cannot_start_end_the_sweep(tune: FakeTune) -> None:
    """Three workers in a row that die before they start end the sweep, and no run counts as failed."""
    for _ in range(3):
        assert tune.searcher.failure is None
        tune.die(tune.suggest_all()[0])
    assert isinstance(tune.searcher.failure, SweepError)
    assert "3 workers in a row died before they started to work" in str(tune.searcher.failure)
    assert "/logs" in str(tune.searcher.failure)
    assert 0 == tune.queue.progress().failed


@pytest.mark.parametrize("failure", ["store", "start"])
def test_a_failure_of_the_host_ends_the_sweep(tune: FakeTune, failure: str) -> None:
    """If the only host cannot reach the store or start a worker, the sweep ends with the name of the host."""
    trial, pack = tune.start_next()
    tune.finish(trial, failed_report(pack, failure, "trials/ cannot be written"))
    assert "on there: trials/ cannot be written" == str(tune.searcher.failure)
    assert tune.suggest() == Searcher.FINISHED


def test_a_host_that_cannot_start_workers_is_excluded(tune: FakeTune, killed: list[FakeActor]) -> None:
    """If another host is up, the first one is excluded with one message, and its packs are queued again."""
    tune.nodes.append(Node("late", 2, 0, "late"))
    first, second, third, fourth = tune.suggest_all()
    pack = tune.start(first, "late")
    assert pack is not None
    tune.start(second, "late")
    problem = "tcray is 0.0.9, but 0.1.0 on the driver"
    report = failed_report(pack, "start", f"{problem}\nInstall the same versions.")
    tune.finish(first, report)
    tune.finish(second, replace(report))
    expected = f"on there: {problem}: this host is excluded from now on. Install the same versions."
    assert [expected] == tune.printed
    assert tune.start(third, "late") is None
    assert ["late"] == [actor.node for actor in killed]
    tune.die(third)
    again = tune.searcher.suggest("again")
    assert {REQUEST: PlacementRequest(ON_CPU, excluded_nodes=("late",))} == again
    queued_again = tune.start(fourth)
    assert queued_again is not None
    assert keys([pack]) == keys([queued_again])
    assert tune.suggest() is None, "two slots are left"
    assert tune.searcher.failure is None


def test_a_lost_lease_ends_the_sweep(tune: FakeTune) -> None:
    """When another driver has taken over, no result is recorded."""
    trial, pack = tune.start_next()
    tune.lease.lost = True
    tune.finish(trial, tune.worker.train_pack(pack, ""))
    assert isinstance(tune.searcher.failure, StoreBusyError)
    assert 0 == tune.queue.progress().epochs_done


def test_a_lost_lease_ends_the_sweep_before_any_write(tune: FakeTune, causes: list[Cause | None]) -> None:
    """When another driver has taken over, no death is diagnosed and nothing is written."""
    causes += ["crashed"] * 9
    trial, _ = tune.start_next()
    other = tune.suggest()
    assert other not in (None, Searcher.FINISHED)
    tune.die(trial)
    before = [tune.queue._store.read(table).num_rows for table in ("ledger", "runs")]
    tune.lease.lost = True
    assert tune.start(other) is None
    assert Searcher.FINISHED == tune.suggest()
    assert 9 == len(causes)
    assert before == [tune.queue._store.read(table).num_rows for table in ("ledger", "runs")]


def test_a_stop_request_does_not_wait_for_a_diagnosis(tune: FakeTune, causes: list[Cause | None]) -> None:
    """Without a worker Tune would poll forever, so the searcher finishes at once when a stop is requested."""
    causes += [None] * 2
    trial, _ = tune.start_next()
    tune.die(trial)
    assert not tune.searcher.is_over
    tune.stop_requested = True
    assert Searcher.FINISHED == tune.suggest()


def test_a_second_completion_is_ignored(tune: FakeTune) -> None:
    """A trial that Tune completes twice counts once."""
    trial, pack = tune.start_next()
    report = tune.worker.train_pack(pack, "")
    tune.finish(trial, report)
    tune.die(trial)
    assert tune.searcher.failure is None


def test_an_unexpected_exception_is_kept(tune: FakeTune, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tune swallows exceptions of a searcher, so the searcher keeps them, with the traceback in a note."""

    def broken(*_: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(Queue, "record", broken)
    trial, pack = tune.start_next()
    tune.finish(trial, tune.worker.train_pack(pack, ""))
    assert isinstance(tune.searcher.failure, KeyError)
    assert "in broken" in tune.searcher.failure.__notes__[0]
