"""How a sweep is doing as its driver sees it, told in the store to whoever looks on from elsewhere."""

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
from tcray.store.driver_status import BestRun, DriverStatus, Host, write_activity
from tcray.store.lease import Lease
from tcray.store.store import SweepStore
from tcray.tune.placement import Capacity, WorkerResources
from tcray.tune.ray.autoscaler_status import NONE, AutoscalerStatus
from tcray.tune.status.display import Display
from tcray.tune.status.hosts import Hosts
from tcray.tune.status.pending import waiting, why

TELL_SECONDS = 10.0
"""Between two words to the store, for which the autoscaler is looked at."""


class DriverState(Protocol):
    """What there is to be seen of a driver."""

    @property
    def queue(self) -> Queue:
        """What it works off."""

    @property
    def lease(self) -> Lease:
        """By which it does."""

    @property
    def room(self) -> Capacity:
        """Where packs may be."""

    @property
    def packs(self) -> Mapping[str, int]:
        """How many are being trained on a node, by its id."""

    @property
    def waits(self) -> Mapping[WorkerResources, Sequence[float]]:
        """Since when workers are waited for that were asked for and are not there, by `time.monotonic`."""

    @property
    def nodes(self) -> Mapping[str, str]:
        """The id of the node on which each trial of Tune had its worker."""


@contextlib.contextmanager
def watched(
    sweep: Sweep, store: SweepStore, scene: DriverState, launches: Callable[[], AutoscalerStatus], console: Console
) -> Iterator[Callable[[], None]]:
    """Inside `with` what there is to be seen is told in the store and shown, whenever what this yields is called."""
    lookout = StatusReporter(store, scene, sweep.objective, launches)
    with lookout, Display(console, sweep.name, lookout.activity, lone=False) as display:

        def tick() -> None:
            lookout.tick()
            display.tick()

        yield tick


@dataclass
class StatusReporter:
    """Inside `with` it sees how a sweep is doing, and tells it in the store; at the end a last time.

    objective   what runs are judged by
    launches    tells what the autoscaler is at
    """

    store: SweepStore
    scene: DriverState
    objective: str
    launches: Callable[[], AutoscalerStatus]
    _launched: AutoscalerStatus = field(default=NONE, init=False)
    _seen: tuple[Host, ...] = field(default=(), init=False)
    _why: Mapping[str, str] = field(default_factory=dict, init=False)
    _told_at: float = field(default=-math.inf, init=False)

    def __enter__(self) -> Self:
        """Begins to watch: the pace is measured from here."""
        self._hosts = Hosts(self.scene.room.placement.slots_of)
        self._began, self._epochs = time.monotonic(), self.scene.queue.progress().epochs_done
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Tells it a last time."""
        self._tell()

    def tick(self) -> None:
        """Tells how the sweep is doing, if the last time was a while ago."""
        if time.monotonic() - self._told_at >= TELL_SECONDS:
            self._launched = self.launches()
            self._tell()

    def activity(self) -> DriverStatus:
        """How it is doing now."""
        progress = self.scene.queue.progress()
        self._look(progress)
        return DriverStatus(
            token=self.scene.lease.token,
            at=time.time(),
            objective=self.objective,
            planned=progress.planned,
            complete=progress.complete,
            pruned=progress.pruned,
            failed=progress.failed,
            running=progress.in_flight,
            seconds_left=self._seconds_left(progress),
            best=tuple(BestRun(dataset, best.cell, best.value) for dataset, best in progress.best.items()),
            hosts=self._seen,
            why=self._why,
        )

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        with contextlib.suppress(StoreError):  # the next write that matters reports it
            write_activity(self.store, self.activity())

    def _look(self, progress: Progress) -> None:
        ended: Counter[str] = Counter()
        for pack, runs in progress.ended_by_pack.items():
            ended[self.scene.nodes.get(pack.rpartition("-")[2], "")] += runs
        ready = self.scene.queue.count_ready()
        more = progress.planned > progress.ended + progress.in_flight + ready
        with contextlib.suppress(RayError):  # whoever needs Ray reports it
            nodes, packs = self.scene.room.nodes(), self.scene.packs
            self._seen = self._hosts.look(nodes, packs, ended)
            self._why = why(self._seen, self._launched, waiting(self.scene.waits, nodes, packs), runs=ready, more=more)

    def _seconds_left(self, progress: Progress) -> float | None:
        """At the pace so far."""
        done = progress.epochs_done - self._epochs
        elapsed = time.monotonic() - self._began
        return progress.epochs_left * elapsed / done if done else None
