"""Stored models are ordinary modules that reproduce the stored predictions."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tcray.config.run import Configuration, Run
from tcray.data.catalog import find_card
from tcray.data.dataset import load_dataset
from tcray.data.standardize import CLIP, compute_moments
from tcray.models.fusion_model import FusionModel, Standardize
from tcray.training.pack import train


@pytest.mark.parametrize(
    ("dataset", "values"),
    [
        ("twin-flat", {"rank": 3}),
        ("twin-flat", {"rank": 3, "conditioning": "jwae", "latent_dim": 5, "hidden_dim": 7}),
        ("twin-flat", {"fusion": "tensor", "latent_dim": 6}),
        ("twin-flat", {"fusion": "concat"}),
        ("mosi", {"fusion": "tensor", "latent_dim": 4, "modalities": ("text", "video")}),
        ("mosi", {"rank": 2, "modalities": ("audio",)}),
        ("mosi", {"fusion": "concat", "modalities": ("text", "audio")}),
        ("mosi-heldout", {"rank": 2}),
    ],
)
def test_predictions_are_those_of_the_engine(tmp_path: Path, dataset: str, values: dict[str, Any]) -> None:
    """For every fusion, subset of modalities and fold the plain module agrees with the engine to 1e-6."""
    card = find_card(dataset, tmp_path, missing="twin")
    data = load_dataset(card, tmp_path)
    configuration = Configuration.resolve(values, tuple(card.modalities))
    run = Run(card.name, card.fingerprint, configuration, 2, "valid.loss", 0, 0)
    (trained,) = train(data, [run], start=0, stop=2, checkpoints=[None], confirm=True)
    stored = next(e.predictions for e in trained.outcome.evaluations if e.condition == "clean")
    assert trained.weights is not None
    with np.load(io.BytesIO(trained.weights), allow_pickle=False) as arrays:
        weights = {name: arrays[name] for name in arrays.files}
    found = []
    for fold, split in enumerate(data.splits):
        features = {name: matrix.numpy() for name, matrix in data.features.items()}
        standardize = {
            name: Standardize(torch.from_numpy(mean), torch.from_numpy(scale), clip=CLIP)
            for name, matrix in features.items()
            for mean, scale in [compute_moments(matrix, split.train.numpy())]
        }
        model = FusionModel(configuration, card.modalities, {n: a[fold] for n, a in weights.items()}, standardize)
        with torch.no_grad():
            inputs = {name: torch.from_numpy(matrix[split.test.numpy()]) for name, matrix in features.items()}
            found.append(model(inputs).numpy())
    np.testing.assert_allclose(np.concatenate(found), stored, rtol=1e-6, atol=1e-6)
