"""Validated datasets as plain arrays: the output of readers and twins, and the content of the archive."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcray.config.metrics import Task
from tcray.config.run import canonical_json
from tcray.data.catalog import Card, Source
from tcray.errors import DataError

Floats = NDArray[np.float32]
Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Partition:
    """Indices of the train, validation and test examples of one fold."""

    train: Positions
    valid: Positions
    test: Positions

    @classmethod
    def of(cls, train: Sequence[int], valid: Sequence[int], test: Sequence[int]) -> Partition:
        """Return the partition with these indices, in this order."""
        return cls(*(np.asarray(part, np.int64) for part in (train, valid, test)))


@dataclass(frozen=True)
class Examples:
    """The examples of a dataset and their splits. Raises DataError if they cannot be trained on.

    features  modality to (N, d) float32
    labels    (N,) float32: sentiment in [-3, 3] for regression, 0 or 1 for classification
    groups    group name of each example; equal to `ids` if `group` is empty
    splits    one partition per fold
    """

    name: str
    task: Task
    primary_metric: str
    features: Mapping[str, Floats]
    labels: Floats
    ids: tuple[str, ...]
    group: str
    groups: tuple[str, ...]
    splits: tuple[Partition, ...]
    saw_labels: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise DataError for the first problem found."""
        _check_rows(self)
        _check_finite(self)
        _check_labels(self)
        _check_splits(self)

    def card(self, source: Source, fingerprint: str) -> Card:
        """Return the card of these examples."""
        first = self.splits[0]
        return Card(
            name=self.name,
            source=source,
            task=self.task,
            modalities={name: matrix.shape[1] for name, matrix in self.features.items()},
            sizes=(first.train.size, first.valid.size, sum(split.test.size for split in self.splits)),
            folds=len(self.splits),
            groups=self.group,
            fingerprint=fingerprint,
            saw_labels=self.saw_labels,
            primary_metric=self.primary_metric,
            train_sizes=tuple(split.train.size for split in self.splits) if len(self.splits) > 1 else (),
            notes=self.notes,
        )

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that change with any array, name, order or split."""
        state = hashlib.blake2b(digest_size=8)
        names = [self.name, self.task, list(self.features), self.ids, self.group, self.groups, len(self.splits)]
        state.update(canonical_json(names).encode())
        arrays: list[NDArray[Any]] = [*self.features.values(), self.labels]
        arrays += [part for split in self.splits for part in (split.train, split.valid, split.test)]
        for array in arrays:
            state.update(canonical_json(array.shape).encode())
            state.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
        return state.hexdigest()


def single_precision(values: NDArray[Any]) -> Floats:
    """Return `values` as float32; values out of range become infinite, which the checks then report."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, np.float32)


def _check_rows(examples: Examples) -> None:
    count = len(examples.ids)
    again = "Check the files: every modality needs one row per example, in the same order."
    if not examples.features:
        raise DataError(f"{examples.name}: no modalities", again)
    for name, matrix in examples.features.items():
        if matrix.ndim != 2 or matrix.shape[0] != count or matrix.shape[1] == 0:
            shape = " x ".join(map(str, matrix.shape))
            raise DataError(f"{examples.name}: {name}: {count} examples, but an array of {shape}", again)
    if len(examples.labels) != count or len(examples.groups) != count:
        raise DataError(
            f"{examples.name}: {count} ids, {len(examples.labels)} labels and {len(examples.groups)} groups", again
        )
    twice = [i for i, n in Counter(examples.ids).items() if n > 1]
    if twice:
        raise DataError(
            f"{examples.name}: {format_names(twice, 'id')} used for more than one example",
            "Give every example its own id.",
        )


def _check_finite(examples: Examples) -> None:
    found = []
    for name, matrix in examples.features.items():
        for kind, bad in (("NaN", np.isnan(matrix)), ("infinite", np.isinf(matrix))):
            if bad.any():
                rows = np.flatnonzero(bad.any(axis=1))
                found.append(
                    f"{name}: {format_count(int(bad.sum()), f'{kind} value')} in {format_count(rows.size, 'row')}"
                    f" (first: {examples.ids[rows[0]]})"
                )
    if found:
        raise DataError(
            f"{examples.name}: {'; '.join(found)}",
            "Replace these values or remove the examples, then import again.",
        )


def _check_labels(examples: Examples) -> None:
    if examples.task == "regression":
        wrong, allowed = ~(np.abs(examples.labels) <= 3), "in [-3, 3]"
    else:
        wrong, allowed = ~np.isin(examples.labels, (0, 1)), "0 or 1"
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{examples.name}: {format_count(int(wrong.sum()), 'label')} not {allowed}"
            f" (first: {examples.labels[first]:g} of {examples.ids[first]})",
            "Rescale the labels or remove the examples, then import again.",
        )


def _check_splits(examples: Examples) -> None:
    advice = "Check the files that assign examples to splits."
    many = len(examples.splits) > 1
    for number, split in enumerate(examples.splits, start=1):
        where = f"{examples.name}: fold {number}" if many else examples.name
        parts = {"train": split.train, "validation": split.valid, "test": split.test}
        for part, rows in parts.items():
            if not rows.size:
                raise DataError(f"{where}: there are no {part} examples", advice)
        every = np.concatenate(tuple(parts.values()))
        if every.min() < 0 or every.max() >= len(examples.ids):
            raise DataError(f"{where}: a split refers to an example that does not exist", advice)
        if np.unique(every).size < every.size:
            raise DataError(f"{where}: an example is in more than one of train, validation and test", advice)
        if examples.task == "classification" and np.unique(examples.labels[split.train]).size < 2:
            raise DataError(f"{where}: all train examples are of one class", advice)
    tested = np.concatenate([split.test for split in examples.splits]) if examples.splits else np.empty(0)
    if not tested.size:
        raise DataError(f"{examples.name}: no splits", advice)
    if np.unique(tested).size < tested.size:
        raise DataError(f"{examples.name}: an example is tested in two folds", advice)


def format_count(count: int, noun: str) -> str:
    """Return `count` and the noun in the right number: "1 row", "3 rows"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def format_names(names: Sequence[str], noun: str, shown: int = 4) -> str:
    """Return the number of `names` and the first few of them: "2 ids (a, b)"."""
    listed = ", ".join(names[:shown]) + (", …" if len(names) > shown else "")
    return f"{format_count(len(names), noun)} ({listed})"
