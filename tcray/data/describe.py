"""What is in a dataset, in numbers: its labels, its features, and what whoever reads a result should know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcray.data.examples import Examples, Floats
from tcray.data.standardize import CLIP, CONSTANT

SENTIMENTS = range(-3, 4)
CLASSES = range(2)


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of one part of the data: how many are nearest to each whole sentiment, or of each class."""

    part: str
    examples: int
    groups: int
    mean: float
    deviation: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Features:
    """The raw features of one modality, over the train rows of every fold.

    constant  columns that are constant on some fold's train rows
    clipped   values, of all rows, that some fold's train rows put more than 8 standard deviations off
    """

    modality: str
    width: int
    mean: float
    deviation: float
    low: float
    high: float
    constant: int
    clipped: int


@dataclass(frozen=True, slots=True)
class Description:
    """Labels by part, features by modality, and a sentence for each thing that is notable."""

    labels: tuple[Labels, ...]
    features: tuple[Features, ...]
    notable: tuple[str, ...]


def describe(examples: Examples) -> Description:
    """The description of `examples`; the parts of a fold protocol are its folds' test splits."""
    features = tuple(_features(examples, name, matrix) for name, matrix in examples.features.items())
    return Description(
        labels=tuple(_labels(examples, part, rows) for part, rows in _parts(examples)),
        features=features,
        notable=tuple(_notable(examples)),
    )


def _parts(examples: Examples) -> Iterator[tuple[str, NDArray[np.int64]]]:
    if len(examples.splits) == 1:
        split = examples.splits[0]
        yield from (("train", split.train), ("valid", split.valid), ("test", split.test))
    else:
        for number, split in enumerate(examples.splits, start=1):
            yield f"fold {number}", split.test
        yield "all", np.concatenate([split.test for split in examples.splits])


def _labels(examples: Examples, part: str, rows: NDArray[np.int64]) -> Labels:
    labels = examples.labels[rows].astype(np.float64)
    values = SENTIMENTS if examples.task == "regression" else CLASSES
    nearest = np.rint(labels)
    return Labels(
        part=part,
        examples=rows.size,
        groups=len({examples.groups[row] for row in rows}),
        mean=float(labels.mean()),
        deviation=float(labels.std()),
        counts=tuple(int((nearest == value).sum()) for value in values),
    )


def _features(examples: Examples, name: str, matrix: Floats) -> Features:
    constant, clipped = np.zeros(matrix.shape[1], bool), np.zeros(matrix.shape, bool)
    for split in examples.splits:
        seen = matrix[split.train].astype(np.float64)
        deviation = seen.std(axis=0)
        constant |= deviation < CONSTANT
        clipped |= np.abs(matrix - seen.mean(axis=0)) > CLIP * np.maximum(deviation, CONSTANT)
    trained = np.unique(np.concatenate([split.train for split in examples.splits]))
    seen = matrix[trained].astype(np.float64)
    return Features(
        modality=name,
        width=matrix.shape[1],
        mean=float(seen.mean()),
        deviation=float(seen.std()),
        low=float(seen.min()),
        high=float(seen.max()),
        constant=int(constant.sum()),
        clipped=int(clipped[:, ~constant].sum()),
    )


def _notable(examples: Examples) -> Iterator[str]:
    yield from examples.notes
    if examples.saw_labels:
        yield (
            "The features of the train split were learned from its labels. Validation and test come from"
            f" other {examples.group}s, and have to: carved from the train split, either would be far too good."
        )
