"""Ray Tune's view of the queue: asked for a pack it gives the next one, told of its end it records what came of it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from tcray.errors import SweepError, TcrayError
from tcray.search.queue import Pack, Queue
from tcray.store.lease import Lease
from tcray.sweep.inquest import Inquest
from tcray.sweep.packing import LARGEST, PackSizes
from tcray.sweep.report import Report
from tcray.sweep.trainable import ORDER, REPORT, Order

STILLBORN = 3
"""Workers in a row that may die before they begin, until the sweep is given up."""


@dataclass(slots=True)
class Flight:
    """A pack that was handed out, and the node it is on, once a worker has begun it."""

    pack: Pack
    node: ray.ObjectRef | None = None


@dataclass
class PackSearcher(Searcher):  # type: ignore[misc]  # Ray has no types
    """Hands out as many packs as there are slots. The driver's only writer: the queue records before it decides.

    slots       tells how many packs can be trained at a time, now
    logs        Ray's folder, for messages
    say         tells the user of a pack that failed
    failure     why the sweep cannot go on; to be looked at, since Tune swallows what a searcher raises
    """

    queue: Queue
    lease: Lease
    sizes: PackSizes
    slots: Callable[[], int]
    logs: str
    say: Callable[[str], None]
    failure: Exception | None = field(default=None, init=False)
    _flights: dict[str, Flight] = field(default_factory=dict, init=False)
    _inquests: list[tuple[Pack, Inquest]] = field(default_factory=list, init=False)
    _stillborn: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Makes it one of Tune's."""
        super().__init__()

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next pack; None while every slot has one, or nothing waits."""
        try:
            return self._suggest(trial_id)
        except Exception as error:  # noqa: BLE001  Tune would wait for every worker before it passes it on
            self._give_up(error)
            return str(Searcher.FINISHED)  # not None: with no pack in flight Tune would ask for ten minutes

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Records what came of a pack."""
        flight = self._flights.pop(trial_id, None)
        if flight is None or self.failure is not None:
            return
        try:
            self.lease.check()
            if error or result is None:
                self._died(flight)
            else:
                self._hear(flight.pack, result[REPORT].pop())
        except Exception as failure:  # noqa: BLE001  Tune would mark the trial and go on
            self._give_up(failure)

    def began(self, trial_id: str, node: ray.ObjectRef) -> None:
        """A worker begins the pack, on the node of this id."""
        self._flights[trial_id].node = node

    @property
    def waits_for_workers(self) -> bool:
        """Whether packs are handed out, and no worker is at any of them."""
        return bool(self._flights) and all(flight.node is None for flight in self._flights.values())

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the store is the only memory."""

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles it for a restore that never comes."""
        return {}

    def _suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        self._conclude()
        if self.queue.finished or self.failure is not None:
            return str(Searcher.FINISHED)
        slots = self.slots()
        free = slots - len(self._flights)
        if free <= 0:
            return None
        self.lease.check()
        pack = self._take(slots, free)
        if pack is None:
            assert self._flights or self._inquests, "a queue that is not finished has packs waiting or in flight"
            return None
        self._flights[trial_id] = Flight(pack)
        return {ORDER: Order(pack)}

    def _take(self, slots: int, free: int) -> Pack | None:
        """The next pack, as large as is good for its signature and these slots."""
        pack = self.queue.take(LARGEST)
        if pack is None:
            return None
        waiting = len(pack.segments) + sum(self.queue.waiting().values())
        limit = self.sizes.limit(pack.signature, waiting, slots, free)
        if len(pack.segments) <= limit:
            return pack
        self.queue.lost(pack)  # back to its place: only now is it known whose turn it is
        return self.queue.take(limit)

    def _hear(self, pack: Pack, report: Report) -> None:
        self._stillborn = 0
        match report.failure:
            case None:
                self.queue.record(pack, report.outcomes, report.circumstances)
                self._measure(pack, report)
            case "memory":
                self.say(f"{_named(pack)} did not fit into memory{_what_next(pack)}")
                self.queue.out_of_memory(pack)
            case "crash":
                self.say(f"{_named(pack)} failed: {report.reason}{_what_next(pack)}")
                self.queue.crashed(pack)
            case "store" | "start":
                raise SweepError(f"on {report.circumstances.host}: {report.reason}")

    def _measure(self, pack: Pack, report: Report) -> None:
        size, epochs = len(pack.segments), pack.stop - pack.start
        kind = (pack.start, pack.stop, pack.segments[0].confirm)
        self.sizes.measured(pack.signature, kind, size, size * epochs / max(report.seconds, 1e-9))

    def _died(self, flight: Flight) -> None:
        """Begins to find out why a process died; one that had not begun its pack did not die of it."""
        if flight.node is None:
            self._not_begun(flight.pack)
        else:
            self._inquests.append((flight.pack, Inquest(flight.node)))

    def _not_begun(self, pack: Pack) -> None:
        """Blames nothing on a pack that no worker came to, but gives up where that goes on."""
        self._stillborn += 1
        self.queue.lost(pack)
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
                    self._not_begun(pack)
                case "lost":
                    self.say(f"a host was lost: {_named(pack)} waits again")
                    self.queue.lost(pack)
                case "crashed":
                    self._stillborn = 0
                    self.say(f"the worker of {_named(pack)} died{_what_next(pack)}")
                    self.queue.crashed(pack)
        self._inquests = pending

    def _give_up(self, error: Exception) -> None:
        """Notes why the sweep cannot go on, without the frames: those keep Tune's objects alive, and so its workers."""
        if not isinstance(error, TcrayError):
            error.add_note("".join(traceback.format_exception(error)))
        error.__cause__ = error.__context__ = None
        self.failure = error.with_traceback(None)


class InTurn(FIFOScheduler):  # type: ignore[misc]  # Ray has no types
    """Lets Tune start trials in the order in which they came.

    Tune's own first-come scheduler gives a worker that is free to the eldest trial, and if a worker of its own is just
    starting for that one, ends it: where packs are shorter than a start, a slot would never be filled.
    """

    def choose_trial_to_run(self, tune_controller: object) -> None:
        """None in particular."""


def _named(pack: Pack) -> str:
    runs = len(pack.segments)
    return f"a pack of {runs} {'run' if runs == 1 else 'runs'} ({pack.segments[0].key.cell}{', …' if runs > 1 else ''})"


def _what_next(pack: Pack) -> str:
    return "; its halves are tried apart" if len(pack.segments) > 1 else ""
