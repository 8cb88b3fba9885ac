"""The constant predictor of a dataset's baselines: the value of fusing no modality at all.

The store keeps the metrics of the best constant fitted on train, but not the constant. It is recovered from the metrics
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
"""Names of the baseline, for regression and for classification."""

TOLERANCE = 1e-6
"""Largest difference between a stored metric and that of the recovered constant.

Labels were stored in single precision.
"""


def get_constant_metrics(dataset_runs: DatasetRuns) -> Mapping[str, Any] | None:
    """Return the metrics of the constant, such as `test.mae`; None if the manifest has no such baseline."""
    return next((row["metrics"] for row in dataset_runs.baselines if row["name"] in NAMES), None)


def score_by_group(dataset_runs: DatasetRuns) -> Floats | None:
    """Return the pseudo-values (G,) of the constant on the primary metric; None if the constant cannot be recovered.

    It cannot be recovered if every fold had its own constant, or if two constants score the same on every metric.
    """
    metrics = get_constant_metrics(dataset_runs)
    if metrics is None:
        return None
    known = {name.removeprefix("test."): value for name, value in metrics.items() if name.startswith("test.")}
    stored = {name: value for name, value in known.items() if to_finite(value) is not None and name != "loss"}
    try:
        fitting = [constant for constant in _candidates(dataset_runs, stored) if _fits(dataset_runs, constant, stored)]
        return _score(dataset_runs, dataset_runs.primary.name, fitting[0]) if len(fitting) == 1 else None
    except (KeyError, ValueError):  # no predictions, or a metric that is undefined without one of the groups
        return None


def _candidates(dataset_runs: DatasetRuns, stored: Mapping[str, float]) -> Iterator[float]:
    """Yield candidate constants: for classification a logit of either sign; for regression the roots of the MAE."""
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
    yield from dict.fromkeys(_snap_to_label(float(root), knots) for root in (left, right))


def _snap_to_label(value: float, knots: Floats) -> float:
    """Return the label, or 0, that a value equals up to rounding: the sign of a constant decides its accuracy."""
    grid = np.append(knots, 0.0)
    nearest = float(grid[np.abs(grid - value).argmin()])
    return nearest if abs(nearest - value) < TOLERANCE else value


def _fits(dataset_runs: DatasetRuns, constant: float, stored: Mapping[str, float]) -> bool:
    return all(abs(_score(dataset_runs, name, constant).mean() - value) < TOLERANCE for name, value in stored.items())


def _score(dataset_runs: DatasetRuns, metric: str, constant: float) -> Floats:
    split = dataset_runs.predictions.test_split(dataset_runs.dataset)
    prediction = np.full((1, split.labels.size), constant)
    scores: Floats = pseudovalues(metric, prediction, split.labels, split.groups, task=dataset_runs.task)[0]
    return scores
