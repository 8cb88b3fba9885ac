"""How long a sweep will take: from runs that a store has of its kinds, else from the size of the data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean

from tcray.config.run import Configuration, Run
from tcray.search.pending import Signature
from tcray.search.plan import Plan
from tcray.store.store import Store

SECONDS_PER_COLUMN = 0.3e-3 / 270
"""Of a run's optimiser step on one CPU core, a column of input: 0.3 ms at MOSI's 273 columns, in a full pack."""

SAMPLE = 500
"""Runs of an earlier sweep that are looked at."""

SWEEPS = 3
"""Earlier sweeps that are looked at, the last begun first."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds that all runs of a plan would take one slot, and whether every kind of run was timed before."""

    seconds: float
    timed: bool


def estimate(plan: Plan, timed: Mapping[Signature, float]) -> Estimate:
    """The time of a plan, given the seconds an epoch of a run took by signature."""
    seconds, known = 0.0, True
    for cell in plan.cells:
        before = [timed[signature] for signature in plan.signatures[cell.key] if signature in timed]
        known = known and bool(before)
        epoch = fmean(before) if before else _epoch_by_size(plan.run(cell, plan.resolve(cell, {}), 0), plan)
        searched = plan.trials_in(cell) * plan.rungs.expected_epochs()
        confirmed = len(plan.confirm_seeds(0)) * plan.rungs.epochs
        seconds += plan.repeats * (searched + confirmed) * epoch
    return Estimate(seconds, known)


def _epoch_by_size(run: Run, plan: Plan) -> float:
    card, c = plan.cards[run.dataset], run.configuration
    columns = sum(card.modalities[m] for m in c.modalities)
    return card.folds * card.train_steps(c.batch_size) * columns * SECONDS_PER_COLUMN


def timed_before(plan: Plan, store: Store) -> dict[Signature, float]:
    """The mean seconds an epoch of a run took, by signature, in the last sweeps of a store that used the same data."""
    wanted = {card.fingerprint for card in plan.cards.values()}
    manifests = [m for m in reversed(store.manifests()) if wanted & {card["fingerprint"] for card in m["cards"]}]
    seconds: dict[Signature, list[float]] = {}
    for manifest in manifests[:SWEEPS]:
        fingerprints = {card["name"]: card["fingerprint"] for card in manifest["cards"]}
        for dataset, configuration, per_epoch in _timed(store, manifest["sweep_id"]):
            flat = Configuration.from_flat(json.loads(configuration))
            run = Run(dataset, fingerprints[dataset], flat, plan.rungs.epochs, plan.sweep.objective, 0, 0)
            seconds.setdefault(run.signature, []).append(per_epoch)
    return {signature: fmean(found) for signature, found in seconds.items()}


def _timed(store: Store, sweep_id: str) -> Iterator[tuple[str, str, float]]:
    """Dataset, configuration and seconds an epoch of some runs of a sweep."""
    rows = store.sweep(sweep_id).read("runs", ("dataset", "configuration", "seconds", "epochs")).to_pylist()
    for row in rows[:: 1 + len(rows) // SAMPLE]:
        if row["epochs"] and row["seconds"]:
            yield row["dataset"], row["configuration"], row["seconds"] / row["epochs"]
