"""The wait for a first host, which may be long where a cloud has none: it is told and shown, and ends if it has to."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tcray.search.queue import Queue
from tcray.store.lease import Lease
from tcray.tune.placement import Capacity, WorkerResources
from tcray.tune.status.pending import waiting
from tcray.tune.status.reporter import DriverState

Watched = Callable[[DriverState], contextlib.AbstractContextManager[Callable[[], None]]]


@dataclass
class WaitForGpu:
    """Inside `with` is a driver for which no host has had room yet. Once that is worth a word it is seen as any other.

    begun     the queue, for which the sweep is begun if it was not: a short wait is not worth that
    workers   how many are waited for
    watch     has a driver seen
    """

    begun: Callable[[], Queue]
    lease: Lease
    room: Capacity
    workers: int
    watch: Watched
    packs: Mapping[str, int] = field(default_factory=dict, init=False)
    nodes: Mapping[str, str] = field(default_factory=dict, init=False)
    _tick: Callable[[], None] | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        """Begins to wait."""
        self._since = time.monotonic()
        self._watch = contextlib.ExitStack()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """A host is there, or the wait was given up."""
        self._watch.close()

    @property
    def queue(self) -> Queue:
        """What is to be worked off."""
        return self.begun()

    @property
    def waits(self) -> Mapping[WorkerResources, Sequence[float]]:
        """All of them wait since the beginning."""
        return {self.room.placement.shares[0]: [self._since] * self.workers}

    def wait(self) -> None:
        """To be called now and then. Raises KeyboardInterrupt where somebody asked the driver to stop.

        Raises StoreBusyError where another driver has taken over.
        """
        self.lease.check()
        if self.lease.stop_asked:
            raise KeyboardInterrupt
        if self._tick is None and waiting(self.waits, self.room.nodes(), self.packs).packs:
            self._tick = self._watch.enter_context(self.watch(self))
        if self._tick is not None:
            self._tick()
