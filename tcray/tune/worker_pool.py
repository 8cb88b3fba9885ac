"""The workers of a sweep: how many to ask for, and which pack each is given once it is there."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ray

from tcray.search.pending import Signature
from tcray.search.queue import Pack, Queue
from tcray.tune.pack_sizes import LARGEST, PackSizes
from tcray.tune.placement import Capacity, WorkerResources


@dataclass(slots=True)
class WorkerRequest:
    """A worker that was asked for, and once it is there its node and what it was given to do.

    around      ids of the nodes that were up when it was asked for, and were to stay
    pins        ids of the only nodes that it may be on; empty where any will do
    asked_at    by `time.monotonic`
    taken       comes true once the worker has its pack
    """

    share: WorkerResources
    around: frozenset[str]
    pins: tuple[str, ...] = ()
    asked_at: float = field(default_factory=time.monotonic)
    node: str | None = None
    pack: Pack | None = None
    taken: ray.ObjectRef | None = None


@dataclass(slots=True)
class WorkerPool:
    """All of them, by the trial of Tune that each is.

    sizes   of packs, by device
    """

    queue: Queue
    sizes: Mapping[str, PackSizes]
    room: Capacity
    hires: dict[str, WorkerRequest] = field(default_factory=dict, init=False)

    @property
    def packs(self) -> Mapping[str, int]:
        """How many packs are being trained on a node, by its id."""
        return Counter(hire.node for hire in self.hires.values() if hire.node is not None and hire.pack is not None)

    @property
    def waits(self) -> Mapping[WorkerResources, Sequence[float]]:
        """Since when workers are waited for that were asked for and are not there, by `time.monotonic`."""
        found: dict[WorkerResources, list[float]] = {share: [] for share in self.room.placement.shares}
        for hire in self._counted():
            if hire.node is None:
                found[hire.share].append(hire.asked_at)
        return found

    def wanted(self) -> WorkerResources | None:
        """What a further worker is to be given, if there should be one.

        There is a worker for every pack that can be formed, as long as a slot is free. Hosts that may come are asked
        for too, by as many as have a full pack each once every slot that is there has one: a small sweep calls up no
        fleet. Where nobody is at work and no slot is free, one worker waits for whatever comes.
        """
        waiting = self.queue.count_waiting()
        if not any(waiting.values()):
            return None
        hires = self._counted()
        free = self._free(hires)
        asked = Counter(hire.share for hire in hires if hire.node is None)
        provided = sum(min(asked[share], free[share]) for share in free)
        for share in free:
            if asked[share] < free[share] and provided < self._packs_of(waiting, share):
                return share
        main = self.room.placement.shares[0]
        to_come = self._to_come(main) if hires else 1
        return main if to_come > 0 and asked[main] < free[main] + to_come else None

    def next_pack(self, share: WorkerResources) -> Pack | None:
        """The next pack, as large as is good for its signature and these slots; None if others were faster."""
        signature = self.queue.peek()
        if signature is None:
            return None
        return self.queue.take(min(LARGEST, self._limit(signature, self.queue.count_waiting(), share)))

    def _counted(self) -> Sequence[WorkerRequest]:
        """All but those that wait for a host that has gone, as no other will do."""
        staying = self.room.staying()
        return [hire for hire in self.hires.values() if not hire.pins or not staying.isdisjoint(hire.pins)]

    def _free(self, hires: Sequence[WorkerRequest]) -> Mapping[WorkerResources, int]:
        """How many slots have none of these workers, by share; those on a host that is about to leave fill none."""
        staying = self.room.staying()
        busy = Counter(hire.share for hire in hires if hire.node in staying)
        return {share: max(0, self.room.slots(share) - busy[share]) for share in self.room.placement.shares}

    def _to_come(self, share: WorkerResources) -> int:
        """How many workers to ask for on hosts that may come."""
        growth = self.room.growth(share)
        return growth and min(growth, self.queue.count_ready() // self.sizes[share.device].first - self._slots)

    def _packs_of(self, waiting: Mapping[Signature, int], share: WorkerResources) -> int:
        """How many packs would be formed of these runs."""
        return sum(math.ceil(runs / self._limit(signature, waiting, share)) for signature, runs in waiting.items())

    def _limit(self, signature: Signature, waiting: Mapping[Signature, int], share: WorkerResources) -> int:
        """Most runs the next pack may have. Slots that may come count for nothing: packs do not shrink for them."""
        slots, staying = max(1, self._slots), self.room.staying()
        free = slots - sum(packs for node, packs in self.packs.items() if node in staying)
        return self.sizes[share.device].limit(signature, sum(waiting.values()), slots, max(1, free))

    @property
    def _slots(self) -> int:
        return sum(self.room.slots(share) for share in self.room.placement.shares)
