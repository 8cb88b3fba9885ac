"""Test metrics of confirm runs under each condition: clean, missing modalities, noise and attacks.

Conditions are named as in the store: `clean`, `missing:text+audio`, `noise:text:0.3`, `fgsm:0.1`, `pgd:0.1`.
Shape legend: U units, C conditions, G test groups, N test examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcray.claims.pseudovalues import pseudovalues
from tcray.claims.sweep_runs import DatasetRuns, RunId, SweepRuns
from tcray.statistics.estimate import to_finite

Floats = NDArray[np.float64]

CLEAN = "clean"
MISSING = "missing:"


def list_missing_patterns(modalities: Sequence[str]) -> list[tuple[str, ...]]:
    """Return every subset of the modalities that can be missing: by size, the empty one first, in the given order."""
    return [subset for size in range(len(modalities) + 1) for subset in combinations(modalities, size)]


def missing_condition(missing: Sequence[str]) -> str:
    """Return the name of the condition in which these modalities (in their dataset's order) are missing."""
    return MISSING + "+".join(missing) if missing else CLEAN


def used_modalities(dataset_runs: DatasetRuns, cell: str) -> tuple[str, ...]:
    """Return the modalities that the runs of a cell use, in the dataset's order."""
    return tuple(str(dataset_runs.cells[cell][0]["modalities"]).split("+"))


def group_by_unit(dataset_runs: DatasetRuns, cell: str) -> dict[int, list[RunId]]:
    """Return the runs of a cell by unit: by repeat, or by seed if nothing is tuned."""
    units: dict[int, list[RunId]] = {}
    for run in dataset_runs.cells[cell]:
        unit = run["seed"] if dataset_runs.unit == "seed" else run["repeat"]
        units.setdefault(unit, []).append((cell, run["repeat"], run["seed"]))
    return dict(sorted(units.items()))


@dataclass(frozen=True)
class ConditionMetrics:
    """The primary test metric of a dataset's confirm runs under every condition in which they were evaluated."""

    dataset_runs: DatasetRuns
    by_run: Mapping[RunId, Mapping[str, float | None]] = field(repr=False)

    @classmethod
    def load_all(cls, sweep_runs: SweepRuns) -> list[ConditionMetrics]:
        """Load the metrics of every dataset from the store.

        Raises:
            StoreError: if the store is damaged.
        """
        import pyarrow.compute as pc

        columns = sweep_runs.store.read("evaluations", ("cell", "repeat", "seed", "condition", "metrics"))
        runs = list(zip(*(columns[name].to_pylist() for name in ("cell", "repeat", "seed")), strict=True))
        conditions = columns["condition"].to_pylist()
        found = []
        for dataset_runs in sweep_runs.datasets:
            values = pc.map_lookup(columns["metrics"], dataset_runs.primary.name, "first").to_pylist()
            by_run: dict[RunId, dict[str, float | None]] = {}
            for run, condition, value in zip(runs, conditions, values, strict=True):
                if run[0] in dataset_runs.cells:
                    by_run.setdefault(run, {})[condition] = to_finite(value)
            found.append(cls(dataset_runs, by_run))
        return found

    def names(self, cell: str) -> list[str]:
        """Return the conditions in which every run of a cell was evaluated; empty if a run was evaluated in none."""
        each = [self.by_run.get(run, {}) for runs in group_by_unit(self.dataset_runs, cell).values() for run in runs]
        return [name for name in each[0] if all(name in one for one in each)] if each else []

    def by_unit(self, cell: str, conditions: Sequence[str]) -> dict[int, Floats]:
        """Return the metric (C,) of every unit, the mean over its runs; units with an undefined value are left out."""
        return _means(self.dataset_runs, cell, lambda run: [self.by_run[run][name] for name in conditions])


def pseudovalues_by_condition(
    dataset_runs: DatasetRuns, cell: str, conditions: Sequence[str], units: Sequence[int]
) -> Floats | None:
    """Return pseudo-values (U, C, G) of the primary metric by test group, from stored predictions: means over runs.

    Returns None if a run has no predictions under one of the conditions, or if the metric is undefined without a group.
    """
    by_unit = group_by_unit(dataset_runs, cell)
    runs = [by_unit[unit] for unit in units]
    try:
        split = dataset_runs.predictions.test_split(dataset_runs.dataset)
        outputs = [dataset_runs.predictions.outputs(run, name) for unit in runs for run in unit for name in conditions]
        found = pseudovalues(
            dataset_runs.primary.name, np.stack(outputs), split.labels, split.groups, task=dataset_runs.task
        ).reshape(sum(map(len, runs)), len(conditions), -1)
    except (KeyError, ValueError):
        return None
    ends = np.cumsum([len(unit) for unit in runs])[:-1]
    return np.stack([of_unit.mean(0) for of_unit in np.split(found, ends)])


def _means(
    dataset_runs: DatasetRuns, cell: str, of_run: Callable[[RunId], Iterable[float | None]]
) -> dict[int, Floats]:
    """Return a row of numbers for each unit, the mean over its runs; units that lack a number are left out."""
    rows: dict[int, list[list[Any]]] = {
        unit: [list(of_run(run)) for run in runs] for unit, runs in group_by_unit(dataset_runs, cell).items()
    }
    complete = {unit: row for unit, row in rows.items() if all(value is not None for run in row for value in run)}
    return {unit: np.mean(row, axis=0) for unit, row in complete.items()}
