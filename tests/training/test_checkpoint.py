"""Checkpoints and weights survive serialization."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest

from tcray.models.architecture import Architecture, ParameterLayout
from tcray.training.checkpoint import ROW_FIELDS, Checkpoint, weights_to_bytes
from tcray.training.pack import train
from tests.factories import make_dataset
from tests.training.factories import run, train_fully


def test_a_checkpoint_survives_serialization() -> None:
    """Position, best value and every row survive bit for bit, for several folds."""
    rows = [np.random.default_rng(k).standard_normal((3, 32)).astype(np.float32) for k in range(4)]
    state = Checkpoint(7, 5, 0.1 + 0.2, [21, 21, 18], *rows)
    back = Checkpoint.from_bytes(state.to_bytes())
    assert (back.epoch, back.best_epoch, back.best_value, list(back.steps)) == (7, 5, 0.1 + 0.2, [21, 21, 18])
    for name in ROW_FIELDS:
        assert getattr(back, name).dtype == np.float32
        assert np.array_equal(getattr(back, name), getattr(state, name))


def test_equal_checkpoints_are_equal_bytes() -> None:
    """Equal checkpoints serialize to equal bytes."""
    rows = [np.zeros((1, 16), np.float32)] * 4
    blob = Checkpoint(0, 0, math.nan, [0], *rows).to_bytes()
    assert blob == Checkpoint.from_bytes(blob).to_bytes()


def test_a_pickle_is_refused() -> None:
    """Object arrays are refused."""
    buffer = io.BytesIO()
    np.savez(buffer, position=np.array([object()], object))
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        Checkpoint.from_bytes(buffer.getvalue())


def test_weights_are_kept_by_name_for_every_fold() -> None:
    """A finished confirm run leaves its best epoch's tensors, (F, …) each, by parameter name."""
    dataset, one = make_dataset(folds=2, sizes=(60, 20, 20)), run(epochs=1, conditioning="jwae")
    layout = ParameterLayout.from_architecture(
        Architecture.from_configuration(one.configuration, dataset.card.modalities)
    )
    [finished] = train_fully(dataset, [one], confirm=True)
    [unfinished] = train(dataset, [run(epochs=2, conditioning="jwae")], start=0, stop=1, checkpoints=[None])
    assert finished.weights is not None
    assert unfinished.checkpoint is not None
    assert (finished.checkpoint, unfinished.weights) == (None, None)
    assert finished.weights == weights_to_bytes(layout, Checkpoint.from_bytes(unfinished.checkpoint).best)
    with np.load(io.BytesIO(finished.weights)) as arrays:
        assert {p.name: (2, *p.shape) for p in layout.parameters} == {name: arrays[name].shape for name in arrays}


def test_only_confirm_runs_keep_weights() -> None:
    """A finished search run leaves neither a checkpoint nor weights."""
    [finished] = train_fully(make_dataset(), [run(epochs=1)])
    assert (finished.checkpoint, finished.weights) == (None, None)
