"""Datasets of a sweep, loaded on first use: a finished sweep loads none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tcray.data.catalog import Card
from tcray.search.queue import TestExamples

if TYPE_CHECKING:
    from tcray.data.dataset import MultimodalDataset


class LazyDatasets(Mapping[str, "MultimodalDataset"]):
    """Datasets by name."""

    def __init__(self, cards: Mapping[str, Card], root: str) -> None:
        """Take the cards by name and the folder of the data; nothing is loaded yet."""
        self._cards = cards
        self._root = root
        self._loaded: dict[str, MultimodalDataset] = {}

    def __getitem__(self, name: str) -> MultimodalDataset:
        """Return a dataset. Raises DataError if its files are damaged or do not match its card."""
        from tcray.data.dataset import load_dataset

        if name not in self._loaded:
            self._loaded[name] = load_dataset(self._cards[name], self._root)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names in the order of the sweep file."""
        return iter(self._cards)

    def __len__(self) -> int:
        """Return the number of datasets."""
        return len(self._cards)


class LazyTestExamples(Mapping[str, TestExamples]):
    """Test examples of each dataset, over all folds, in the order of an evaluation's predictions."""

    def __init__(self, datasets: LazyDatasets) -> None:
        """Take the datasets; nothing is loaded yet."""
        self._datasets = datasets
        self._examples: dict[str, TestExamples] = {}

    def __getitem__(self, name: str) -> TestExamples:
        """Return the test examples of a dataset."""
        if name not in self._examples:
            dataset = self._datasets[name]
            rows = [int(row) for split in dataset.splits for row in split.test]
            self._examples[name] = TestExamples(
                ids=[dataset.ids[row] for row in rows],
                groups=[dataset.groups[row] for row in rows],
                labels=dataset.labels[rows].tolist(),
            )
        return self._examples[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the datasets."""
        return iter(self._datasets)

    def __len__(self) -> int:
        """Return the number of datasets."""
        return len(self._datasets)
