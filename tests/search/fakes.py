"""Fakes: a trainer that computes results without training, an unreliable cluster, and the store of a killed driver."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Any

from tcray.config.metrics import METRICS
from tcray.config.run import Run, digest
from tcray.search.plan import Plan
from tcray.search.queue import Pack, Queue
from tcray.store.outcome import Evaluation, Outcome
from tcray.store.store import SweepStore

from .factories import EXAMPLES, make_execution


@dataclass
class FakeTrainer:
    """Trains nothing: a run's curve is a function of the run, and it diverges if its learning rate is above `edge`."""

    edge: float = math.inf
    objective: str = "valid.loss"
    curves: dict[str, list[float]] = field(default_factory=dict)
    """By run id, of every run trained."""
    trained: list[tuple[str, int, int]] = field(default_factory=list)
    """Run id, start and stop of every segment, in order."""

    def train(self, pack: Pack) -> list[Outcome]:
        """Return the outcomes of a pack; those of confirm runs at their end have evaluations and spectra."""
        return [self.train_segment(s.run, s.start, s.stop, confirm=s.confirm) for s in pack.segments]

    def train_segment(self, run: Run, start: int, stop: int, *, confirm: bool = False) -> Outcome:
        """Return the outcome of training a run from one epoch to another."""
        self.trained.append((run.run_id, start, stop))
        values = self.curves.setdefault(run.run_id, self.compute_curve(run))
        curve = [{"epoch": epoch, self.objective: values[epoch - 1]} for epoch in range(start + 1, stop + 1)]
        diverges_at = 1 + int(digest([run.run_id, "diverges"]), 16) % run.epochs
        if run.configuration.lr > self.edge and diverges_at <= stop:
            return Outcome("FAILED", "diverged", epoch=diverges_at, curve=curve[: diverges_at - start], seconds=0.1)
        best = (max if self._maximize else min)(range(stop), key=values.__getitem__)
        last, result = stop == run.epochs, {"test.mae": values[best] + 1}
        return Outcome(
            "TRAINED",
            epoch=stop,
            value=values[stop - 1],
            best_epoch=best + 1,
            metrics={self.objective: values[best], **(result if last else {})},
            curve=curve,
            evaluations=[Evaluation("clean", result, (values[best], -1.0))] if last and confirm else (),
            spectra={"energy": [1.0, 0.5]} if last and confirm else {},
            seconds=0.1,
        )

    def compute_curve(self, run: Run) -> list[float]:
        """Return the objective after each epoch: best in between, at a learning rate near 0.001 and no dropout."""
        luck = int(digest([run.run_id]), 16) / 16**16
        distance = abs(math.log10(run.configuration.lr) + 3) + run.configuration.dropout + luck / 4
        losses = [distance + (1 + luck) / epoch + 0.01 * epoch for epoch in range(1, run.epochs + 1)]
        return [-loss for loss in losses] if self._maximize else losses

    @property
    def _maximize(self) -> bool:
        return METRICS[self.objective.removeprefix("valid.")].maximize


def train_all(queue: Queue, trainer: FakeTrainer, limit: int = 64) -> None:
    """Train one pack at a time until the queue is finished."""
    while (pack := queue.take(limit)) is not None:
        queue.record(pack, trainer.train(pack), make_execution(pack))
    assert queue.finished


class DriverKilledError(BaseException):
    """The driver was killed."""


class StoreOfKilledDriver:
    """A sweep's store whose driver is killed just before it writes or deletes for the `lives`-th time."""

    def __init__(self, store: SweepStore, lives: int) -> None:
        self._store = store
        self.lives = lives

    def append(self, table: str, rows: Any) -> None:
        """Append rows, unless the driver is killed first."""
        if rows:
            self._spend_life()
        self._store.append(table, rows)

    def delete_blob(self, path: str) -> None:
        """Delete a blob, unless the driver is killed first."""
        self._spend_life()
        self._store.delete_blob(path)

    def __getattr__(self, name: str) -> Any:
        """Return everything else from the store itself."""
        return getattr(self._store, name)

    def _spend_life(self) -> None:
        self.lives -= 1
        if self.lives == 0:
            raise DriverKilledError


@dataclass
class UnreliableCluster:
    """A cluster whose packs return in random order or not at all; with both rates at 0 nothing goes wrong."""

    rng: random.Random
    workers: int = 1
    limit: int = 64
    host_loss_rate: float = 0.0
    crash_rate: float = 0.0

    def run(self, plan: Plan, store: Any, trainer: FakeTrainer) -> Queue:
        """Run a sweep until it is finished or its driver is killed."""
        queue = Queue(plan, store, EXAMPLES)
        in_flight: list[Pack] = []
        crashes: dict[Any, int] = {}
        while not queue.finished:
            while len(in_flight) < self.workers and (pack := queue.take(self.rng.randint(1, self.limit))):
                in_flight.append(pack)
            pack = in_flight.pop(self.rng.randrange(len(in_flight)))
            lone = pack.segments[0].key if len(pack.segments) == 1 else None
            if self.rng.random() < self.host_loss_rate:
                queue.requeue(pack)
            elif self.rng.random() < self.crash_rate and crashes.get(lone, 0) < 2:
                crashes[lone] = crashes.get(lone, 0) + (lone is not None)
                queue.record_crash(pack)
            else:
                self._train(queue, store, pack, trainer)
        return queue

    def _train(self, queue: Queue, store: Any, pack: Pack, trainer: FakeTrainer) -> None:
        outcomes = trainer.train(pack)
        for segment, outcome in zip(pack.segments, outcomes, strict=True):
            if outcome.state == "TRAINED" and segment.stop < segment.run.epochs:
                store.write_blob(store.checkpoint_path(segment.run.run_id, segment.stop), b"state")
        queue.record(pack, outcomes, make_execution(pack, f"host {self.rng.random()}"))
