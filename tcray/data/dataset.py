"""Datasets as tensors, and their standardized features."""

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
    """Indices, int64, of the train, validation and test examples of one fold."""

    train: Tensor
    valid: Tensor
    test: Tensor


@dataclass(frozen=True)
class MultimodalDataset:
    """A dataset in memory; it can be pickled.

    features  modality to (N, d) float32, as imported; `standardize_features` prepares them for training
    labels    (N,) float32: sentiment in [-3, 3] for regression, 0 or 1 for classification
    ids       N names, one per example
    groups    N group names, one per example (a video, a speaker); equal to `ids` if examples are not grouped
    splits    one per fold
    """

    card: Card
    features: Mapping[str, Tensor]
    labels: Tensor
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    splits: tuple[Split, ...]


def load_dataset(card: Card, root: str | Path) -> MultimodalDataset:
    """Return the dataset of `card`: read from `root` and checked against its fingerprint, or generated as a twin.

    Raises DataError if the files are broken or no longer match the card.
    """
    return to_dataset(card, load_examples(card, root))


def to_dataset(card: Card, examples: Examples) -> MultimodalDataset:
    """Return `examples` as tensors that share their memory."""
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
    """Return the features by modality, (F, N, d) float32: fold f is centered and scaled by its own train rows.

    Values are clipped at 8 standard deviations; columns whose train standard deviation is below 1e-6 become 0.
    """
    return {
        name: torch.from_numpy(np.stack([standardize(matrix.numpy(), split.train.numpy()) for split in dataset.splits]))
        for name, matrix in dataset.features.items()
    }
