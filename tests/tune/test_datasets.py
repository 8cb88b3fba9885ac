from __future__ import annotations

from pathlib import Path

import torch

from tcray.data.catalog import find_card
from tcray.tune.datasets import LazyDatasets, LazyTestExamples


def test_a_dataset_is_loaded_once_and_when_wanted(tmp_path: Path) -> None:
    """A library loads what it is asked for, and no more than once."""
    names = ("mosi", "mustard")
    library = LazyDatasets({name: find_card(name, tmp_path) for name in names}, str(tmp_path))
    assert names == tuple(library)
    assert library["mosi"] is library["mosi"]
    assert ["mosi"] == list(library._loaded)


def test_the_test_split_of_all_folds(tmp_path: Path) -> None:
    """Test examples stand fold after fold, as a run's predictions do."""
    library = LazyDatasets({"mosi-heldout": find_card("mosi-heldout", tmp_path)}, str(tmp_path))
    dataset = library["mosi-heldout"]
    rows = torch.cat([split.test for split in dataset.splits])
    examples = LazyTestExamples(library)["mosi-heldout"]
    assert 5 == len(dataset.splits)
    assert [dataset.ids[row] for row in rows] == examples.ids
    assert [dataset.groups[row] for row in rows] == examples.groups
    assert dataset.labels[rows].tolist() == examples.labels
