"""Sweeps, plans and stores of the tests of the search; the cards are of datasets that need not exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tcray.config.domains import LogUniform, Uniform
from tcray.config.sweep import Asha, Confirm, Search, Sweep, Training
from tcray.data.catalog import Card
from tcray.search.plan import Plan, plan
from tcray.search.queue import Execution, Pack, TestExamples
from tcray.store.export import export_rows
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


def make_sweep(**changes: Any) -> Sweep:
    """Return a sweep of two ranks on one dataset: two tuned, three waves of four, rungs at 2 and 4 of 8 epochs."""
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


def make_plan(**changes: Any) -> Plan:
    """Return the plan of `make_sweep` on the datasets that it names."""
    sweep = make_sweep(**changes)
    return plan(sweep, {name: CARDS[name] for name in sweep.datasets})


def make_store(folder: Path, planned: Plan) -> SweepStore:
    """Return the sweep's own part of a store in `folder`."""
    return Store.open(str(folder), create=True).sweep(planned.sweep_id())


def make_execution(pack: Pack, host: str = "here") -> Execution:
    """Return the execution of a pack on a CPU, which ended just now after one second."""
    now = datetime.now(UTC)
    return Execution(host, "cpu", f"pack-{pack.number}", len(pack.segments), now - timedelta(seconds=1), now)


def export_reproducible(store: SweepStore) -> list[dict[str, Any]]:
    """Return everything reproducible that a store holds."""
    return list(export_rows(store, reproducible=True))


def select_rows(rows: Sequence[dict[str, Any]], table: str, **equal: Any) -> list[dict[str, Any]]:
    """Return the exported rows of one table whose columns have these values."""
    wanted = {"table": table, **equal}
    return [row for row in rows if wanted.items() <= {name: row.get(name) for name in wanted}.items()]
