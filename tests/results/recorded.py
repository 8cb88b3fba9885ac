"""Stores with planted results: what is asked, and a row for each run, written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tcray.config.domains import LogUniform
from tcray.config.run import Configuration, canonical_json, digest
from tcray.config.sweep import Confirm, Search, Sweep, Training
from tcray.data.catalog import Card
from tcray.results.ranking.analysis import Ranking, build_ranking
from tcray.store.store import Store, SweepStore
from tcray.store.trials import read_records

MOSI = Card("mosi", "real", "regression", {"text": 4, "audio": 3}, (8, 4, 4), 1, "video", "m", False, "mae")
MUSTARD = Card("mustard", "twin", "classification", {"text": 4, "audio": 3}, (8, 4, 4), 1, "", "u", False, "f1")

REFERENCES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "mosi": (
        {"name": "median", "metrics": {"valid.loss": 1.3, "test.mae": 1.4, "test.r": float("nan"), "test.acc2": 0.5}},
        {"name": "ridge: all", "metrics": {"valid.loss": 1.0, "test.mae": 0.95, "test.r": 0.6, "test.acc2": 0.75}},
        {
            "name": "best single: text",
            "metrics": {"valid.loss": 1.1, "test.mae": 1.0, "test.r": 0.55, "test.acc2": 0.7},
        },
    ),
    "mustard": (
        {"name": "majority", "metrics": {"valid.loss": 0.69, "test.f1": 0.33, "test.auroc": 0.5, "test.accuracy": 0.5}},
        {
            "name": "logistic: all",
            "metrics": {"valid.loss": 0.6, "test.f1": 0.7, "test.auroc": 0.77, "test.accuracy": 0.7},
        },
        {
            "name": "best single: text",
            "metrics": {"valid.loss": 0.65, "test.f1": 0.6, "test.auroc": 0.6, "test.accuracy": 0.6},
        },
    ),
}


def a_sweep(**changes: Any) -> Sweep:
    """Ranks 2 and 12 of one dataset at their best learning rate, three repeats of two seeds."""
    given: dict[str, Any] = {
        "name": "small",
        "datasets": ("mosi",),
        "training": Training(3),
        "factors": {"rank": (2, 12)},
        "tune": {"lr": LogUniform(1e-4, 1e-1)},
        "search": Search(trials=2, wave=2),
        "confirm": Confirm(seeds=2, repeats=3),
    }
    return Sweep(**{**given, **changes})


def a_run(
    metrics: Mapping[str, float],
    *,
    card: Card = MOSI,
    phase: str = "confirm",
    repeat: int = 0,
    trial: int = 0,
    seed: int = 1,
    state: str = "COMPLETE",
    reason: str = "",
    **levels: Any,
) -> dict[str, Any]:
    """A row of the runs table; `levels` are hyperparameters, of which all but `lr` name its cell."""
    configuration = Configuration.resolve(levels, tuple(card.modalities)).to_flat()
    cell = ",".join(f"{name}={value}" for name, value in levels.items() if name != "lr")
    key = {"phase": phase, "cell": f"{card.name}/{cell}".strip("/"), "repeat": repeat, "trial": trial, "seed": seed}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return {
        **key,
        "run_id": digest([key, configuration]),
        "dataset": card.name,
        "source": card.source,
        "configuration": canonical_json(configuration),
        "state": state,
        "reason": reason,
        "best_epoch": 1,
        "epochs": 3,
        "metrics": metrics,
        "started_at": at,
        "ended_at": at,
        "seconds": 1.0,
    }


def a_store(
    folder: Path,
    runs: Iterable[Mapping[str, Any]],
    *,
    sweep: Sweep | None = None,
    cards: Sequence[Card] = (MOSI,),
    **manifest: Any,
) -> SweepStore:
    """A store in `folder` in which a finished sweep has recorded `runs`."""
    asked = sweep or a_sweep()
    store = Store.open(str(folder / "trials"), create=True).sweep("small-1")
    told = {
        "sweep_id": "small-1",
        "name": asked.name,
        "started_at": "2026-01-01T00:00:00+00:00",
        "finished_at": "2026-01-01T00:01:00+00:00",
        "sweep": asked.to_document(),
        "cards": [card.document() for card in cards],
        "references": {card.name: REFERENCES.get(card.name, ()) for card in cards},
        "left_out": [],
        **manifest,
    }
    store.write_manifest(told)
    store.append("runs", list(runs))
    return store


def ranked(store: SweepStore) -> Ranking:
    """The ranking of what a store holds."""
    return build_ranking(store.read_manifest(), read_records(store))
