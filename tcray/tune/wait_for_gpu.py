"""Wait for the first GPU node, which may take long if a cloud has no capacity; it is reported and can be stopped."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tcray.search.queue import Queue
from tcray.store.lease import Lease
from tcray.tune.capacity import Capacity
from tcray.tune.status.pending import count_pending
from tcray.tune.status.reporter import DriverState

Reporting = Callable[[DriverState], contextlib.AbstractContextManager[Callable[[], None]]]


@dataclass
class WaitForGpu:
    """Context manager: waits for the first GPU node; after a grace period the driver appears in `tcray status`.

    start_queue   returns the queue, and first writes the sweep's manifest if there is none; too costly for a short wait
    workers       the number of workers requested
    report        returns a context manager that reports a driver's state
    """

    start_queue: Callable[[], Queue]
    lease: Lease
    capacity: Capacity
    workers: int
    report: Reporting
    packs_by_node: Mapping[str, int] = field(default_factory=dict, init=False)
    trial_nodes: Mapping[str, str] = field(default_factory=dict, init=False)
    _tick: Callable[[], None] | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        """Start the grace period."""
        self._since = time.monotonic()
        self._reporting = contextlib.ExitStack()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop reporting."""
        self._reporting.close()

    @property
    def queue(self) -> Queue:
        """Return the sweep's queue."""
        return self.start_queue()

    @property
    def waiting_since(self) -> Sequence[float]:
        """Return the start of the wait, once for each worker."""
        return [self._since] * self.workers

    def tick(self) -> None:
        """Check the lease and report the wait; called about once per second.

        Raises KeyboardInterrupt if the driver was asked to stop, StoreBusyError if another driver has taken over.
        """
        self.lease.check()
        if self.lease.stop_requested:
            raise KeyboardInterrupt
        if self._tick is None and self._is_long():
            self._tick = self._reporting.enter_context(self.report(self))
        if self._tick is not None:
            self._tick()

    def _is_long(self) -> bool:
        """True if the wait has taken long enough to be reported."""
        capacity = self.capacity
        return count_pending(self.waiting_since, capacity.nodes(), capacity.resources, self.packs_by_node).packs > 0
