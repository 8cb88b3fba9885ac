"""A dataset prepared for packs: standardized per fold, padded, on the device, its splits in blocks of rows.

Shape legend: F folds, N examples, d padded input width, n padded split length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tcray.config.metrics import Task
from tcray.data.dataset import MultimodalDataset, standardize_features
from tcray.models.architecture import round_up_to_block

BLOCK_ROWS = 64
"""Number of rows that an evaluation computes at a time, in every pack and for every split."""

SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")


@dataclass(frozen=True, slots=True)
class PackedSplit:
    """One split of every fold."""

    indices: tuple[NDArray[np.int64], ...]
    """Indices of the split's examples, one array per fold."""
    inputs: tuple[Tensor, ...]
    """(F, n, d) per modality; rows past the length of a fold's split repeat its first row."""
    labels: NDArray[np.float64]
    """(Σ lengths,) concatenated over folds, in fold order."""

    def blocks(self, folds: Tensor) -> Iterator[tuple[slice, list[Tensor]]]:
        """Yield blocks of `BLOCK_ROWS` rows and their inputs (K, rows, d), for members of the given folds (K,)."""
        shared = len(self.indices) == 1
        for begin in range(0, self.inputs[0].shape[1], BLOCK_ROWS):
            rows = slice(begin, begin + BLOCK_ROWS)
            yield rows, [x[:, rows].expand(len(folds), -1, -1) if shared else x[folds, rows] for x in self.inputs]

    def concatenate_folds(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return a run's values (F, n) without padding, concatenated over folds: (Σ lengths,)."""
        return np.concatenate([row[: len(rows)] for row, rows in zip(values, self.indices, strict=True)]).astype(
            np.float64
        )

    def mask(self) -> NDArray[np.float64]:
        """Return (F, n): 1 for a row of the split, 0 for padding."""
        width = self.inputs[0].shape[1]
        return np.stack([(np.arange(width) < len(rows)).astype(np.float64) for rows in self.indices])


@dataclass(frozen=True, slots=True)
class PackedDataset:
    """A dataset on a device, ready for any number of packs."""

    modalities: Mapping[str, int]
    task: Task
    inputs: tuple[Tensor, ...]
    """(F·N, d) per modality: row f·N + i is example i, standardized by fold f."""
    labels: Tensor
    """(F·N,)"""
    examples: int
    splits: Mapping[SplitName, PackedSplit]

    @property
    def folds(self) -> int:
        """Number of folds, and so of models per run."""
        return len(self.splits["train"].indices)

    @classmethod
    def from_dataset(
        cls, dataset: MultimodalDataset, device: str = "cpu", dtype: torch.dtype = torch.float32
    ) -> PackedDataset:
        """Return `dataset`, padded and on `device`."""
        features = {
            m: torch.nn.functional.pad(x.to(device, dtype), (0, round_up_to_block(x.shape[2]) - x.shape[2]))
            for m, x in standardize_features(dataset).items()
        }
        labels = dataset.labels.to(device, dtype)
        return cls(
            modalities=dict(dataset.card.modalities),
            task=dataset.card.task,
            inputs=tuple(x.flatten(0, 1) for x in features.values()),
            labels=labels.repeat(len(dataset.splits)),
            examples=len(labels),
            splits={
                name: _pack_split(
                    [getattr(split, name) for split in dataset.splits], tuple(features.values()), dataset.labels
                )
                for name in SPLITS
            },
        )


def _pack_split(indices: Sequence[Tensor], features: Sequence[Tensor], labels: Tensor) -> PackedSplit:
    longest = max(len(rows) for rows in indices)
    width = -(-longest // BLOCK_ROWS) * BLOCK_ROWS
    filled = [torch.cat([rows, rows[:1].expand(width - len(rows))]) for rows in indices]
    return PackedSplit(
        indices=tuple(rows.numpy() for rows in indices),
        inputs=tuple(torch.stack([x[fold, rows] for fold, rows in enumerate(filled)]) for x in features),
        labels=np.concatenate([labels[rows].double().numpy() for rows in indices]),
    )
