"""A driver with bad luck: packs come back in any order or never, and it is killed at any write."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tcray.search.plan import Plan
from tcray.search.queue import Pack, Queue
from tcray.store.store import SweepStore

from .laboratory import EXAMPLES, Trainer, circumstances


class Killed(BaseException):
    """The driver was killed."""


class MortalStore:
    """A sweep's store whose driver is killed when it writes or deletes for the `lives`-th time, before that happens."""

    def __init__(self, store: SweepStore, lives: int) -> None:
        self._store = store
        self.lives = lives

    def append(self, table: str, rows: Any) -> None:
        """Appends rows, while the driver lives."""
        if rows:
            self._spend()
        self._store.append(table, rows)

    def delete_blob(self, path: str) -> None:
        """Deletes a blob, while the driver lives."""
        self._spend()
        self._store.delete_blob(path)

    def __getattr__(self, name: str) -> Any:
        """Everything else as the store itself has it."""
        return getattr(self._store, name)

    def _spend(self) -> None:
        self.lives -= 1
        if self.lives == 0:
            raise Killed


@dataclass
class Misfortune:
    """How a sweep is driven, each draw from `chance`; a probability of 0 everywhere is a quiet day."""

    chance: random.Random
    most_in_flight: int = 1
    limit: int = 64
    loses_host: float = 0.0
    kills_process: float = 0.0

    def drive(self, plan: Plan, store: Any, trainer: Trainer) -> Queue:
        """Runs a sweep to its end, or to the driver's."""
        queue = Queue(plan, store, EXAMPLES)
        in_flight: list[Pack] = []
        deaths: dict[Any, int] = {}
        while not queue.finished:
            while len(in_flight) < self.most_in_flight and (pack := queue.take(self.chance.randint(1, self.limit))):
                in_flight.append(pack)
            pack = in_flight.pop(self.chance.randrange(len(in_flight)))
            lone = pack.segments[0].key if len(pack.segments) == 1 else None
            if self.chance.random() < self.loses_host:
                queue.requeue(pack)
            elif self.chance.random() < self.kills_process and deaths.get(lone, 0) < 2:
                deaths[lone] = deaths.get(lone, 0) + (lone is not None)
                queue.record_crash(pack)
            else:
                self._train(queue, store, pack, trainer)
        return queue

    def _train(self, queue: Queue, store: Any, pack: Pack, trainer: Trainer) -> None:
        outcomes = trainer.train(pack)
        for segment, outcome in zip(pack.segments, outcomes, strict=True):
            if outcome.state == "TRAINED" and segment.stop < segment.run.epochs:
                store.write_blob(store.state_path(segment.run.run_id, segment.stop), b"state")
        queue.record(pack, outcomes, circumstances(pack, f"host {self.chance.random()}"))
