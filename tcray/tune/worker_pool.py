"""Workers of a sweep: how many to request, and the pack that each gets when it has started."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ray

from tcray.search.pending import Signature
from tcray.search.queue import Pack, Queue
from tcray.tune.capacity import Capacity
from tcray.tune.pack_sizes import LARGEST, PackSizes


@dataclass(slots=True)
class WorkerRequest:
    """A requested worker; once it has started, also its node and its pack.

    known_nodes     ids of the schedulable nodes at the time of the request
    requested_at    by `time.monotonic`
    pack_taken      Ray's reference to the worker's acknowledgement of its pack
    """

    known_nodes: frozenset[str]
    requested_at: float = field(default_factory=time.monotonic)
    node: str | None = None
    pack: Pack | None = None
    pack_taken: ray.ObjectRef | None = None


@dataclass(slots=True)
class WorkerPool:
    """All requested workers, by the id of their Tune trial."""

    queue: Queue
    sizes: PackSizes
    capacity: Capacity
    requests: dict[str, WorkerRequest] = field(default_factory=dict, init=False)

    @property
    def packs_by_node(self) -> Mapping[str, int]:
        """Return the number of packs in training, by node id."""
        requests = self.requests.values()
        return Counter(request.node for request in requests if request.node is not None and request.pack is not None)

    @property
    def waiting_since(self) -> Sequence[float]:
        """Return when each worker was requested that has not started yet, by `time.monotonic`."""
        return [request.requested_at for request in self.requests.values() if request.node is None]

    def needs_worker(self) -> bool:
        """True if one more worker should be requested.

        There is one worker for every pack that can be formed, as long as a slot is free. Beyond that, hosts that an
        autoscaler may add are requested too, but only for full packs that remain when every present slot has one, so
        that a small sweep does not start a fleet. If no worker is running and no slot is free, one worker waits for
        whichever host comes.
        """
        waiting = self.queue.count_waiting()
        if not any(waiting.values()):
            return False
        schedulable = self.capacity.schedulable_nodes()
        busy = sum(request.node in schedulable for request in self.requests.values())
        free, not_started = max(0, self.capacity.slots() - busy), len(self.waiting_since)
        if not_started < free and not_started < self._count_packs(waiting):
            return True
        headroom = self._useful_headroom() if self.requests else 1
        return headroom > 0 and not_started < free + headroom

    def next_pack(self) -> Pack | None:
        """Return the next pack, with a size that suits its signature and the slots; None if no run waits."""
        signature = self.queue.peek()
        if signature is None:
            return None
        return self.queue.take(min(LARGEST, self._limit(signature, self.queue.count_waiting())))

    def _useful_headroom(self) -> int:
        """Return how many workers to request on hosts that an autoscaler may add."""
        headroom = self.capacity.headroom()
        return headroom and min(headroom, self.queue.count_ready() // self.sizes.first - self.capacity.slots())

    def _count_packs(self, waiting: Mapping[Signature, int]) -> int:
        """Return the number of packs that would be formed of the waiting runs."""
        return sum(math.ceil(runs / self._limit(signature, waiting)) for signature, runs in waiting.items())

    def _limit(self, signature: Signature, waiting: Mapping[Signature, int]) -> int:
        """Return the largest size for the next pack; slots of hosts that may never come do not make packs smaller."""
        slots, schedulable = max(1, self.capacity.slots()), self.capacity.schedulable_nodes()
        free = slots - sum(packs for node, packs in self.packs_by_node.items() if node in schedulable)
        return self.sizes.limit(signature, sum(waiting.values()), slots, max(1, free))
