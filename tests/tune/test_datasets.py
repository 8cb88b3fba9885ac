from __future__ import annotations

from pathlib import Path

import torch

from tcray.data.catalog import find_card
from tcray.tune.datasets import LazyDatasets, LazyTestExamples


def test_a_dataset_is_loaded_once_on_first_use(tmp_path: Path) -> None:
    """Only requested datasets are loaded, each of them once."""
    names = ("mosi", "mustard")
    datasets = LazyDatasets({name: find_card(name, tmp_path) for name in names}, str(tmp_path))
    assert names == tuple(datasets)
    assert datasets["mosi"] is datasets["mosi"]
    assert ["mosi"] == list(datasets._loaded)


def test_test_examples_of_all_folds(tmp_path: Path) -> None:
    """Test examples are concatenated over folds, in the order of a run's predictions."""
    datasets = LazyDatasets({"mosi-heldout": find_card("mosi-heldout", tmp_path)}, str(tmp_path))
    dataset = datasets["mosi-heldout"]
    rows = torch.cat([split.test for split in dataset.splits])
    examples = LazyTestExamples(datasets)["mosi-heldout"]
    assert 5 == len(dataset.splits)
    assert [dataset.ids[row] for row in rows] == examples.ids
    assert [dataset.groups[row] for row in rows] == examples.groups
    assert dataset.labels[rows].tolist() == examples.labels
