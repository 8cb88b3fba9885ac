"""The expected duration of a sweep, from timed runs of the same kinds in a store or else from the size of the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean

from tcray.config.run import Configuration, Run
from tcray.search.pending import Signature
from tcray.search.plan import Plan
from tcray.store.store import Store

SECONDS_PER_COLUMN = 0.3e-3 / 270
"""Seconds per optimizer step of one run and column of input, on one CPU core: 0.3 ms at MOSI's 273, in a full pack."""

MAX_RUNS = 500
"""Runs read from an earlier sweep."""

MAX_SWEEPS = 3
"""Earlier sweeps read, the latest first."""


@dataclass(frozen=True, slots=True)
class TimeEstimate:
    """The time that all runs of a plan would take one slot, in seconds; `measured` if every kind was timed before."""

    seconds: float
    measured: bool


def estimate_time(plan: Plan, epoch_seconds: Mapping[Signature, float]) -> TimeEstimate:
    """Return the time of a plan, given the seconds per epoch of a run by signature."""
    seconds, measured = 0.0, True
    for cell in plan.cells:
        timed = [epoch_seconds[signature] for signature in plan.signatures[cell.key] if signature in epoch_seconds]
        measured = measured and bool(timed)
        epoch = fmean(timed) if timed else _epoch_by_size(plan.make_run(cell, plan.resolve(cell, {}), 0), plan)
        searched = plan.count_trials(cell) * plan.rungs.expected_epochs()
        confirmed = len(plan.confirm_seeds(0)) * plan.rungs.epochs
        seconds += plan.repeats * (searched + confirmed) * epoch
    return TimeEstimate(seconds, measured)


def _epoch_by_size(run: Run, plan: Plan) -> float:
    """Return the seconds per epoch expected from the number of steps and of input columns."""
    card, c = plan.cards[run.dataset], run.configuration
    columns = sum(card.modalities[m] for m in c.modalities)
    return card.folds * card.train_steps(c.batch_size) * columns * SECONDS_PER_COLUMN


def load_epoch_seconds(plan: Plan, store: Store) -> dict[Signature, float]:
    """Return the mean seconds per epoch of a run, by signature, in the store's latest sweeps of the same data."""
    wanted = {card.fingerprint for card in plan.cards.values()}
    manifests = [m for m in reversed(store.manifests()) if wanted & {card["fingerprint"] for card in m["cards"]}]
    seconds: dict[Signature, list[float]] = {}
    for manifest in manifests[:MAX_SWEEPS]:
        fingerprints = {card["name"]: card["fingerprint"] for card in manifest["cards"]}
        for dataset, configuration, per_epoch in _read_timed_runs(store, manifest["sweep_id"]):
            run = Run(dataset, fingerprints[dataset], configuration, plan.rungs.epochs, plan.sweep.objective, 0, 0)
            seconds.setdefault(run.signature, []).append(per_epoch)
    return {signature: fmean(times) for signature, times in seconds.items()}


def _read_timed_runs(store: Store, sweep_id: str) -> Iterator[tuple[str, Configuration, float]]:
    """Yield dataset, configuration and seconds per epoch of some runs of a sweep."""
    rows = store.sweep(sweep_id).read("runs").drop_columns(["metrics"]).to_pylist()
    for row in rows[:: 1 + len(rows) // MAX_RUNS]:
        if row["epochs"] and row["seconds"]:
            yield row["dataset"], Configuration.from_flat(row), row["seconds"] / row["epochs"]
