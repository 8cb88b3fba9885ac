"""The constant predictor, found again from the metrics of its reference row."""

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
"""Not even about 0, or a median and its negative would score the same."""
MUSTARD_LABEL = (np.arange(MOSI_LABEL.size) % 3 == 0).astype(np.float64)


def samples_with(folder: Path, card: Card, row: Mapping[str, Any]) -> DatasetRuns:
    """A dataset whose manifest has one reference row."""
    label = MOSI_LABEL if card is MOSI else MUSTARD_LABEL
    outputs = make_predictions(label, 0.5) if card is MOSI else label - 0.5
    sweep = make_sweep(datasets=(card.name,), factors={"rank": (2,)})
    planted = SyntheticDataset(card, lambda levels, repeat, seed: RunOutcome(outputs), label, make_groups(card))
    return SweepRuns.load(make_recorded_store(folder, sweep, planted, baselines={card.name: [row]})).datasets[0]


def a_row(card: Card, name: str, value: float) -> dict[str, Any]:
    """The reference row of a constant, as the sweep writes it."""
    label = MOSI_LABEL if card is MOSI else MUSTARD_LABEL
    known = compute_metrics(card.task, np.full(label.size, value), label)
    return {"name": name, "metrics": {"valid.mae": 7.0, **{f"test.{metric}": v for metric, v in known.items()}}}


@pytest.mark.parametrize("value", [1.25, 0.0, -1.0, 4.0])
def test_a_median_is_found_again_in_every_group(tmp_path: Path, value: float) -> None:
    """In groups of equal size the pseudo-values of an MAE are the groups' own MAEs; the median may have either sign."""
    found = constant.score_by_group(samples_with(tmp_path, MOSI, a_row(MOSI, "median", value)))
    assert found == pytest.approx(np.abs(value - MOSI_LABEL).reshape(-1, EXAMPLES).mean(1))


def test_a_majority_is_found_again(tmp_path: Path) -> None:
    """Its pseudo-values have for mean its weighted F1: with two thirds of one class, 2/3 of an F1 of 4/5."""
    found = constant.score_by_group(samples_with(tmp_path, MUSTARD, a_row(MUSTARD, "majority", -0.7)))
    assert found is not None
    assert found.mean() == pytest.approx(8 / 15)


def test_metrics_that_no_constant_has_leave_nothing(tmp_path: Path) -> None:
    """Constants that differ from fold to fold have no MAE of a single one: here one below the least there is."""
    row = {"name": "median", "metrics": {"test.mae": 1.2, "test.acc2": 0.5}}
    assert constant.score_by_group(samples_with(tmp_path, MOSI, row)) is None


def test_two_constants_with_the_same_metrics_leave_nothing(tmp_path: Path) -> None:
    """The labels lie evenly about 0.5, so that by MAE alone 1.25 cannot be told from -0.25."""
    row = {"name": "median", "metrics": {"test.mae": a_row(MOSI, "median", 1.25)["metrics"]["test.mae"]}}
    assert constant.score_by_group(samples_with(tmp_path, MOSI, row)) is None


def test_a_median_between_the_middle_labels_leaves_nothing(tmp_path: Path) -> None:
    """All constants from 0.25 to 0.75 have the least MAE there is, and what either end has for other metrics."""
    assert constant.score_by_group(samples_with(tmp_path, MOSI, a_row(MOSI, "median", 0.6))) is None


def test_a_linear_row_is_no_constant(tmp_path: Path) -> None:
    """Only the median and the majority are."""
    dataset_runs = samples_with(tmp_path, MOSI, {"name": "ridge: all", "metrics": {"test.mae": 0.9}})
    assert constant.get_constant_metrics(dataset_runs) is None
    assert constant.score_by_group(dataset_runs) is None
