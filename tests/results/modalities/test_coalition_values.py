"""Coalition values: the value of every subset of modalities, retrained and at inference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tcray.claims.conditions import ConditionMetrics
from tcray.results.modalities.coalition_values import (
    NOTHING,
    cells_by_subset,
    compute_inference_game,
    compute_retrained_game,
    explain_incomplete,
    explain_missing_constant,
)
from tests.claims.factories import MOSI
from tests.results.modalities.factories import CONSTANT, REPEATS, load_dataset_runs, load_sweep_runs

PAIR = {"text": 0.6, "audio": 1.2, "text+audio": 0.5}


def test_a_retrained_game_has_every_subset_of_every_unit(tmp_path: Path) -> None:
    """The empty subset has the value of the constant predictor, the same for every unit and group."""
    game = compute_retrained_game(load_dataset_runs(tmp_path, PAIR, card=MOSI), {})
    assert game is not None
    assert {subset: values.mean() for subset, values in game.means.items()} == {
        NOTHING: CONSTANT,
        frozenset({"text"}): pytest.approx(0.6),
        frozenset({"audio"}): pytest.approx(1.2),
        frozenset({"text", "audio"}): pytest.approx(0.5),
    }
    assert {values.shape for values in game.by_group.values()} == {(REPEATS, 6)}
    assert np.ptp(game.by_group[NOTHING]) == 0


def test_losses_are_negated_for_shares(tmp_path: Path) -> None:
    """Text lowers MAE from 2.0 to 0.6 alone and from 1.2 to 0.5 after audio: 1.05; audio 0.8 and 0.1: 0.45; sum 1.5."""
    game = compute_retrained_game(load_dataset_runs(tmp_path, PAIR, card=MOSI), {})
    assert game is not None
    shapley = game.shapley(0.05)
    assert shapley.values == pytest.approx({"text": 1.05, "audio": 0.45})
    assert shapley.total == pytest.approx(1.5)
    assert shapley.interactions == pytest.approx({("audio", "text"): -0.7})


def test_values_at_inference_come_from_runs_with_all_modalities(tmp_path: Path) -> None:
    """Values at inference use the predictions of the full fusion; with no modality left the MAE is 2."""
    (conditions,) = ConditionMetrics.load_all(load_sweep_runs(tmp_path, PAIR, card=MOSI))
    game = compute_inference_game(conditions, {})
    assert game is not None
    assert {subset: values.mean() for subset, values in game.means.items()} == {
        NOTHING: pytest.approx(2.0),
        frozenset({"text"}): pytest.approx(0.6),
        frozenset({"audio"}): pytest.approx(1.2),
        frozenset({"text", "audio"}): pytest.approx(0.5),
    }
    assert not game.trained_with_dropout


def test_a_single_unit_has_shares_without_intervals(tmp_path: Path) -> None:
    """The variation of shares is unknown for a single repeat, so there are no intervals."""
    game = compute_retrained_game(load_dataset_runs(tmp_path, PAIR, card=MOSI, repeats=1, spread=0.0), {})
    assert game is not None
    shapley = game.shapley(0.05)
    assert shapley.values == pytest.approx({"text": 1.05, "audio": 0.45})
    assert shapley.ci_low == {"text": None, "audio": None}


def test_a_missing_subset_gives_no_game(tmp_path: Path) -> None:
    """The reason names the missing subset and the remedy."""
    few = load_dataset_runs(tmp_path, {"text": 0.6, "text+audio": 0.5}, card=MOSI)
    assert compute_retrained_game(few, {}) is None
    assert explain_incomplete(few, [frozenset({"audio"})], cells_by_subset(few, {})) == (
        "No confirm run on mosi with audio for modalities is complete: set modalities to subsets, and run the sweep to "
        "its end."
    )


def test_without_a_constant_baseline_there_is_no_game(tmp_path: Path) -> None:
    """The empty subset needs the baseline of the constant predictor in the manifest."""
    known = load_dataset_runs(tmp_path, PAIR, card=MOSI)
    assert explain_missing_constant(known) == ""
    object.__setattr__(known, "baselines", ())
    assert compute_retrained_game(known, {}) is None
    assert explain_missing_constant(known) == (
        "The sweep has no constant baseline for mosi, so the value of no modality is unknown: run it "
        "again with --fresh."
    )
