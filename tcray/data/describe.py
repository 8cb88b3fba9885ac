"""Summary statistics of a dataset's labels and features, and remarks for readers of results."""

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
class LabelStatistics:
    """Statistics of the labels of one split; `counts` is per whole sentiment (nearest) or per class."""

    part: str
    examples: int
    groups: int
    mean: float
    deviation: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FeatureStatistics:
    """Statistics of the raw features of one modality over the train rows of every fold.

    constant  number of columns that are constant on the train rows of some fold
    clipped   number of values, in all rows, more than 8 train standard deviations from the train mean of some fold
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
    """Label statistics by split, feature statistics by modality, and remarks."""

    labels: tuple[LabelStatistics, ...]
    features: tuple[FeatureStatistics, ...]
    remarks: tuple[str, ...]


def describe(examples: Examples) -> Description:
    """Return the description of `examples`; with folds, the parts are the folds' test splits."""
    features = tuple(_features(examples, name, matrix) for name, matrix in examples.features.items())
    return Description(
        labels=tuple(_labels(examples, part, rows) for part, rows in _parts(examples)),
        features=features,
        remarks=tuple(_list_remarks(examples)),
    )


def _parts(examples: Examples) -> Iterator[tuple[str, NDArray[np.int64]]]:
    if len(examples.splits) == 1:
        split = examples.splits[0]
        yield from (("train", split.train), ("valid", split.valid), ("test", split.test))
    else:
        for number, split in enumerate(examples.splits, start=1):
            yield f"fold {number}", split.test
        yield "all", np.concatenate([split.test for split in examples.splits])


def _labels(examples: Examples, part: str, rows: NDArray[np.int64]) -> LabelStatistics:
    labels = examples.labels[rows].astype(np.float64)
    values = SENTIMENTS if examples.task == "regression" else CLASSES
    nearest = np.rint(labels)
    return LabelStatistics(
        part=part,
        examples=rows.size,
        groups=len({examples.groups[row] for row in rows}),
        mean=float(labels.mean()),
        deviation=float(labels.std()),
        counts=tuple(int((nearest == value).sum()) for value in values),
    )


def _features(examples: Examples, name: str, matrix: Floats) -> FeatureStatistics:
    constant, clipped = np.zeros(matrix.shape[1], bool), np.zeros(matrix.shape, bool)
    for split in examples.splits:
        seen = matrix[split.train].astype(np.float64)
        deviation = seen.std(axis=0)
        constant |= deviation < CONSTANT
        clipped |= np.abs(matrix - seen.mean(axis=0)) > CLIP * np.maximum(deviation, CONSTANT)
    trained = np.unique(np.concatenate([split.train for split in examples.splits]))
    seen = matrix[trained].astype(np.float64)
    return FeatureStatistics(
        modality=name,
        width=matrix.shape[1],
        mean=float(seen.mean()),
        deviation=float(seen.std()),
        low=float(seen.min()),
        high=float(seen.max()),
        constant=int(constant.sum()),
        clipped=int(clipped[:, ~constant].sum()),
    )


def _list_remarks(examples: Examples) -> Iterator[str]:
    yield from examples.notes
    if examples.saw_labels:
        yield (
            "The features of the train split were learned from its labels. Validation and test examples come from"
            f" other {examples.group}s: scores on examples of the train {examples.group}s would be far too good."
        )
