"""What confirm runs predicted, by run and test condition; read when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcray.store.store import SweepStore

Floats = NDArray[np.float64]
COLUMNS = ("cell", "repeat", "seed", "condition", "example", "group", "label", "prediction")


@dataclass(frozen=True, slots=True)
class TestSplit:
    """The test examples of a dataset, in the order of every run's predictions: labels and groups, (N,) each."""

    __test__ = False  # no test case of pytest's

    labels: Floats
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Predictions:
    """The predictions of a sweep's confirm runs: sentiments, or logits."""

    store: SweepStore

    def test_split(self, dataset: str) -> TestSplit:
        """The test split of a dataset. Raises `KeyError` where no run of it has predictions."""
        return self._read[0][dataset]

    def outputs(self, run: tuple[str, int, int], condition: str) -> Floats:
        """What a run (cell, repeat, seed) predicted under a condition, (N,). Raises `KeyError` where it has none."""
        return self._read[1][(*run, condition)]

    def conditions(self, run: tuple[str, int, int]) -> list[str]:
        """The conditions that a run's predictions are stored for."""
        return [key[3] for key in self._read[1] if key[:3] == run]

    @cached_property
    def _read(self) -> tuple[Mapping[str, TestSplit], Mapping[tuple[str, int, int, str], Floats]]:
        """Rows come sorted by run, condition and example, so that each run's condition is one block of them."""
        columns = self.store.read("predictions", COLUMNS)
        if not columns.num_rows:
            return {}, {}
        keys = [_codes(columns[name]) for name in COLUMNS[:4]]
        changes = np.any([codes[1:] != codes[:-1] for codes, _ in keys], axis=0)
        begins = np.concatenate([[0], np.flatnonzero(changes) + 1, [columns.num_rows]])
        values = columns["prediction"].to_numpy().astype(np.float64)
        splits: dict[str, TestSplit] = {}
        outputs: dict[tuple[str, int, int, str], Floats] = {}
        for begin, end in pairwise(begins):
            cell, repeat, seed, condition = (names[codes[begin]] for codes, names in keys)
            outputs[cell, repeat, seed, condition] = values[begin:end]
            dataset = cell.partition("/")[0]
            if dataset not in splits:
                rows = columns.slice(begin, end - begin)
                splits[dataset] = TestSplit(rows["label"].to_numpy(), tuple(rows["group"].to_pylist()))
        return splits, outputs


def _codes(column: Any) -> tuple[NDArray[np.int64], list[Any]]:
    """A column as numbers, and what each number stands for."""
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()
