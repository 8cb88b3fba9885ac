"""Datasets as tensors."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import torch

from tcray.data.archive import write_examples
from tcray.data.catalog import find_card
from tcray.data.dataset import load_dataset, standardize_features, to_dataset
from tcray.data.examples import Partition
from tcray.data.standardize import standardize
from tests.data.factories import make_examples

FOLDS = (Partition.of([2, 3, 4], [5], [0, 1]), Partition.of([0, 1], [2], [3, 4, 5]))


def test_a_dataset_is_its_examples_as_tensors(tmp_path: Path) -> None:
    """Features and labels are float32 and indices int64."""
    before = make_examples(name="mosi-heldout", splits=FOLDS)
    card = write_examples(before, tmp_path)
    dataset = load_dataset(find_card("mosi-heldout", tmp_path), tmp_path)
    assert (dataset.card, dataset.ids, dataset.groups) == (card, before.ids, before.groups)
    assert list(dataset.features) == ["text", "video"]
    assert {x.dtype for x in (*dataset.features.values(), dataset.labels)} == {torch.float32}
    assert torch.equal(dataset.features["text"], torch.arange(18.0).reshape(6, 3))
    assert dataset.labels.tolist() == [-3, -1, 0, 1, 2, 3]
    rows = [[part.tolist() for part in (split.train, split.valid, split.test)] for split in dataset.splits]
    assert rows == [[[2, 3, 4], [5], [0, 1]], [[0, 1], [2], [3, 4, 5]]]
    assert dataset.splits[0].train.dtype == torch.int64


def test_a_twin_is_generated_if_nothing_was_imported() -> None:
    """A dataset that was not imported is generated from its recipe."""
    card = find_card("mosi", "nowhere")
    dataset = load_dataset(card, "nowhere")
    assert {name: tuple(x.shape) for name, x in dataset.features.items()} == {
        "text": (2199, 100),
        "audio": (2199, 73),
        "video": (2199, 100),
    }
    assert tuple(len(part) for part in (dataset.splits[0].train, dataset.splits[0].valid, dataset.splits[0].test)) == (
        card.sizes
    )


def test_every_fold_is_standardized_by_its_own_train_rows() -> None:
    """Each fold is standardized by its own train rows, (F, N, d), float32."""
    before = make_examples(splits=FOLDS)
    features = standardize_features(to_dataset(before.card("real", "f"), before))
    assert {name: tuple(x.shape) for name, x in features.items()} == {"text": (2, 6, 3), "video": (2, 6, 2)}
    for number, fold in enumerate(FOLDS):
        expected = standardize(before.features["text"], fold.train)
        np.testing.assert_array_equal(features["text"][number].numpy(), expected)
    assert torch.equal(features["video"], torch.zeros(2, 6, 2))


def test_a_dataset_pickles() -> None:
    """A dataset can be pickled, because workers receive it from other processes."""
    before = make_examples()
    dataset = to_dataset(before.card("real", "f"), before)
    after = pickle.loads(pickle.dumps(dataset))
    assert (after.card, after.ids) == (dataset.card, dataset.ids)
    assert torch.equal(after.features["text"], dataset.features["text"])
    assert torch.equal(after.splits[0].test, dataset.splits[0].test)
