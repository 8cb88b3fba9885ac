"""A dataset as tensors, and its standardised features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tcray.data.catalog import Card
from tcray.data.examples import Examples
from tcray.data.loading import load_examples
from tcray.data.standardize import standardize


@dataclass(frozen=True, slots=True)
class Split:
    """Positions, int64, of the examples that one fold trains on, validates on and tests on."""

    train: Tensor
    valid: Tensor
    test: Tensor


@dataclass(frozen=True)
class MultimodalDataset:
    """A dataset in memory; it pickles.

    features  modality to (N, d) float32, as imported (`standardized` makes them fit for training)
    labels    (N,) float32: sentiment in [-3, 3] for regression, 0 or 1 for classification
    ids       N names of examples
    groups    N names of what examples come from (a video, a speaker); equal to `ids` where nothing groups them
    splits    one a fold
    """

    card: Card
    features: Mapping[str, Tensor]
    labels: Tensor
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    splits: tuple[Split, ...]


def load_dataset(card: Card, root: str | Path) -> MultimodalDataset:
    """The dataset of `card`: read from `root` and checked against its fingerprint, or a twin made from its recipe.

    Raises DataError where the files are broken or no longer those of the card.
    """
    return to_dataset(card, load_examples(card, root))


def to_dataset(card: Card, examples: Examples) -> MultimodalDataset:
    """`examples` as tensors that share their memory."""
    return MultimodalDataset(
        card=card,
        features={name: torch.from_numpy(matrix) for name, matrix in examples.features.items()},
        labels=torch.from_numpy(examples.labels),
        ids=examples.ids,
        groups=examples.groups,
        splits=tuple(
            Split(*(torch.from_numpy(rows) for rows in (split.train, split.valid, split.test)))
            for split in examples.splits
        ),
    )


def standardize_features(dataset: MultimodalDataset) -> Mapping[str, Tensor]:
    """Modality to (F, N, d) float32: fold f's features, centred and scaled by fold f's train rows alone.

    Clipped at 8 standard deviations; columns whose train standard deviation is below 1e-6 become 0.
    """
    return {
        name: torch.from_numpy(np.stack([standardize(matrix.numpy(), split.train.numpy()) for split in dataset.splits]))
        for name, matrix in dataset.features.items()
    }
