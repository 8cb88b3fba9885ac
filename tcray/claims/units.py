"""Units: the independent repeats or seeds of a sweep, and their values."""

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
"""The test metrics of a task, in the order in which a table has room for them; the dataset's primary one goes first."""

LINEAR_BASELINES = ("ridge: all", "logistic: all")
"""The reference row that a fusion has to beat."""


def get_unit_kind(sweep: Sweep) -> Unit:
    """What is independent of one another in a sweep's runs, and so is counted."""
    if sweep.search is None:
        return "seed"
    return "repeat" if sweep.confirm else "trial"


def group_confirm_runs(runs: Sequence[Record]) -> list[list[Record]]:
    """The complete confirm runs of a cell, repeat by repeat."""
    kept = [run for run in runs if run["phase"] == "confirm" and run["state"] == "COMPLETE"]
    return [list(repeat) for _, repeat in groupby(kept, lambda run: run["repeat"])]


def mean_over_runs(unit: Sequence[Record], metric: str) -> float | None:
    """A unit's value: the mean over its runs; None where one of them has none."""
    return mean_if_complete([to_finite(run.get(metric)) for run in unit])
