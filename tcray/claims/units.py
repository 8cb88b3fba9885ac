"""Units, the independent repeats or seeds of a sweep, and their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

from tcray.config.sweep import Sweep
from tcray.statistics.estimate import mean_if_complete, to_finite

Unit = Literal["repeat", "seed", "trial"]
Record = Mapping[str, Any]

TEST_METRICS: Mapping[str, tuple[str, ...]] = {
    "regression": ("mae", "acc2", "r", "f1", "acc7", "acc2_nonzero", "f1_nonzero"),
    "classification": ("f1", "auroc", "accuracy"),
}
"""Test metrics of each task in the order of table columns; the dataset's primary metric is put first."""

LINEAR_BASELINES = ("ridge: all", "logistic: all")
"""Names of the linear baselines, which a fusion should beat."""


def get_unit_kind(sweep: Sweep) -> Unit:
    """Return what is independent among the runs of a sweep and is therefore counted."""
    if sweep.search is None:
        return "seed"
    return "repeat" if sweep.confirm else "trial"


def group_confirm_runs(runs: Sequence[Record]) -> list[list[Record]]:
    """Return the complete confirm runs of a cell, one list per repeat."""
    kept = [run for run in runs if run["phase"] == "confirm" and run["state"] == "COMPLETE"]
    return [list(repeat) for _, repeat in groupby(kept, lambda run: run["repeat"])]


def mean_over_runs(unit: Sequence[Record], metric: str) -> float | None:
    """Return the mean of a metric over a unit's runs; None if one of them has no finite value."""
    return mean_if_complete([to_finite(run.get(metric)) for run in unit])
