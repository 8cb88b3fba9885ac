"""Searcher of Ray Tune: requests workers, assigns packs to them, and records the results."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.tune.search import Searcher

from tcray.errors import SweepError, TcrayError
from tcray.search.queue import Pack, Queue
from tcray.store.lease import Lease
from tcray.tune.capacity import Capacity
from tcray.tune.pack_sizes import PackSizes
from tcray.tune.status.host_notices import HostNotices
from tcray.tune.trainable import REPORT, REQUEST, PlacementRequest
from tcray.tune.worker import Report
from tcray.tune.worker_death import WorkerDeath, diagnose_worker_death
from tcray.tune.worker_pool import WorkerPool, WorkerRequest

MAX_STARTUP_FAILURES = 3
"""The sweep ends after this many workers in a row that died before they took a pack."""


@dataclass
class PackSearcher(Searcher):  # type: ignore[misc]  # Ray has no types
    """A searcher whose trials are workers. It is the only writer of the queue, which records first, then decides.

    A Tune trial is a requested worker: it gets a pack only when it has started, so no run waits for a host that may
    never come. An autoscaler sees the requests that no node can hold.

    node_of          returns the id of the node of an actor
    logs             Ray's log folder, for messages
    print_note       prints a line for the user
    stop_requested   returns True if the sweep should stop
    failure          the exception that ended the sweep; the caller must check it because Tune swallows exceptions
    trial_nodes      the id of the node on which each trial had its worker
    """

    queue: Queue
    lease: Lease
    sizes: PackSizes
    capacity: Capacity
    node_of: Callable[[Any], str]
    notices: HostNotices
    logs: str
    print_note: Callable[[str], None]
    stop_requested: Callable[[], bool]
    failure: Exception | None = field(default=None, init=False)
    trial_nodes: dict[str, str] = field(default_factory=dict, init=False)
    _pool: WorkerPool = field(init=False)
    _deaths: list[WorkerDeath] = field(default_factory=list, init=False)
    _startup_failures: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Initialize Tune's base class and the pool."""
        super().__init__()
        self._pool = WorkerPool(self.queue, self.sizes, self.capacity)

    @property
    def packs_by_node(self) -> Mapping[str, int]:
        """Return the number of packs in training, by node id."""
        return self._pool.packs_by_node

    @property
    def waiting_since(self) -> Sequence[float]:
        """Return when each worker was requested that has not started yet, by `time.monotonic`."""
        return self._pool.waiting_since

    @property
    def is_over(self) -> bool:
        """True if no further worker is needed."""
        return self.queue.finished or self.failure is not None or self.stop_requested()

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return the configuration of one more worker; None if there are enough at the moment."""
        try:
            return self._suggest(trial_id)
        except Exception as error:  # noqa: BLE001  Tune would wait for every worker before raising it
            self._fail(error)
            return str(Searcher.FINISHED)  # after None, with no pack in flight, Tune would poll for ten minutes

    def on_worker_ready(self, trial_id: str, worker: Any) -> None:
        """Assign the next pack to a worker that has started; end a worker on a node that is about to leave."""
        try:
            self.lease.check()
            request = self._pool.requests[trial_id]
            request.node = self.trial_nodes[trial_id] = self.node_of(worker)
            self._assign_pack(request, request.node, worker)
        except Exception as failure:  # noqa: BLE001  Tune would only mark the trial as failed and continue
            self._fail(failure)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Record the result of a pack, or the death of its worker."""
        request = self._pool.requests.pop(trial_id, None)
        if request is None or self.failure is not None:
            return
        try:
            self.lease.check()
            if error or result is None:
                self._handle_death(request)
            elif request.pack is not None:
                self._handle_result(request, request.pack, result[REPORT].pop())
        except Exception as failure:  # noqa: BLE001  Tune would only mark the trial as failed and continue
            self._fail(failure)

    def save(self, checkpoint_path: str) -> None:
        """Write nothing, because the store is the only persistent state."""

    def __getstate__(self) -> dict[str, Any]:
        """Return an empty state: Tune pickles the searcher for a restore that never happens."""
        return {}

    def _suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        self.lease.check()
        self._resolve_deaths()
        if self.is_over:
            return str(Searcher.FINISHED)
        if not self._pool.needs_worker():
            assert self._pool.requests or self._deaths, "an unfinished queue has packs waiting or in flight"
            return None
        self._pool.requests[trial_id] = WorkerRequest(self.capacity.schedulable_nodes())
        return {REQUEST: PlacementRequest(self.capacity.resources, self.capacity.excluded_nodes)}

    def _assign_pack(self, request: WorkerRequest, node: str, worker: Any) -> None:
        self.capacity.refresh()
        if node not in self.capacity.schedulable_nodes():
            ray.kill(worker)  # it is idle, and Ray places the next worker on another node
            return
        request.pack = self._pool.next_pack()
        if request.pack is not None:
            request.pack_taken = worker.take_pack.remote(request.pack)

    def _handle_result(self, request: WorkerRequest, pack: Pack, report: Report) -> None:
        self._startup_failures = 0
        match report.failure:
            case None:
                self.queue.record(pack, report.outcomes, report.execution)
                self._record_rate(pack, report.seconds)
                for notice in self.notices.from_report(report):
                    self.print_note(notice)
            case "crash":
                self.print_note(f"{_describe(pack)} failed: {report.reason}{_announce_halves(pack)}")
                self.queue.record_crash(pack)
            case "start":
                self._exclude_node(request, pack, report)
            case "store":
                raise SweepError(*_split_reason(report))

    def _exclude_node(self, request: WorkerRequest, pack: Pack, report: Report) -> None:
        """Exclude the node of a worker that cannot start. Raises SweepError if no other node is up."""
        assert request.node is not None
        is_new = self.capacity.exclude_node(request.node)
        problem, remedy = _split_reason(report)
        if not any(map(self.capacity.resources.slots, self.capacity.nodes())):
            raise SweepError(problem, remedy)
        self.queue.requeue(pack)
        if is_new:
            self.print_note(f"{problem}: this host is excluded from now on" + (f". {remedy}" if remedy else ""))

    def _record_rate(self, pack: Pack, seconds: float) -> None:
        size, epochs = len(pack.segments), pack.stop - pack.start
        kind = (pack.start, pack.stop, pack.segments[0].confirm)
        self.sizes.record_rate(pack.signature, kind, size, size * epochs / max(seconds, 1e-9))

    def _handle_death(self, request: WorkerRequest) -> None:
        """Start the diagnosis of a worker with a pack; count a worker that died before it started."""
        self.capacity.refresh()
        if request.pack is not None and request.node is not None:
            self._deaths.append(WorkerDeath.on_node(request.node, request.pack, request.pack_taken))
        elif request.node is None and request.known_nodes <= self.capacity.schedulable_nodes():
            self._count_startup_failure()  # no node has left since, so no node took the worker with it

    def _count_startup_failure(self) -> None:
        """Count a worker that died before it took a pack. Raises SweepError at `MAX_STARTUP_FAILURES` in a row."""
        self._startup_failures += 1
        if self._startup_failures >= MAX_STARTUP_FAILURES:
            raise SweepError(
                f"{MAX_STARTUP_FAILURES} workers in a row died before they started to work",
                f"Read Ray's logs ({self.logs}), and check that every node has the same tcray.",
            )

    def _resolve_deaths(self) -> None:
        """Requeue the packs of lost hosts whole, and bisect those of processes that died on living hosts."""
        unresolved = []
        for death in self._deaths:
            pack = death.pack
            match diagnose_worker_death(death):
                case None:
                    unresolved.append(death)
                case "failed_to_start":
                    self.print_note(f"a worker died before it started {_describe(pack)}, which is queued again")
                    self.queue.requeue(pack)
                    self._count_startup_failure()
                case "host_lost":
                    self.print_note(f"a host was lost: {_describe(pack)} is queued again")
                    self.queue.requeue(pack)
                case "crashed":
                    self._startup_failures = 0
                    self.print_note(f"the worker of {_describe(pack)} died{_announce_halves(pack)}")
                    self.queue.record_crash(pack)
        self._deaths = unresolved

    def _fail(self, error: Exception) -> None:
        """Keep the exception without its frames, because frames keep Tune's objects, and so its workers, alive."""
        if not isinstance(error, TcrayError):
            error.add_note("".join(traceback.format_exception(error)))
        error.__cause__ = error.__context__ = None
        self.failure = error.with_traceback(None)


def _describe(pack: Pack) -> str:
    runs = len(pack.segments)
    return f"a pack of {runs} {'run' if runs == 1 else 'runs'} ({pack.segments[0].key.cell}{', …' if runs > 1 else ''})"


def _split_reason(report: Report) -> tuple[str, str]:
    """Return the problem, with the host's name, and the remedy."""
    problem, _, remedy = report.reason.partition("\n")
    return f"on {report.execution.host}: {problem}", remedy


def _announce_halves(pack: Pack) -> str:
    return "; its halves are tried separately" if len(pack.segments) > 1 else ""
