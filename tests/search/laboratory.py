"""A small world for the search: cards of datasets that need not exist, and a trainer that knows its answers at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tcray.config.domains import LogUniform, Uniform
from tcray.config.metrics import METRICS
from tcray.config.run import Run, digest
from tcray.config.sweep import Asha, Confirm, Search, Sweep, Training
from tcray.data.catalog import Card
from tcray.search.plan import Plan, plan
from tcray.search.queue import Execution, Pack, Queue, TestExamples
from tcray.store.export import export_rows
from tcray.store.outcome import Evaluation, Outcome
from tcray.store.store import Store, SweepStore


def _card(name: str, task: Any, widths: dict[str, int], sizes: tuple[int, int, int], metric: str) -> Card:
    return Card(
        name, "twin", task, widths, sizes, 1, "", f"fingerprint of {name}", saw_labels=False, primary_metric=metric
    )


CARDS: Mapping[str, Card] = {
    card.name: card
    for card in (
        _card("mosi", "regression", {"text": 100, "audio": 73, "video": 100}, (1447, 250, 502), "mae"),
        _card("mustard", "classification", {"text": 300, "audio": 283, "video": 2048}, (284, 50, 356), "f1"),
        _card("hateful_memes", "classification", {"text": 512, "image": 512}, (2125, 250, 500), "auroc"),
    )
}
EXAMPLES: Mapping[str, TestExamples] = {name: TestExamples(("a", "b"), ("g", "h"), (0.0, 1.0)) for name in CARDS}


def a_sweep(**changes: Any) -> Sweep:
    """Two ranks of one dataset, two tuned hyperparameters, three waves of four, rungs at 2 and 4 of 8 epochs."""
    given: dict[str, Any] = {
        "name": "small",
        "datasets": ("mosi",),
        "training": Training(8),
        "factors": {"rank": (1, 4)},
        "tune": {"lr": LogUniform(1e-4, 1e-1), "dropout": Uniform(0.0, 0.5)},
        "search": Search("tpe", trials=12, wave=4, pruner=Asha(2, 2.0)),
        "confirm": Confirm(seeds=2, repeats=2),
    }
    return Sweep(**{**given, **changes})


def a_plan(**changes: Any) -> Plan:
    """The plan of `a_sweep` on the datasets it names."""
    sweep = a_sweep(**changes)
    return plan(sweep, {name: CARDS[name] for name in sweep.datasets})


def a_store(folder: Path, planned: Plan) -> SweepStore:
    """The sweep's own part of a store in `folder`."""
    return Store.open(str(folder), create=True).sweep(planned.sweep_id())


@dataclass
class Trainer:
    """Trains nothing: a run's curve is a function of the run, and with a learning rate above `edge` it diverges."""

    edge: float = math.inf
    objective: str = "valid.loss"
    curves: dict[str, list[float]] = field(default_factory=dict)
    """By run id, of every run trained."""
    trained: list[tuple[str, int, int]] = field(default_factory=list)
    """Run id, start and stop of every segment, in order."""

    def train(self, pack: Pack) -> list[Outcome]:
        """The outcomes of a pack; of its confirm runs, when they end, with evaluations and spectra."""
        return [self.outcome(s.run, s.start, s.stop, confirm=s.confirm) for s in pack.segments]

    def outcome(self, run: Run, start: int, stop: int, *, confirm: bool = False) -> Outcome:
        """What comes of training a run from one epoch to another."""
        self.trained.append((run.run_id, start, stop))
        values = self.curves.setdefault(run.run_id, self.curve(run))
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

    def curve(self, run: Run) -> list[float]:
        """The objective after each epoch: best somewhere in between, at a learning rate of 0.001 and no dropout."""
        luck = int(digest([run.run_id]), 16) / 16**16
        distance = abs(math.log10(run.configuration.lr) + 3) + run.configuration.dropout + luck / 4
        losses = [distance + (1 + luck) / epoch + 0.01 * epoch for epoch in range(1, run.epochs + 1)]
        return [-loss for loss in losses] if self._maximize else losses

    @property
    def _maximize(self) -> bool:
        return METRICS[self.objective.removeprefix("valid.")].maximize


def circumstances(pack: Pack, host: str = "here") -> Execution:
    """Where and when a pack is said to have been trained."""
    now = datetime.now(UTC)
    return Execution(host, "cpu", f"pack-{pack.number}", len(pack.segments), now - timedelta(seconds=1), now)


def finish(queue: Queue, trainer: Trainer, limit: int = 64) -> None:
    """Trains whatever there is, one pack at a time, until nothing is left."""
    while (pack := queue.take(limit)) is not None:
        queue.record(pack, trainer.train(pack), circumstances(pack))
    assert queue.finished


def exported(store: SweepStore) -> list[dict[str, Any]]:
    """All that is reproducible of what a store holds."""
    return list(export_rows(store, reproducible=True))


def of_table(rows: Sequence[dict[str, Any]], table: str, **equal: Any) -> list[dict[str, Any]]:
    """The exported rows of one table whose columns equal what is asked."""
    wanted = {"table": table, **equal}
    return [row for row in rows if wanted.items() <= {name: row.get(name) for name in wanted}.items()]
