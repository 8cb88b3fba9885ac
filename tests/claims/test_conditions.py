"""Test conditions of confirm runs: their names, and the metric under each by unit."""

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


def an_outcome(levels: object, repeat: int, seed: int) -> RunOutcome:
    """Off by a tenth more in every repeat, and by 0.02 more with every second seed; by 1 without text."""
    error = 0.5 + 0.1 * repeat + 0.02 * (seed % 2)
    noisy = {"noise:text:1.0": {"mae": error + 0.3 if repeat else float("nan")}}
    return RunOutcome(
        make_predictions(LABEL, error), also={"missing:text": make_predictions(LABEL, 1.0)}, evaluations=noisy
    )


def the_conditions(folder: Path) -> ConditionMetrics:
    """Those of MOSI at rank 2."""
    sweep = make_sweep(factors={"rank": (2,)})
    return ConditionMetrics.load_all(
        SweepRuns.load(make_recorded_store(folder, sweep, SyntheticDataset.of(MOSI, an_outcome)))
    )[0]


def test_patterns_are_every_subset_by_size() -> None:
    """Of two modalities nothing, either or both may be missing."""
    assert list_missing_patterns(("text", "audio")) == [(), ("text",), ("audio",), ("text", "audio")]


def test_conditions_are_named_as_in_the_store() -> None:
    """What is missing is joined by +; nothing missing is clean."""
    assert [missing_condition(p) for p in ((), ("text",), ("text", "audio"))] == [
        "clean",
        "missing:text",
        "missing:text+audio",
    ]


def test_a_unit_is_the_mean_over_its_runs(tmp_path: Path) -> None:
    """Two seeds a repeat, 0.02 apart, leave their middle."""
    rows = the_conditions(tmp_path).by_unit(CELL, ["clean", "missing:text"])
    assert {unit: row.tolist() for unit, row in rows.items()} == {
        repeat: pytest.approx([0.51 + 0.1 * repeat, 1.0]) for repeat in range(3)
    }


def test_a_unit_with_an_undefined_number_is_left_out(tmp_path: Path) -> None:
    """The first repeat has no MAE under noise."""
    assert list(the_conditions(tmp_path).by_unit(CELL, ["clean", "noise:text:1.0"])) == [1, 2]


def test_only_conditions_that_every_run_was_evaluated_in_are_named(tmp_path: Path) -> None:
    """All runs of this cell were evaluated clean, without text, and under noise."""
    assert sorted(the_conditions(tmp_path).names(CELL)) == ["clean", "missing:text", "noise:text:1.0"]


def test_a_cell_tells_its_modalities_and_its_units(tmp_path: Path) -> None:
    """Three repeats of two seeds, on both modalities of the dataset."""
    dataset_runs = the_conditions(tmp_path).dataset_runs
    assert used_modalities(dataset_runs, CELL) == ("text", "audio")
    assert group_by_unit(dataset_runs, CELL)[1] == [(CELL, 1, 2), (CELL, 1, 3)]


def test_pseudo_values_by_group_have_the_units_metric_for_mean(tmp_path: Path) -> None:
    """Under either condition, the mean over the six videos is what the store has for the unit."""
    dataset_runs = the_conditions(tmp_path).dataset_runs
    found = pseudovalues_by_condition(dataset_runs, CELL, ["clean", "missing:text"], [0, 2])
    assert found is not None
    assert found.shape == (2, 2, 6)
    assert found.mean(2) == pytest.approx(np.array([[0.51, 1.0], [0.71, 1.0]]))


def test_without_predictions_there_are_no_pseudo_values(tmp_path: Path) -> None:
    """Predictions under noise are not kept."""
    assert (
        pseudovalues_by_condition(the_conditions(tmp_path).dataset_runs, CELL, ["clean", "noise:text:1.0"], [0]) is None
    )
