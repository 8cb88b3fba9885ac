"""Status of a running sweep: collected by the driver, written to the store for `tcray status`, and displayed."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from ray.exceptions import RayError
from rich.console import Console

from tcray.config.sweep import Sweep
from tcray.errors import StoreError
from tcray.search.queue import Progress, Queue
from tcray.store.driver_status import BestRun, DriverStatus, Host, write_status
from tcray.store.lease import Lease
from tcray.store.store import SweepStore
from tcray.tune.capacity import Capacity
from tcray.tune.ray.autoscaler_status import NO_AUTOSCALER, AutoscalerStatus
from tcray.tune.status.display import Display
from tcray.tune.status.hosts import HostTracker
from tcray.tune.status.pending import count_pending, pending_reasons

WRITE_SECONDS = 10.0
"""Interval at which the autoscaler is queried and the status is written to the store."""


class DriverState(Protocol):
    """Driver state exposed to the status reporter."""

    @property
    def queue(self) -> Queue:
        """Return the sweep's queue."""

    @property
    def lease(self) -> Lease:
        """Return the driver's lease."""

    @property
    def capacity(self) -> Capacity:
        """Return the capacity of the cluster."""

    @property
    def packs_by_node(self) -> Mapping[str, int]:
        """Return the number of packs in training, by node id."""

    @property
    def waiting_since(self) -> Sequence[float]:
        """Return when each worker was requested that has not started yet, by `time.monotonic`."""

    @property
    def trial_nodes(self) -> Mapping[str, str]:
        """Return the id of the node on which each Tune trial had its worker."""


@contextlib.contextmanager
def reporting_status(
    sweep: Sweep,
    store: SweepStore,
    state: DriverState,
    autoscaler_status: Callable[[], AutoscalerStatus],
    console: Console,
) -> Iterator[Callable[[], None]]:
    """Yield a callback that writes the current status to the store and updates the display, at their own intervals."""
    reporter = StatusReporter(store, state, sweep.objective, autoscaler_status)
    with reporter, Display(console, sweep.name, reporter.read_status, show_single_host=False) as display:

        def tick() -> None:
            reporter.tick()
            display.tick()

        yield tick


@dataclass
class StatusReporter:
    """Context manager: writes the driver's status to the store at every tick that is due, and at the end.

    objective           name of the value that runs minimize or maximize
    autoscaler_status   returns the status of the cluster's autoscaler
    """

    store: SweepStore
    state: DriverState
    objective: str
    autoscaler_status: Callable[[], AutoscalerStatus]
    _autoscaler: AutoscalerStatus = field(default=NO_AUTOSCALER, init=False)
    _hosts: tuple[Host, ...] = field(default=(), init=False)
    _reasons: Mapping[str, str] = field(default_factory=dict, init=False)
    _written_at: float = field(default=-math.inf, init=False)

    def __enter__(self) -> Self:
        """Start measuring throughput."""
        self._tracker = HostTracker(self.state.capacity.resources.slots)
        self._started_at, self._first_epochs = time.monotonic(), self.state.queue.progress().epochs_done
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Write the final status."""
        self._write()

    def tick(self) -> None:
        """Write the status if the last write is at least `WRITE_SECONDS` old."""
        if time.monotonic() - self._written_at >= WRITE_SECONDS:
            self._autoscaler = self.autoscaler_status()
            self._write()

    def read_status(self) -> DriverStatus:
        """Return the current status."""
        progress = self.state.queue.progress()
        self._update_hosts(progress)
        return DriverStatus(
            token=self.state.lease.token,
            at=time.time(),
            objective=self.objective,
            planned=progress.planned,
            complete=progress.complete,
            pruned=progress.pruned,
            failed=progress.failed,
            running=progress.in_flight,
            seconds_left=self._estimate_seconds_left(progress),
            best=tuple(BestRun(dataset, best.cell, best.value) for dataset, best in progress.best.items()),
            hosts=self._hosts,
            pending_reasons=self._reasons,
        )

    def _write(self) -> None:
        self._written_at = time.monotonic()
        with contextlib.suppress(StoreError):  # the next write of results raises it again
            write_status(self.store, self.read_status())

    def _update_hosts(self, progress: Progress) -> None:
        ended: Counter[str] = Counter()
        for pack, runs in progress.ended_by_pack.items():
            ended[self.state.trial_nodes.get(pack.rpartition("-")[2], "")] += runs
        ready = self.state.queue.count_ready()
        more = progress.planned > progress.ended + progress.in_flight + ready
        state, capacity = self.state, self.state.capacity
        with contextlib.suppress(RayError):  # the next call that needs Ray raises it again; show the last known hosts
            nodes, packs = capacity.nodes(), state.packs_by_node
            self._hosts = self._tracker.update(nodes, packs, ended)
            pending = count_pending(state.waiting_since, nodes, capacity.resources, packs)
            self._reasons = pending_reasons(self._hosts, self._autoscaler, pending, runs=ready, more=more)

    def _estimate_seconds_left(self, progress: Progress) -> float | None:
        """Return the remaining time at this session's rate; None before any epoch is done."""
        done = progress.epochs_done - self._first_epochs
        elapsed = time.monotonic() - self._started_at
        return progress.epochs_left * elapsed / done if done else None
