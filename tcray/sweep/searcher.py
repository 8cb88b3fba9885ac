"""Ray Tune's view of the queue: it asks for workers, gives each a pack, and records what comes of it."""

from __future__ import annotations

import math
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from tcray.errors import SweepError, TcrayError
from tcray.search.line import Signature
from tcray.search.queue import Pack, Queue
from tcray.store.lease import Lease
from tcray.sweep.inquest import Inquest
from tcray.sweep.packing import LARGEST, PackSizes
from tcray.sweep.placement import Room, Share
from tcray.sweep.remarks import Remarks
from tcray.sweep.report import Report
from tcray.sweep.trainable import ORDER, REPORT, Order

STILLBORN = 3
"""Workers in a row that may die before they begin, until the sweep is given up."""


@dataclass(slots=True)
class Hire:
    """A worker that was asked for, and once it is there its node and what it was given to do.

    asked_at    by `time.monotonic`
    around      ids of the nodes that were up then
    taken       comes true once the worker has its pack
    """

    share: Share
    around: frozenset[str]
    asked_at: float = field(default_factory=time.monotonic)
    node: str | None = None
    pack: Pack | None = None
    taken: ray.ObjectRef | None = None


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
    failure     why the sweep cannot go on; to be looked at, since Tune swallows what a searcher raises
    nodes       the id of the node on which each trial had its worker
    """

    queue: Queue
    lease: Lease
    sizes: Mapping[str, PackSizes]
    room: Room
    node_of: Callable[[Any], str]
    remarks: Remarks
    logs: str
    say: Callable[[str], None]
    failure: Exception | None = field(default=None, init=False)
    nodes: dict[str, str] = field(default_factory=dict, init=False)
    _hires: dict[str, Hire] = field(default_factory=dict, init=False)
    _inquests: list[tuple[Pack, Inquest]] = field(default_factory=list, init=False)
    _stillborn: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Makes it one of Tune's."""
        super().__init__()

    @property
    def packs(self) -> Mapping[str, int]:
        """How many packs are being trained on a node, by its id."""
        return Counter(hire.node for hire in self._hires.values() if hire.node is not None and hire.pack is not None)

    @property
    def waits(self) -> Sequence[float]:
        """Since when workers are waited for that were asked for and are not there, by `time.monotonic`."""
        return [hire.asked_at for hire in self._hires.values() if hire.node is None]

    @property
    def over(self) -> bool:
        """Whether there is nothing left to ask for."""
        return self.queue.finished or self.failure is not None

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
            hire = self._hires[trial_id]
            hire.node = self.nodes[trial_id] = self.node_of(worker)
            self._employ(hire, hire.node, worker)
        except Exception as failure:  # noqa: BLE001  Tune would mark the trial and go on
            self._give_up(failure)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Records what came of a pack."""
        hire = self._hires.pop(trial_id, None)
        if hire is None or self.failure is not None:
            return
        try:
            self.lease.check()
            if error or result is None:
                self._died(hire)
            elif hire.pack is not None:
                self._hear(hire.pack, hire.share.device, result[REPORT].pop())
        except Exception as failure:  # noqa: BLE001  Tune would mark the trial and go on
            self._give_up(failure)

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the store is the only memory."""

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles it for a restore that never comes."""
        return {}

    def _suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        self._conclude()
        if self.over:
            return str(Searcher.FINISHED)
        share = self._wanted()
        if share is None:
            assert self._hires or self._inquests, "a queue that is not finished has packs waiting or in flight"
            return None
        self.lease.check()
        self._hires[trial_id] = Hire(share, self.room.staying())
        return {ORDER: Order(share, self.room.pins(share))}

    def _wanted(self) -> Share | None:
        """What a further worker is to be given, if there should be one.

        There is a worker for every pack that can be formed, as long as a slot is free. Hosts that may come are asked
        for too, by as many as have a full pack each once every slot that is there has one: a small sweep calls up no
        fleet. Where nobody is at work and no slot is free, one worker waits for whatever comes.
        """
        waiting = self.queue.waiting()
        if not any(waiting.values()):
            return None
        main, *_ = shares = self.room.placement.shares
        asked = Counter(hire.share for hire in self._hires.values() if hire.node is None)
        busy = Counter(hire.share for hire in self._hires.values() if hire.node is not None)
        free = {share: max(0, self.room.slots(share) - busy[share]) for share in shares}
        provided = sum(min(asked[share], free[share]) for share in shares)
        for share in shares:
            if asked[share] < free[share] and provided < self._packs_of(waiting, share):
                return share
        to_come = self._to_come(main) if self._hires else 1
        return main if to_come > 0 and asked[main] < free[main] + to_come else None

    def _to_come(self, share: Share) -> int:
        """How many workers to ask for on hosts that may come."""
        growth = self.room.growth(share)
        return growth and min(growth, self.queue.ready() // self.sizes[share.device].first - self._slots)

    def _packs_of(self, waiting: Mapping[Signature, int], share: Share) -> int:
        """How many packs would be formed of these runs."""
        return sum(math.ceil(runs / self._limit(signature, waiting, share)) for signature, runs in waiting.items())

    def _limit(self, signature: Signature, waiting: Mapping[Signature, int], share: Share) -> int:
        """Most runs the next pack may have. Slots that may come count for nothing: packs do not shrink for them."""
        at_work = sum(hire.pack is not None for hire in self._hires.values())
        free = max(1, self._slots - at_work)
        return self.sizes[share.device].limit(signature, sum(waiting.values()), max(1, self._slots), free)

    @property
    def _slots(self) -> int:
        return sum(self.room.slots(share) for share in self.room.placement.shares)

    def _employ(self, hire: Hire, node: str, worker: Any) -> None:
        if node not in self.room.staying():
            ray.kill(worker)  # it does nothing yet, and Ray starts none there: the next is elsewhere
            return
        hire.pack = self._take(hire.share)
        if hire.pack is not None:
            hire.taken = worker.take.remote(hire.pack)

    def _take(self, share: Share) -> Pack | None:
        """The next pack, as large as is good for its signature and these slots; None if others were faster."""
        pack = self.queue.take(LARGEST)
        if pack is None:
            return None
        waiting = Counter(self.queue.waiting())
        waiting[pack.signature] += len(pack.segments)
        limit = self._limit(pack.signature, waiting, share)
        if len(pack.segments) <= limit:
            return pack
        self.queue.lost(pack)  # back to its place: only now is it known whose turn it is
        return self.queue.take(limit)

    def _hear(self, pack: Pack, device: str, report: Report) -> None:
        self._stillborn = 0
        match report.failure:
            case None:
                self.queue.record(pack, report.outcomes, report.circumstances)
                self._measure(pack, self.sizes[device], report.seconds)
                for remark in self.remarks.on(report):
                    self.say(remark)
            case "crash":
                self.say(f"{_named(pack)} failed: {report.reason}{_what_next(pack)}")
                self.queue.crashed(pack)
            case "store" | "start":
                holds, _, remedy = report.reason.partition("\n")
                raise SweepError(f"on {report.circumstances.host}: {holds}", remedy)

    def _measure(self, pack: Pack, sizes: PackSizes, seconds: float) -> None:
        size, epochs = len(pack.segments), pack.stop - pack.start
        kind = (pack.start, pack.stop, pack.segments[0].confirm)
        sizes.measured(pack.signature, kind, size, size * epochs / max(seconds, 1e-9))

    def _died(self, hire: Hire) -> None:
        """Begins to find out why a process died; one that had no pack did not die of it."""
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
                    self.queue.lost(pack)
                    self._count_stillborn()
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
