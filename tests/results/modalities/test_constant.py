"""Recovery of the constant predictor from the metrics of its baseline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tcray.claims.sweep_runs import DatasetRuns, SweepRuns
from tcray.data.catalog import Card
from tcray.results.modalities import constant
from tcray.training.metrics import compute_metrics
from tests.claims.factories import (
    EXAMPLES,
    MOSI,
    MUSTARD,
    RunOutcome,
    SyntheticDataset,
    make_groups,
    make_labels,
    make_predictions,
    make_recorded_store,
    make_sweep,
)

MOSI_LABEL = make_labels(MOSI) + 0.5
"""Not symmetric around 0; otherwise a median and its negative would have the same metrics."""
MUSTARD_LABEL = (np.arange(MOSI_LABEL.size) % 3 == 0).astype(np.float64)


def load_runs_with_baseline(folder: Path, card: Card, row: Mapping[str, Any]) -> DatasetRuns:
    """Return the runs of a dataset whose manifest has one baseline."""
    label = MOSI_LABEL if card is MOSI else MUSTARD_LABEL
    outputs = make_predictions(label, 0.5) if card is MOSI else label - 0.5
    sweep = make_sweep(datasets=(card.name,), factors={"rank": (2,)})
    planted = SyntheticDataset(card, lambda levels, repeat, seed: RunOutcome(outputs), label, make_groups(card))
    return SweepRuns.load(make_recorded_store(folder, sweep, planted, baselines={card.name: [row]})).datasets[0]


def make_baseline(card: Card, name: str, value: float) -> dict[str, Any]:
    """Return the baseline of a constant predictor as a sweep writes it."""
    label = MOSI_LABEL if card is MOSI else MUSTARD_LABEL
    known = compute_metrics(card.task, np.full(label.size, value), label)
    return {"name": name, "metrics": {"valid.mae": 7.0, **{f"test.{metric}": v for metric, v in known.items()}}}


@pytest.mark.parametrize("value", [1.25, 0.0, -1.0, 4.0])
def test_the_median_is_recovered_for_every_group(tmp_path: Path, value: float) -> None:
    """For groups of equal size the pseudo-values of MAE are the MAEs of the groups, for either sign of the median."""
    found = constant.score_by_group(load_runs_with_baseline(tmp_path, MOSI, make_baseline(MOSI, "median", value)))
    assert found == pytest.approx(np.abs(value - MOSI_LABEL).reshape(-1, EXAMPLES).mean(1))


def test_the_majority_class_is_recovered(tmp_path: Path) -> None:
    """Pseudo-values average to the weighted F1: with two thirds of one class, 2/3 of an F1 of 4/5."""
    found = constant.score_by_group(
        load_runs_with_baseline(tmp_path, MUSTARD, make_baseline(MUSTARD, "majority", -0.7))
    )
    assert found is not None
    assert found.mean() == pytest.approx(8 / 15)


def test_metrics_that_no_constant_has_give_none(tmp_path: Path) -> None:
    """Constants that differ between folds can have an MAE that no single constant has, here below the minimum."""
    row = {"name": "median", "metrics": {"test.mae": 1.2, "test.acc2": 0.5}}
    assert constant.score_by_group(load_runs_with_baseline(tmp_path, MOSI, row)) is None


def test_two_constants_with_the_same_metrics_give_none(tmp_path: Path) -> None:
    """Labels are symmetric around 0.5, so 1.25 and -0.25 have the same MAE and the constant is ambiguous."""
    row = {"name": "median", "metrics": {"test.mae": make_baseline(MOSI, "median", 1.25)["metrics"]["test.mae"]}}
    assert constant.score_by_group(load_runs_with_baseline(tmp_path, MOSI, row)) is None


def test_a_median_between_the_middle_labels_gives_none(tmp_path: Path) -> None:
    """All constants from 0.25 to 0.75 have the same minimal MAE, so the constant is ambiguous."""
    assert constant.score_by_group(load_runs_with_baseline(tmp_path, MOSI, make_baseline(MOSI, "median", 0.6))) is None


def test_a_linear_baseline_is_not_a_constant(tmp_path: Path) -> None:
    """Only the median and the majority class are constant predictors."""
    dataset_runs = load_runs_with_baseline(tmp_path, MOSI, {"name": "ridge: all", "metrics": {"test.mae": 0.9}})
    assert constant.get_constant_metrics(dataset_runs) is None
    assert constant.score_by_group(dataset_runs) is None
