"""The constant predictor that a dataset's reference row tells of: what fusing no modality at all is worth.

The store keeps the metrics of the best constant fitted on train, and not the constant. That is found again from them,
so that it can be scored on every test group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tcray.claims.pseudovalues import pseudovalues
from tcray.claims.sweep_runs import DatasetRuns, Floats
from tcray.statistics.estimate import to_finite

NAMES = ("median", "majority")
"""Of the row, for regression and for classification."""

TOLERANCE = 1e-6
"""Between a metric as stored and that of the constant found; labels were single precision once."""


def reference(dataset_runs: DatasetRuns) -> Mapping[str, Any] | None:
    """The metrics of the constant, as `test.mae`; None where the manifest has no such row."""
    return next((row["metrics"] for row in dataset_runs.baselines if row["name"] in NAMES), None)


def by_group(dataset_runs: DatasetRuns) -> Floats | None:
    """The primary metric's pseudo-values (G,) of the constant; None where that cannot be found.

    It cannot where every fold had a constant of its own, and where two constants score the same on every metric.
    """
    metrics = reference(dataset_runs)
    if metrics is None:
        return None
    known = {name.removeprefix("test."): value for name, value in metrics.items() if name.startswith("test.")}
    stored = {name: value for name, value in known.items() if to_finite(value) is not None and name != "loss"}
    try:
        fitting = [constant for constant in _candidates(dataset_runs, stored) if _fits(dataset_runs, constant, stored)]
        return _scores(dataset_runs, dataset_runs.primary.name, fitting[0]) if len(fitting) == 1 else None
    except (KeyError, ValueError):  # no predictions, or a metric that needs every group it has: as `Samples.panel` says
        return None


def _candidates(dataset_runs: DatasetRuns, stored: Mapping[str, float]) -> Iterator[float]:
    """For classification a logit of either sign, its size being of no account; for regression the roots of the MAE."""
    if dataset_runs.task == "classification":
        yield from (1.0, -1.0)
        return
    label, mae = dataset_runs.predictions.test_split(dataset_runs.dataset).labels, stored.get("mae")
    if mae is None:
        return
    # The MAE of a constant c is convex and linear between labels, and at least |c - mean label|.
    ends = (label.mean() - mae - 1, label.mean() + mae + 1)
    knots = np.unique([*label, *ends])
    heights = np.abs(knots[:, None] - label).mean(1)
    lowest = int(heights.argmin())
    left = np.interp(mae, heights[lowest::-1], knots[lowest::-1])
    right = np.interp(mae, heights[lowest:], knots[lowest:])
    yield from dict.fromkeys(_snapped(float(root), knots) for root in (left, right))


def _snapped(value: float, knots: Floats) -> float:
    """The label, or 0, that a value is up to rounding: on which side of 0 a constant lies decides its accuracy."""
    grid = np.append(knots, 0.0)
    nearest = float(grid[np.abs(grid - value).argmin()])
    return nearest if abs(nearest - value) < TOLERANCE else value


def _fits(dataset_runs: DatasetRuns, constant: float, stored: Mapping[str, float]) -> bool:
    return all(abs(_scores(dataset_runs, name, constant).mean() - value) < TOLERANCE for name, value in stored.items())


def _scores(dataset_runs: DatasetRuns, metric: str, constant: float) -> Floats:
    split = dataset_runs.predictions.test_split(dataset_runs.dataset)
    prediction = np.full((1, split.labels.size), constant)
    scores: Floats = pseudovalues(metric, prediction, split.labels, split.groups, task=dataset_runs.task)[0]
    return scores
