"""Factories of sweeps, runs and trial stores whose results have known effects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tcray.claims.sweep_runs import SweepRuns
from tcray.claims.verdicts import ComponentTest, Finding, conclude
from tcray.config.domains import LogUniform
from tcray.config.run import MODALITY_DROPOUT, Configuration, digest
from tcray.config.sweep import Confirm, Search, Sweep, Training
from tcray.data.catalog import Card
from tcray.search.cells import Cell, list_cells
from tcray.store.store import Store, SweepStore
from tcray.training.metrics import compute_metrics

MOSI = Card("mosi", "real", "regression", {"text": 4, "audio": 3}, (8, 4, 4), 1, "video", "m", False, "mae")
MUSTARD = Card("mustard", "twin", "classification", {"text": 4, "audio": 3}, (8, 4, 4), 1, "", "u", False, "f1")

BASELINES: Mapping[str, Sequence[Mapping[str, Any]]] = {
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


def make_sweep(**changes: Any) -> Sweep:
    """Return a sweep over ranks 2 and 12 of MOSI with a tuned learning rate and three repeats of two seeds."""
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


def make_run(
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
    """Return a row of the runs table; `levels` are hyperparameters, and all of them except `lr` name the cell."""
    configuration = Configuration.resolve(levels, tuple(card.modalities)).to_flat()
    cell = ",".join(f"{name}={value}" for name, value in levels.items() if name != "lr")
    key = {"phase": phase, "cell": f"{card.name}/{cell}".strip("/"), "repeat": repeat, "trial": trial, "seed": seed}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return {
        **key,
        "run_id": digest([key, configuration]),
        "dataset": card.name,
        "source": card.source,
        **configuration,
        "state": state,
        "reason": reason,
        "best_epoch": 1,
        "epochs": 3,
        "metrics": metrics,
        "started_at": at,
        "ended_at": at,
        "seconds": 1.0,
    }


def make_store(
    folder: Path,
    runs: Iterable[Mapping[str, Any]],
    *,
    sweep: Sweep | None = None,
    cards: Sequence[Card] = (MOSI,),
    **manifest: Any,
) -> SweepStore:
    """Return a store in `folder` with a finished sweep whose runs table contains `runs`."""
    sweep = sweep or make_sweep()
    store = Store.open(str(folder / "trials"), create=True).sweep("small-1")
    written = {
        "sweep_id": "small-1",
        "name": sweep.name,
        "started_at": "2026-01-01T00:00:00+00:00",
        "finished_at": "2026-01-01T00:01:00+00:00",
        "sweep": sweep.to_document(),
        "cards": [card.document() for card in cards],
        "baselines": {card.name: BASELINES.get(card.name, ()) for card in cards},
        "left_out": [],
        **manifest,
    }
    store.write_manifest(written)
    store.append("runs", list(runs))
    return store


Floats = NDArray[np.float64]

GROUPS, EXAMPLES = 6, 10
"""Number of groups of a synthetic test split, and of examples in each group."""


@dataclass(frozen=True)
class RunOutcome:
    """Results of one confirm run.

    prediction  (N,) predictions on the clean test split: sentiments or logits
    also        predictions under other conditions such as `missing:audio`; these are stored as well
    metrics     added to the metrics of `prediction`, or replacing them: `train.loss`, `check.mmd2.text`
    evaluations metrics under conditions whose predictions are not stored, such as `fgsm:0.1`
    spectra     values by kind, such as `factor energy`
    state       final state of the run; if it is not COMPLETE, only the row in `runs` is written
    """

    prediction: ArrayLike
    also: Mapping[str, ArrayLike] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    evaluations: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    spectra: Mapping[str, Sequence[float]] = field(default_factory=dict)
    state: str = "COMPLETE"


OutcomeFunction = Callable[[Mapping[str, Any], int, int], RunOutcome | None]
"""Function from a cell's levels, a repeat and a seed to the outcome of the run; None if there is no such run."""


@dataclass(frozen=True)
class SyntheticDataset:
    """A dataset with its test split and the outcomes of its runs.

    label   (N,) sentiments, or 0 and 1
    group   (N,) group names; ungrouped examples are each their own group
    """

    card: Card
    outcome_of: OutcomeFunction
    label: Floats
    group: tuple[str, ...]

    @classmethod
    def of(cls, card: Card, outcome_of: OutcomeFunction) -> SyntheticDataset:
        """Return a dataset with `GROUPS` groups of `EXAMPLES` test examples each, labeled for the card's task."""
        return cls(card, outcome_of, make_labels(card), make_groups(card))


def make_labels(card: Card) -> Floats:
    """Return labels (GROUPS * EXAMPLES,): sentiments that cycle from -2.75 to 2.75, or 0 and 1 alternating."""
    turn = np.arange(GROUPS * EXAMPLES)
    return turn % 12 / 2 - 2.75 if card.task == "regression" else (turn % 2).astype(np.float64)


def make_groups(card: Card) -> tuple[str, ...]:
    """Return group names: `EXAMPLES` consecutive examples per group, or one example each if the card has no groups."""
    return tuple(
        f"{card.groups or 'example'}-{n // (EXAMPLES if card.groups else 1):02d}" for n in range(GROUPS * EXAMPLES)
    )


def make_predictions(label: Floats, error: ArrayLike) -> Floats:
    """Return sentiments whose absolute error is `error` (one number, or one per example), with alternating sign."""
    side: Floats = np.where(np.arange(len(label)) % 2, 1.0, -1.0)
    return label + side * np.asarray(error, np.float64)


def make_recorded_store(folder: Path, sweep: Sweep, *datasets: SyntheticDataset, **manifest: Any) -> SweepStore:
    """Return a store in `folder` with every confirm run of a finished `sweep` on `datasets`."""
    outcomes = [(dataset, run, outcome) for dataset in datasets for run, outcome in _runs(dataset, sweep)]
    store = make_store(
        folder, [run for _, run, _ in outcomes], sweep=sweep, cards=[d.card for d in datasets], **manifest
    )
    complete = [(dataset, run, outcome) for dataset, run, outcome in outcomes if run["state"] == "COMPLETE"]
    store.append("evaluations", [row for one in complete for row in _evaluations(*one)])
    store.append("predictions", [row for one in complete for row in _predictions(*one)])
    store.append("spectra", [row for _, run, outcome in complete for row in _spectra(run, outcome)])
    return store


def _runs(dataset: SyntheticDataset, sweep: Sweep) -> Iterator[tuple[dict[str, Any], RunOutcome]]:
    """Yield each row of the runs table with its outcome; seed numbers continue from repeat to repeat."""
    confirm = sweep.confirm
    assert confirm is not None
    for cell in list_cells(sweep, dataset.card):
        for seed in range(confirm.repeats * confirm.seeds):
            repeat = seed // confirm.seeds
            outcome = dataset.outcome_of(cell.levels, repeat, seed)
            if outcome is not None:
                yield _run(dataset, sweep, cell, repeat, seed, outcome), outcome


def _run(
    dataset: SyntheticDataset, sweep: Sweep, cell: Cell, repeat: int, seed: int, outcome: RunOutcome
) -> dict[str, Any]:
    measured = {f"test.{k}": v for k, v in _metrics(dataset, outcome.prediction).items()} | dict(outcome.metrics)
    row = make_run(measured, card=dataset.card, repeat=repeat, seed=seed, state=outcome.state)
    configuration = Configuration.resolve({**sweep.fixed, **cell.levels}, tuple(dataset.card.modalities)).to_flat()
    unset = {name: None for name in row if name.startswith(MODALITY_DROPOUT)}
    return {**row, **unset, **configuration, "cell": cell.key, "run_id": digest([cell.key, repeat, seed])}


def _metrics(dataset: SyntheticDataset, prediction: ArrayLike) -> dict[str, float]:
    return compute_metrics(dataset.card.task, np.asarray(prediction, np.float64), dataset.label)


def _evaluations(dataset: SyntheticDataset, run: Mapping[str, Any], outcome: RunOutcome) -> Iterator[dict[str, Any]]:
    predicted = {"clean": outcome.prediction, **outcome.also}
    measured = {condition: _metrics(dataset, prediction) for condition, prediction in predicted.items()}
    for condition, found in {**measured, **outcome.evaluations}.items():
        yield {**_key(run), "condition": condition, "metrics": dict(found)}


def _predictions(dataset: SyntheticDataset, run: Mapping[str, Any], outcome: RunOutcome) -> Iterator[dict[str, Any]]:
    for condition, prediction in {"clean": outcome.prediction, **outcome.also}.items():
        for n, value in enumerate(np.asarray(prediction, np.float64)):
            example = {"example": f"{dataset.card.name}-{n:04d}", "group": dataset.group[n]}
            found = {"label": [dataset.label[n]], "prediction": [value]}
            yield {**_key(run), **example, "condition": condition, **found}


def _spectra(run: Mapping[str, Any], outcome: RunOutcome) -> Iterator[dict[str, Any]]:
    for kind, values in outcome.spectra.items():
        for index, value in enumerate(values):
            yield {**_key(run), "kind": kind, "index": index, "value": float(value)}


def _key(run: Mapping[str, Any]) -> dict[str, Any]:
    return {name: run[name] for name in ("phase", "cell", "repeat", "trial", "seed", "run_id")}


Part = TypeVar("Part")


def analyze_store(
    analyze: Callable[[SweepRuns], tuple[list[Part], list[ComponentTest]]], store: SweepStore
) -> tuple[list[Part], dict[str, ComponentTest], dict[str, Finding]]:
    """Return the parts of an analysis of a store, and its components and findings by name."""
    sweep_runs = SweepRuns.load(store)
    parts, components = analyze(sweep_runs)
    findings = conclude(components, alpha=sweep_runs.alpha, beats_linear={})
    return parts, {c.component: c for c in components}, {f.measured.component: f for f in findings}
