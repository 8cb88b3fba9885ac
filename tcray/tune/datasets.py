"""The datasets of a sweep, each loaded when it is first wanted: a sweep that is finished wants none."""

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
        """Loads nothing yet."""
        self._cards = cards
        self._root = root
        self._loaded: dict[str, MultimodalDataset] = {}

    def __getitem__(self, name: str) -> MultimodalDataset:
        """The dataset. Raises DataError where its files are broken, or no longer those of its card."""
        from tcray.data.dataset import load_dataset

        if name not in self._loaded:
            self._loaded[name] = load_dataset(self._cards[name], self._root)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        """Names, in the order of the sweep."""
        return iter(self._cards)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._cards)


class LazyTestExamples(Mapping[str, TestExamples]):
    """The test split of each dataset, over all folds, in the order of an evaluation's predictions."""

    def __init__(self, library: LazyDatasets) -> None:
        """Of the datasets of a library."""
        self._library = library
        self._made: dict[str, TestExamples] = {}

    def __getitem__(self, name: str) -> TestExamples:
        """The test split of a dataset."""
        if name not in self._made:
            dataset = self._library[name]
            rows = [int(row) for split in dataset.splits for row in split.test]
            self._made[name] = TestExamples(
                ids=[dataset.ids[row] for row in rows],
                groups=[dataset.groups[row] for row in rows],
                labels=dataset.labels[rows].tolist(),
            )
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """Names of datasets."""
        return iter(self._library)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._library)
