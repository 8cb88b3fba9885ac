from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tcray.claims.predictions import Predictions
from tcray.config.sweep import Confirm
from tests.claims.factories import (
    MOSI,
    MUSTARD,
    RunOutcome,
    SyntheticDataset,
    make_groups,
    make_labels,
    make_predictions,
    make_recorded_store,
    make_store,
    make_sweep,
)

SWEEP = make_sweep(
    factors={"rank": (2, 12)}, tune={}, search=None, confirm=Confirm(seeds=2), datasets=("mosi", "mustard")
)
MOSI_LABEL, MUSTARD_LABEL = make_labels(MOSI), make_labels(MUSTARD)


@pytest.fixture(scope="module")
def predictions(tmp_path_factory: pytest.TempPathFactory) -> Predictions:
    """MOSI's runs err by rank + seed / 10, without audio by 5; MUStARD's logits are 1 or -1, times rank."""
    mosi = SyntheticDataset.of(
        MOSI,
        lambda levels, _, seed: RunOutcome(
            make_predictions(MOSI_LABEL, levels["rank"] + seed / 10), {"missing:audio": make_predictions(MOSI_LABEL, 5)}
        ),
    )
    mustard = SyntheticDataset.of(MUSTARD, lambda levels, *_: RunOutcome((2 * MUSTARD_LABEL - 1) * levels["rank"]))
    return Predictions(make_recorded_store(tmp_path_factory.mktemp("recorded"), SWEEP, mosi, mustard))


def test_each_run_and_condition_has_its_own_predictions(predictions: Predictions) -> None:
    """The errors of two ranks, two seeds and two conditions are read back as written."""
    for rank, seed in ((2, 0), (2, 1), (12, 0), (12, 1)):
        clean = predictions.outputs((f"mosi/rank={rank}", 0, seed), "clean")
        assert np.abs(clean - MOSI_LABEL) == pytest.approx(np.full(60, rank + seed / 10))
    assert np.abs(predictions.outputs(("mosi/rank=2", 0, 1), "missing:audio") - MOSI_LABEL) == pytest.approx(
        np.full(60, 5.0)
    )


def test_labels_and_groups_are_in_the_order_of_predictions(predictions: Predictions) -> None:
    """MOSI has six videos of ten examples; each MUStARD example is its own group, and its label matches its logit."""
    mosi, mustard = predictions.test_split("mosi"), predictions.test_split("mustard")
    assert (mosi.labels.tolist(), mosi.groups) == (MOSI_LABEL.tolist(), make_groups(MOSI))
    assert (mustard.groups, len(set(mustard.groups))) == (make_groups(MUSTARD), 60)
    assert ((predictions.outputs(("mustard/rank=12", 0, 0), "clean") > 0) == (mustard.labels > 0.5)).all()


def test_conditions_of_a_run(predictions: Predictions) -> None:
    """MOSI runs have clean and no-audio predictions, MUStARD runs only clean ones, a missing run none."""
    assert predictions.conditions(("mosi/rank=2", 0, 0)) == ["clean", "missing:audio"]
    assert predictions.conditions(("mustard/rank=2", 0, 0)) == ["clean"]
    assert predictions.conditions(("mosi/rank=3", 0, 0)) == []


def test_missing_predictions_raise_a_key_error(predictions: Predictions, tmp_path: Path) -> None:
    """KeyError is raised if the condition, the dataset or the whole store has no predictions."""
    with pytest.raises(KeyError):
        predictions.outputs(("mosi/rank=2", 0, 0), "missing:text")
    with pytest.raises(KeyError):
        predictions.test_split("hateful_memes")
    with pytest.raises(KeyError):
        Predictions(make_store(tmp_path, [])).test_split("mosi")
