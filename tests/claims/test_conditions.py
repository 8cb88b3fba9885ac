"""Test conditions of confirm runs: their names, and the metric of each unit under each condition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tcray.claims.conditions import (
    ConditionMetrics,
    group_by_unit,
    list_missing_patterns,
    missing_condition,
    pseudovalues_by_condition,
    used_modalities,
)
from tcray.claims.sweep_runs import SweepRuns
from tests.claims.factories import (
    MOSI,
    RunOutcome,
    SyntheticDataset,
    make_labels,
    make_predictions,
    make_recorded_store,
    make_sweep,
)

CELL = "mosi/rank=2"
LABEL = make_labels(MOSI)


def make_outcome(levels: object, repeat: int, seed: int) -> RunOutcome:
    """Return a run with MAE 0.5 + 0.1 per repeat + 0.02 for odd seeds, and MAE 1 without text."""
    error = 0.5 + 0.1 * repeat + 0.02 * (seed % 2)
    noisy = {"noise:text:1.0": {"mae": error + 0.3 if repeat else float("nan")}}
    return RunOutcome(
        make_predictions(LABEL, error), also={"missing:text": make_predictions(LABEL, 1.0)}, evaluations=noisy
    )


def load_conditions(folder: Path) -> ConditionMetrics:
    """Return the condition metrics of MOSI at rank 2."""
    sweep = make_sweep(factors={"rank": (2,)})
    return ConditionMetrics.load_all(
        SweepRuns.load(make_recorded_store(folder, sweep, SyntheticDataset.of(MOSI, make_outcome)))
    )[0]


def test_patterns_are_every_subset_by_size() -> None:
    """For two modalities the patterns are: nothing missing, either one missing, or both missing."""
    assert list_missing_patterns(("text", "audio")) == [(), ("text",), ("audio",), ("text", "audio")]


def test_conditions_are_named_as_in_the_store() -> None:
    """Missing modalities are joined by +; the condition with nothing missing is `clean`."""
    assert [missing_condition(p) for p in ((), ("text",), ("text", "audio"))] == [
        "clean",
        "missing:text",
        "missing:text+audio",
    ]


def test_a_unit_is_the_mean_over_its_runs(tmp_path: Path) -> None:
    """Two seeds per repeat that differ by 0.02 give their mean."""
    rows = load_conditions(tmp_path).by_unit(CELL, ["clean", "missing:text"])
    assert {unit: row.tolist() for unit, row in rows.items()} == {
        repeat: pytest.approx([0.51 + 0.1 * repeat, 1.0]) for repeat in range(3)
    }


def test_a_unit_with_an_undefined_number_is_left_out(tmp_path: Path) -> None:
    """The first repeat has no MAE under noise and is omitted."""
    assert list(load_conditions(tmp_path).by_unit(CELL, ["clean", "noise:text:1.0"])) == [1, 2]


def test_only_conditions_that_every_run_was_evaluated_in_are_named(tmp_path: Path) -> None:
    """All runs of this cell were evaluated clean, without text, and under noise."""
    assert sorted(load_conditions(tmp_path).names(CELL)) == ["clean", "missing:text", "noise:text:1.0"]


def test_modalities_and_units_of_a_cell(tmp_path: Path) -> None:
    """The cell has three repeats of two seeds and uses both modalities of the dataset."""
    dataset_runs = load_conditions(tmp_path).dataset_runs
    assert used_modalities(dataset_runs, CELL) == ("text", "audio")
    assert group_by_unit(dataset_runs, CELL)[1] == [(CELL, 1, 2), (CELL, 1, 3)]


def test_pseudo_values_average_to_the_metric_of_their_unit(tmp_path: Path) -> None:
    """Under both conditions the mean over the six videos equals the metric in the store."""
    dataset_runs = load_conditions(tmp_path).dataset_runs
    found = pseudovalues_by_condition(dataset_runs, CELL, ["clean", "missing:text"], [0, 2])
    assert found is not None
    assert found.shape == (2, 2, 6)
    assert found.mean(2) == pytest.approx(np.array([[0.51, 1.0], [0.71, 1.0]]))


def test_without_predictions_there_are_no_pseudo_values(tmp_path: Path) -> None:
    """Predictions under noise are not stored, so the result is None."""
    assert (
        pseudovalues_by_condition(load_conditions(tmp_path).dataset_runs, CELL, ["clean", "noise:text:1.0"], [0])
        is None
    )
