"""Predictions of confirm runs, by run and test condition; read from the store on first use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tcray.store.store import SweepStore

Floats = NDArray[np.float64]
COLUMNS = ("cell", "repeat", "seed", "condition", "example", "group", "label", "prediction")


@dataclass(frozen=True, slots=True)
class TestSplit:
    """The test examples of a dataset, in the order of every run's predictions: labels (N,) and groups (N,)."""

    __test__ = False  # no test case of pytest's

    labels: Floats
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Predictions:
    """The predictions of a sweep's confirm runs: sentiments, or logits."""

    store: SweepStore

    def test_split(self, dataset: str) -> TestSplit:
        """Return the test split of a dataset.

        Raises:
            KeyError: if no run of the dataset has predictions.
        """
        return self._read[0][dataset]

    def outputs(self, run: tuple[str, int, int], condition: str) -> Floats:
        """Return the predictions (N,) of a run (cell, repeat, seed) under a condition.

        Raises:
            KeyError: if the run has none under that condition.
        """
        return self._read[1][(*run, condition)]

    def conditions(self, run: tuple[str, int, int]) -> list[str]:
        """Return the conditions for which a run's predictions are stored."""
        return [key[3] for key in self._read[1] if key[:3] == run]

    @cached_property
    def _read(self) -> tuple[Mapping[str, TestSplit], Mapping[tuple[str, int, int, str], Floats]]:
        """Read all predictions.

        Rows are sorted by run, condition and example: a run's condition is one block of rows.
        """
        columns = self.store.read("predictions", COLUMNS)
        if not columns.num_rows:
            return {}, {}
        keys = [_codes(columns[name]) for name in COLUMNS[:4]]
        changes = np.any([codes[1:] != codes[:-1] for codes, _ in keys], axis=0)
        begins = np.concatenate([[0], np.flatnonzero(changes) + 1, [columns.num_rows]])
        values = _first_outputs(columns["prediction"])
        splits: dict[str, TestSplit] = {}
        outputs: dict[tuple[str, int, int, str], Floats] = {}
        for begin, end in pairwise(begins):
            cell, repeat, seed, condition = (names[codes[begin]] for codes, names in keys)
            outputs[cell, repeat, seed, condition] = values[begin:end]
            dataset = cell.partition("/")[0]
            if dataset not in splits:
                rows = columns.slice(begin, end - begin)
                splits[dataset] = TestSplit(_first_outputs(rows["label"]), tuple(rows["group"].to_pylist()))
        return splits, outputs


def _codes(column: Any) -> tuple[NDArray[np.int64], list[Any]]:
    """Return a column as integer codes, and the value of each code."""
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def _first_outputs(column: pa.ChunkedArray) -> Floats:
    """Return the only output of each row, (N,); datasets have one output each."""
    values: Floats = pc.list_element(column, 0).to_numpy().astype(np.float64)
    return values
