"""How a sweep is doing as its driver sees it, told in the store to whoever looks on from elsewhere."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from ray.exceptions import RayError

from tcray.errors import StoreError
from tcray.search.queue import Progress
from tcray.store.activity import Activity, Host, Leader, write_activity
from tcray.store.store import SweepStore
from tcray.sweep.autoscaler import NONE, Launches
from tcray.sweep.hosts import Hosts
from tcray.sweep.searcher import PackSearcher
from tcray.sweep.waiting import why

TELL_SECONDS = 10.0
"""Between two words to the store, for which the autoscaler is looked at."""

SLOW_SECONDS = 15.0
"""A worker that has not begun by then is told of, if no host has room for it: they take some seconds to start."""
STUCK_SECONDS = 60.0
"""The same where there is room: Ray waits without a word."""


@dataclass
class Lookout:
    """Inside `with` it sees how a sweep is doing, and tells it in the store; at the end a last time.

    objective   what runs are judged by
    launches    tells what the autoscaler is at
    """

    store: SweepStore
    searcher: PackSearcher
    objective: str
    launches: Callable[[], Launches]
    _launched: Launches = field(default=NONE, init=False)
    _seen: tuple[Host, ...] = field(default=(), init=False)
    _told_at: float = field(default=-math.inf, init=False)

    def __enter__(self) -> Self:
        """Begins to watch: the pace is measured from here."""
        self._hosts = Hosts(self.searcher.room.placement.slots_of)
        self._began, self._epochs = time.monotonic(), self.searcher.queue.progress().epochs_done
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Tells it a last time."""
        self._tell()

    def tick(self) -> None:
        """Tells how the sweep is doing, if the last time was a while ago."""
        if time.monotonic() - self._told_at >= TELL_SECONDS:
            self._launched = self.launches()
            self._tell()

    def activity(self) -> Activity:
        """How it is doing now."""
        progress = self.searcher.queue.progress()
        self._look(progress)
        left = self._seconds_left(progress)
        return activity(self.searcher.lease.token, self.objective, progress, self._seen, self._why(progress), left)

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        with contextlib.suppress(StoreError):  # the next write that matters reports it
            write_activity(self.store, self.activity())

    def _look(self, progress: Progress) -> None:
        ended: Counter[str] = Counter()
        for pack, runs in progress.ended_in.items():
            ended[self.searcher.nodes.get(pack.rpartition("-")[2], "")] += runs
        with contextlib.suppress(RayError):  # whoever needs Ray reports it
            self._seen = self._hosts.look(self.searcher.room.nodes(), self.searcher.packs, ended)

    def _why(self, progress: Progress) -> dict[str, str]:
        now, waits, ready = time.monotonic(), self.searcher.waits, self.searcher.queue.ready()
        return why(
            self._seen,
            self._launched,
            runs=ready,
            packs=sum(now - since > SLOW_SECONDS for since in waits),
            stuck=sum(now - since > STUCK_SECONDS for since in waits),
            more=progress.planned > progress.ended + progress.in_flight + ready,
        )

    def _seconds_left(self, progress: Progress) -> float | None:
        """At the pace so far."""
        done = progress.epochs_done - self._epochs
        elapsed = time.monotonic() - self._began
        return progress.epochs_to_do * elapsed / done if done else None


def activity(
    token: str,
    objective: str,
    progress: Progress,
    hosts: tuple[Host, ...],
    why: Mapping[str, str],
    seconds_left: float | None = None,
) -> Activity:
    """What the driver with the lease of this token is at, now."""
    return Activity(
        token=token,
        at=time.time(),
        objective=objective,
        planned=progress.planned,
        complete=progress.complete,
        pruned=progress.pruned,
        failed=progress.failed,
        running=progress.in_flight,
        seconds_left=seconds_left,
        best=tuple(Leader(dataset, best.cell, best.value) for dataset, best in progress.best.items()),
        hosts=hosts,
        why=why,
    )
