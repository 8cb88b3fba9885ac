"""Small multimodal datasets with a planted truth, for tests that need data without files."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from tcray.config.metrics import Task
from tcray.config.run import digest
from tcray.data.catalog import Card
from tcray.data.dataset import MultimodalDataset, Split

WIDTHS: Mapping[str, int] = {"text": 30, "audio": 17, "video": 40}
SIZES = (167, 50, 70)


def make_dataset(
    widths: Mapping[str, int] = WIDTHS,
    sizes: tuple[int, int, int] = SIZES,
    task: Task = "regression",
    folds: int = 1,
    *,
    noise: float = 0.3,
    seed: int = 0,
) -> MultimodalDataset:
    """Return a dataset with the label t₁ + t₂ Π aᵢ + noise: units of the first modality, and one of each other one.

    widths  modality to width
    sizes   train, valid and test examples; with several folds, all examples are assigned to the folds' test splits,
            which grow by about half from the first to the last, and a fifth of the rest validates
    noise   σ, for a truth whose standard deviation is about one; a class is 1 if the noisy truth is positive
    """
    generator = np.random.default_rng(seed)
    count = sum(sizes)
    features = {m: generator.normal(1.0, 2.0, (count, width)).astype(np.float32) for m, width in widths.items()}
    first, *others = [(x - 1) / 2 for x in features.values()]
    interaction = np.prod([first[:, -1], *(x[:, 0] for x in others)], axis=0)
    score = 0.7 * (first[:, 0] + interaction) + generator.normal(0.0, noise, count)
    labels = np.clip(score, -3, 3) if task == "regression" else score > 0
    splits = _folds(generator.permutation(count), folds) if folds > 1 else (_split(np.arange(count), sizes),)
    ids = tuple(f"example-{i:04d}" for i in range(count))
    return MultimodalDataset(
        card=_card(widths, task, splits, digest([list(widths.items()), sizes, task, folds, noise, seed])),
        features={m: torch.from_numpy(x) for m, x in features.items()},
        labels=torch.from_numpy(labels.astype(np.float32)),
        ids=ids,
        groups=ids,
        splits=splits,
    )


def _card(widths: Mapping[str, int], task: Task, splits: tuple[Split, ...], fingerprint: str) -> Card:
    first = splits[0]
    return Card(
        name="planted",
        source="twin",
        task=task,
        modalities=dict(widths),
        sizes=(len(first.train), len(first.valid), sum(len(split.test) for split in splits)),
        folds=len(splits),
        groups="",
        fingerprint=fingerprint,
        saw_labels=False,
        primary_metric="mae" if task == "regression" else "f1",
        train_sizes=tuple(len(split.train) for split in splits) if len(splits) > 1 else (),
    )


def _folds(order: NDArray[np.int64], folds: int) -> tuple[Split, ...]:
    """Test every example once, in folds of uneven size."""
    ends = np.cumsum(2 + np.arange(folds) / max(folds - 1, 1))
    cuts = [0, *np.rint(ends / ends[-1] * len(order)).astype(int)]
    splits = []
    for begin, end in pairwise(cuts):
        rest = np.concatenate([order[end:], order[:begin]])
        valid = len(rest) // 5
        splits.append(_split(np.concatenate([rest, order[begin:end]]), (len(rest) - valid, valid, end - begin)))
    return tuple(splits)


def _split(order: NDArray[np.int64], sizes: tuple[int, int, int]) -> Split:
    train, valid, test = np.split(order, np.cumsum(sizes)[:2])
    return Split(*(torch.from_numpy(rows.astype(np.int64)) for rows in (train, valid, test)))
