"""Stores with planted effects: every confirm run of a sweep, with what it predicted, measured and spread its rank over.

A test says what one confirm run came to (`Outcome`), given its levels, repeat and seed; the store is what the engine
would have recorded of such runs. Test metrics come from the predictions, by the definitions that training uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tcray.claims.sweep_runs import SweepRuns
from tcray.claims.verdicts import ComponentTest, Finding, conclude
from tcray.config.run import Configuration, canonical_json, digest
from tcray.config.sweep import Sweep
from tcray.data.catalog import Card
from tcray.search.cells import Cell, list_cells
from tcray.store.store import SweepStore
from tcray.training.metrics import compute_metrics
from tests.results.recorded import a_run, a_store

Floats = NDArray[np.float64]

GROUPS, EXAMPLES = 6, 10
"""Of a planted test split: how many groups, and examples in each."""


@dataclass(frozen=True)
class Outcome:
    """What one confirm run came to.

    prediction  (N,) what it predicts on the clean test split: sentiments, or logits
    also        what it predicts under other conditions, as `missing:audio`; these too are stored
    metrics     beside, or instead of, those that follow from `prediction`, as `train.loss` or `check.mmd2.text`
    evaluations metrics under conditions whose predictions are not stored, as `fgsm:0.1`
    spectra     by kind, as `factor energy`
    state       other than COMPLETE, it leaves a row in `runs` alone
    """

    prediction: ArrayLike
    also: Mapping[str, ArrayLike] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    evaluations: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    spectra: Mapping[str, Sequence[float]] = field(default_factory=dict)
    state: str = "COMPLETE"


OutcomeOf = Callable[[Mapping[str, Any], int, int], Outcome | None]
"""From a cell's levels, a repeat and a seed to what came of the run; None for a run that there is not."""


@dataclass(frozen=True)
class Planted:
    """A dataset, its test split and the outcomes of its runs.

    label   (N,) sentiments, or 0 and 1
    group   (N,) names; examples that stand alone are each a group
    """

    card: Card
    outcome_of: OutcomeOf
    label: Floats
    group: tuple[str, ...]

    @classmethod
    def of(cls, card: Card, outcome_of: OutcomeOf) -> Planted:
        """`GROUPS` groups of `EXAMPLES` test examples each, with the labels that the card's task has."""
        return cls(card, outcome_of, labels_of(card), groups_of(card))


def labels_of(card: Card) -> Floats:
    """Sentiments from -2.75 to 2.75 that go round in every group, or 0 and 1 in turn; (GROUPS * EXAMPLES,)."""
    turn = np.arange(GROUPS * EXAMPLES)
    return turn % 12 / 2 - 2.75 if card.task == "regression" else (turn % 2).astype(np.float64)


def groups_of(card: Card) -> tuple[str, ...]:
    """`EXAMPLES` test examples in a row to each of `GROUPS` groups; each its own where the card has no groups."""
    return tuple(
        f"{card.groups or 'example'}-{n // (EXAMPLES if card.groups else 1):02d}" for n in range(GROUPS * EXAMPLES)
    )


def off_by(label: Floats, error: ArrayLike) -> Floats:
    """Sentiments whose absolute errors are `error`, one for all or one an example, over and under in turn."""
    side: Floats = np.where(np.arange(len(label)) % 2, 1.0, -1.0)
    return label + side * np.asarray(error, np.float64)


def planted_store(folder: Path, sweep: Sweep, *datasets: Planted, **manifest: Any) -> SweepStore:
    """A store in `folder` in which every confirm run of a finished `sweep` on `datasets` has been recorded."""
    outcomes = [(dataset, run, outcome) for dataset in datasets for run, outcome in _runs(dataset, sweep)]
    store = a_store(folder, [run for _, run, _ in outcomes], sweep=sweep, cards=[d.card for d in datasets], **manifest)
    complete = [(dataset, run, outcome) for dataset, run, outcome in outcomes if run["state"] == "COMPLETE"]
    store.append("evaluations", [row for one in complete for row in _evaluations(*one)])
    store.append("predictions", [row for one in complete for row in _predictions(*one)])
    store.append("spectra", [row for _, run, outcome in complete for row in _spectra(run, outcome)])
    return store


def _runs(dataset: Planted, sweep: Sweep) -> Iterator[tuple[dict[str, Any], Outcome]]:
    """The rows of the runs table; seeds are numbered on from repeat to repeat."""
    confirm = sweep.confirm
    assert confirm is not None
    for cell in list_cells(sweep, dataset.card):
        for seed in range(confirm.repeats * confirm.seeds):
            repeat = seed // confirm.seeds
            outcome = dataset.outcome_of(cell.levels, repeat, seed)
            if outcome is not None:
                yield _run(dataset, sweep, cell, repeat, seed, outcome), outcome


def _run(dataset: Planted, sweep: Sweep, cell: Cell, repeat: int, seed: int, outcome: Outcome) -> dict[str, Any]:
    measured = {f"test.{k}": v for k, v in _metrics(dataset, outcome.prediction).items()} | dict(outcome.metrics)
    row = a_run(measured, card=dataset.card, repeat=repeat, seed=seed, state=outcome.state)
    configuration = Configuration.resolve({**sweep.fixed, **cell.levels}, tuple(dataset.card.modalities)).to_flat()
    named = {"cell": cell.key, "configuration": canonical_json(configuration)}
    return {**row, **named, "run_id": digest([cell.key, repeat, seed])}


def _metrics(dataset: Planted, prediction: ArrayLike) -> dict[str, float]:
    return compute_metrics(dataset.card.task, np.asarray(prediction, np.float64), dataset.label)


def _evaluations(dataset: Planted, run: Mapping[str, Any], outcome: Outcome) -> Iterator[dict[str, Any]]:
    predicted = {"clean": outcome.prediction, **outcome.also}
    measured = {condition: _metrics(dataset, prediction) for condition, prediction in predicted.items()}
    for condition, found in {**measured, **outcome.evaluations}.items():
        yield {**_key(run), "condition": condition, "metrics": dict(found)}


def _predictions(dataset: Planted, run: Mapping[str, Any], outcome: Outcome) -> Iterator[dict[str, Any]]:
    for condition, prediction in {"clean": outcome.prediction, **outcome.also}.items():
        for n, value in enumerate(np.asarray(prediction, np.float64)):
            told = {"example": f"{dataset.card.name}-{n:04d}", "group": dataset.group[n]}
            yield {**_key(run), **told, "condition": condition, "label": dataset.label[n], "prediction": value}


def _spectra(run: Mapping[str, Any], outcome: Outcome) -> Iterator[dict[str, Any]]:
    for kind, values in outcome.spectra.items():
        for index, value in enumerate(values):
            yield {**_key(run), "kind": kind, "index": index, "value": float(value)}


def _key(run: Mapping[str, Any]) -> dict[str, Any]:
    return {name: run[name] for name in ("phase", "cell", "repeat", "trial", "seed", "run_id")}


Part = TypeVar("Part")


def concluded(
    analyze: Callable[[SweepRuns], tuple[list[Part], list[ComponentTest]]], store: SweepStore
) -> tuple[list[Part], dict[str, ComponentTest], dict[str, Finding]]:
    """What an analysis makes of a store: its parts, and by name its components and what they come to."""
    sweep_runs = SweepRuns.load(store)
    parts, components = analyze(sweep_runs)
    findings = conclude(components, alpha=sweep_runs.alpha, beats_linear={})
    return parts, {c.component: c for c in components}, {f.measured.component: f for f in findings}
