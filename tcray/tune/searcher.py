"""Ray Tune's view of the queue: it asks for workers, gives each a pack, and records what comes of it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from tcray.errors import SweepError, TcrayError
from tcray.search.queue import Pack, Queue
from tcray.store.lease import Lease
from tcray.tune.pack_sizes import PackSizes
from tcray.tune.placement import Capacity, WorkerResources
from tcray.tune.report import Report
from tcray.tune.status.host_notices import HostNotices
from tcray.tune.trainable import ORDER, REPORT, PlacementRequest
from tcray.tune.worker_death import Inquest
from tcray.tune.worker_pool import WorkerPool, WorkerRequest

STILLBORN = 3
"""Workers in a row that may die before they begin, until the sweep is given up."""


@dataclass
class PackSearcher(Searcher):  # type: ignore[misc]  # Ray has no types
    """Asks for workers, and gives each that is there a pack. The driver's only writer: the queue records, then decides.

    A trial of Tune is a worker that is asked for: which pack it gets is decided when it is there, so no run ever waits
    for a host that may not come. Those that no node has room for are what an autoscaler sees.

    sizes       of packs, by device
    node_of     tells the node of a worker
    remarks     on hosts, for the user
    logs        Ray's folder, for messages
    say         tells the user of a pack that failed
    asked       tells whether the sweep is to stop
    failure     why the sweep cannot go on; to be looked at, since Tune swallows what a searcher raises
    nodes       the id of the node on which each trial had its worker
    """

    queue: Queue
    lease: Lease
    sizes: Mapping[str, PackSizes]
    room: Capacity
    node_of: Callable[[Any], str]
    remarks: HostNotices
    logs: str
    say: Callable[[str], None]
    asked: Callable[[], bool]
    failure: Exception | None = field(default=None, init=False)
    nodes: dict[str, str] = field(default_factory=dict, init=False)
    _crew: WorkerPool = field(init=False)
    _inquests: list[tuple[Pack, Inquest]] = field(default_factory=list, init=False)
    _stillborn: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Makes it one of Tune's."""
        super().__init__()
        self._crew = WorkerPool(self.queue, self.sizes, self.room)

    @property
    def packs(self) -> Mapping[str, int]:
        """How many packs are being trained on a node, by its id."""
        return self._crew.packs

    @property
    def waits(self) -> Mapping[WorkerResources, Sequence[float]]:
        """Since when workers are waited for that were asked for and are not there, by `time.monotonic`."""
        return self._crew.waits

    @property
    def over(self) -> bool:
        """Whether nothing more is to be asked for."""
        return self.queue.finished or self.failure is not None or self.asked()

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """A further worker; None while there are enough."""
        try:
            return self._suggest(trial_id)
        except Exception as error:  # noqa: BLE001  Tune would wait for every worker before it passes it on
            self._give_up(error)
            return str(Searcher.FINISHED)  # not None: with no pack in flight Tune would ask for ten minutes

    def began(self, trial_id: str, worker: Any) -> None:
        """A worker is there: it is given the next pack. One on a host that is about to leave goes instead."""
        try:
            self.lease.check()
            hire = self._crew.hires[trial_id]
            hire.node = self.nodes[trial_id] = self.node_of(worker)
            self._employ(hire, hire.node, worker)
        except Exception as failure:  # noqa: BLE001  Tune would mark the trial and go on
            self._give_up(failure)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Records what came of a pack."""
        hire = self._crew.hires.pop(trial_id, None)
        if hire is None or self.failure is not None:
            return
        try:
            self.lease.check()
            if error or result is None:
                self._died(hire)
            elif hire.pack is not None:
                self._hear(hire, hire.pack, result[REPORT].pop())
        except Exception as failure:  # noqa: BLE001  Tune would mark the trial and go on
            self._give_up(failure)

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the store is the only memory."""

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles it for a restore that never comes."""
        return {}

    def _suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        self.lease.check()
        self._conclude()
        if self.over:
            return str(Searcher.FINISHED)
        share = self._crew.wanted()
        if share is None:
            assert self._crew.hires or self._inquests, "a queue that is not finished has packs waiting or in flight"
            return None
        pins = self.room.pins(share)
        self._crew.hires[trial_id] = WorkerRequest(share, self.room.staying(), pins)
        return {ORDER: PlacementRequest(share, pins, self.room.barred)}

    def _employ(self, hire: WorkerRequest, node: str, worker: Any) -> None:
        self.room.refresh()
        if node not in self.room.staying():
            ray.kill(worker)  # it does nothing yet, and Ray starts none there: the next is elsewhere
            return
        hire.pack = self._crew.next_pack(hire.share)
        if hire.pack is not None:
            hire.taken = worker.take.remote(hire.pack)

    def _hear(self, hire: WorkerRequest, pack: Pack, report: Report) -> None:
        self._stillborn = 0
        match report.failure:
            case None:
                self.queue.record(pack, report.outcomes, report.execution)
                self._measure(pack, self.sizes[hire.share.device], report.seconds)
                for remark in self.remarks.on(report):
                    self.say(remark)
            case "crash":
                self.say(f"{_named(pack)} failed: {report.reason}{_what_next(pack)}")
                self.queue.record_crash(pack)
            case "start":
                self._do_without(hire, pack, report)
            case "store":
                raise SweepError(*_told(report))

    def _do_without(self, hire: WorkerRequest, pack: Pack, report: Report) -> None:
        """Gives nothing more to the host of a worker that cannot begin. Raises SweepError where no other host is up."""
        assert hire.node is not None
        is_news = self.room.bar(hire.node)
        holds, remedy = _told(report)
        if not any(map(self.room.placement.slots_of, self.room.nodes())):
            raise SweepError(holds, remedy)
        self.queue.requeue(pack)
        if is_news:
            self.say(f"{holds}: it takes no part from here" + (f". {remedy}" if remedy else ""))

    def _measure(self, pack: Pack, sizes: PackSizes, seconds: float) -> None:
        size, epochs = len(pack.segments), pack.stop - pack.start
        kind = (pack.start, pack.stop, pack.segments[0].confirm)
        sizes.measured(pack.signature, kind, size, size * epochs / max(seconds, 1e-9))

    def _died(self, hire: WorkerRequest) -> None:
        """Begins to find out why a process died; one that had no pack did not die of it."""
        self.room.refresh()
        if hire.pack is not None and hire.node is not None:
            self._inquests.append((hire.pack, Inquest(hire.node, hire.taken)))
        elif hire.node is None and hire.around <= self.room.staying():
            self._count_stillborn()

    def _count_stillborn(self) -> None:
        """Gives up where workers die again and again before they begin, and no host went with them."""
        self._stillborn += 1
        if self._stillborn >= STILLBORN:
            raise SweepError(
                f"{STILLBORN} workers in a row died before they began",
                f"Ray's logs tell why ({self.logs}); is the same tcray installed on every node?",
            )

    def _conclude(self) -> None:
        """Tells a lost host from a process that died on a living one."""
        pending = []
        for pack, inquest in self._inquests:
            match inquest.verdict():
                case None:
                    pending.append((pack, inquest))
                case "not begun":
                    self.say(f"a worker died before it began {_named(pack)}, which waits again")
                    self.queue.requeue(pack)
                    self._count_stillborn()
                case "lost":
                    self.say(f"a host was lost: {_named(pack)} waits again")
                    self.queue.requeue(pack)
                case "crashed":
                    self._stillborn = 0
                    self.say(f"the worker of {_named(pack)} died{_what_next(pack)}")
                    self.queue.record_crash(pack)
        self._inquests = pending

    def _give_up(self, error: Exception) -> None:
        """Notes why the sweep cannot go on, without the frames: those keep Tune's objects alive, and so its workers."""
        if not isinstance(error, TcrayError):
            error.add_note("".join(traceback.format_exception(error)))
        error.__cause__ = error.__context__ = None
        self.failure = error.with_traceback(None)


class SubmissionOrderScheduler(FIFOScheduler):  # type: ignore[misc]  # Ray has no types
    """Lets Tune start trials in the order in which they came.

    Tune's own first-come scheduler gives a worker that is free to the eldest trial, and if a worker of its own is just
    starting for that one, ends it: where packs are shorter than a start, a slot would never be filled.
    """

    def choose_trial_to_run(self, tune_controller: object) -> None:
        """None in particular."""


def _named(pack: Pack) -> str:
    runs = len(pack.segments)
    return f"a pack of {runs} {'run' if runs == 1 else 'runs'} ({pack.segments[0].key.cell}{', …' if runs > 1 else ''})"


def _told(report: Report) -> tuple[str, str]:
    """What keeps a worker from its work, with its host, and what to do."""
    holds, _, remedy = report.reason.partition("\n")
    return f"on {report.execution.host}: {holds}", remedy


def _what_next(pack: Pack) -> str:
    return "; its halves are tried apart" if len(pack.segments) > 1 else ""
