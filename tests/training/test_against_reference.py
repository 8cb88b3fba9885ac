"""The engine agrees with an independently written reference in float64 after every step."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tcray.models.architecture import Architecture, ParameterLayout
from tcray.training.checkpoint import Checkpoint
from tcray.training.pack import train
from tcray.training.packed_dataset import PackedDataset
from tests.factories import make_dataset
from tests.training.factories import run
from tests.training.reference import remove_padding, train_reference

EPOCHS = 4
RANDOM: dict[str, Any] = {"dropout": 0.3, "audio_dropout": 0.4, "weight_decay": 0.1}
WHOLE, PARTS = 64, 20
"""Batch sizes for a train split of 50: one step per epoch, and two whole batches with a partial third."""

CASES = {
    "regression, plain LMF of rank 1": ("regression", {"rank": 1}),
    "classification, plain LMF of rank 3": ("classification", {"rank": 3, **RANDOM}),
    "regression, jWAE of rank 3": ("regression", {"conditioning": "jwae", "rank": 3, **RANDOM}),
    "classification, jWAE of rank 16": ("classification", {"conditioning": "jwae", "rank": 16, **RANDOM}),
    "regression, prior alone": ("regression", {"conditioning": "prior", "rank": 2}),
    "regression, autoencoder": ("regression", {"conditioning": "autoencoder", "rank": 2, "weight_decay": 0.1}),
    "classification, sampled IMQ": ("classification", {"conditioning": "jwae", "prior_kernel": "imq", **RANDOM}),
    "regression, two of three modalities": (
        "regression",
        {"conditioning": "jwae", "rank": 17, "modalities": ("text", "video"), **RANDOM},
    ),
    "classification, one modality": ("classification", {"conditioning": "jwae", "modalities": ("audio",)}),
    "regression, tensor": ("regression", {"fusion": "tensor", **RANDOM}),
    "classification, tensor of two modalities": (
        "classification",
        {"fusion": "tensor", "conditioning": "jwae", "modalities": ("text", "audio"), **RANDOM},
    ),
    "regression, concatenation": ("regression", {"fusion": "concat", "conditioning": "jwae", **RANDOM}),
}


@pytest.mark.parametrize("batch_size", [WHOLE, PARTS])
@pytest.mark.parametrize(("task", "values"), CASES.values(), ids=CASES)
def test_engine_and_plain_model_agree_step_by_step(task: Any, values: dict[str, Any], batch_size: int) -> None:
    """Weights and losses agree to 1e-12 after every epoch, of one step or of three with the last one partial."""
    assert_agreement(task, {"batch_size": batch_size, "latent_dim": 10, "hidden_dim": 24, "lr": 3e-3, **values})


def test_a_batch_of_a_single_row_has_no_prior_term() -> None:
    """If the last batch has a single row, both implementations leave the MMD out of its step."""
    assert_agreement("regression", {"conditioning": "jwae", "batch_size": 7, "latent_dim": 5, "hidden_dim": 9})


def test_a_modality_always_dropped_is_one_whose_latent_is_zero() -> None:
    """A modality dropout of 1 trains as if the fusion received 0 for that modality."""
    values: dict[str, Any] = {"conditioning": "jwae", "batch_size": PARTS, "latent_dim": 10, "hidden_dim": 24}
    dropped, whole = run(epochs=EPOCHS, audio_dropout=1.0, **values), run(epochs=EPOCHS, **values)
    dataset = make_dataset(sizes=(50, 20, 20))
    [result] = train(dataset, [dropped], start=0, stop=EPOCHS, checkpoints=[None], dtype=torch.float64)
    expected = [epoch.running_loss for epoch in train_reference(dataset, whole, silent={"audio"})]
    actual = [row["train.running_loss"] for row in result.outcome.curve]
    assert actual == pytest.approx(expected, rel=1e-12, abs=1e-12)


def assert_agreement(task: Any, values: dict[str, Any]) -> None:
    """Assert that engine and reference agree after each of a few epochs."""
    dataset = make_dataset(sizes=(50, 20, 20), task=task)
    packed, one, state = PackedDataset.from_dataset(dataset, dtype=torch.float64), run(epochs=EPOCHS, **values), None
    widths, later = dataset.card.modalities, run(epochs=EPOCHS + 1, **values)
    layout = ParameterLayout.from_architecture(Architecture.from_configuration(one.configuration, widths))
    for epoch, plain in enumerate(train_reference(dataset, one), 1):
        [result] = train(packed, [later], start=epoch - 1, stop=epoch, checkpoints=[state], dtype=torch.float64)
        state = result.checkpoint
        assert state is not None
        [row] = result.outcome.curve
        losses = row["train.running_loss"], row["valid.loss"]
        assert losses == pytest.approx((plain.running_loss, plain.valid_loss), rel=1e-12, abs=1e-12)
        tensors = layout.unflatten(Checkpoint.from_bytes(state).weights[0])
        weights = {name: torch.tensor(x) for name, x in remove_padding(tensors, one.configuration, widths).items()}
        torch.testing.assert_close(weights, dict(plain.weights), rtol=0, atol=1e-12)
