"""Summary statistics of a dataset."""

from __future__ import annotations

import numpy as np
import pytest

from tcray.data.describe import describe
from tcray.data.examples import Partition
from tests.data.factories import make_examples


def test_labels_are_counted_by_part() -> None:
    """Labels are counted by the nearest whole sentiment; here they are -3, -1, 0 | 1 | 2, 3."""
    train, valid, test = describe(make_examples()).labels
    assert (train.part, train.examples, train.groups, train.counts) == ("train", 3, 2, (1, 0, 1, 1, 0, 0, 0))
    assert (valid.part, valid.mean, valid.deviation) == ("valid", 1.0, 0.0)
    assert (test.part, test.mean, test.deviation, test.counts) == ("test", 2.5, 0.5, (0, 0, 0, 0, 0, 1, 1))
    assert train.mean == pytest.approx(-4 / 3)


def test_the_parts_of_folds_are_their_test_splits() -> None:
    """The parts of a dataset with folds are the test splits, and all of them together."""
    folds = (Partition.of([2, 3, 4], [5], [0, 1]), Partition.of([0, 1], [2], [3, 4, 5]))
    labels = describe(make_examples(splits=folds)).labels
    assert [(part.part, part.examples) for part in labels] == [("fold 1", 2), ("fold 2", 3), ("all", 5)]


def test_classes_are_counted() -> None:
    """Classes are counted as negatives and positives."""
    labels = np.array([0, 1, 1, 0, 1, 1], np.float32)
    train, _, test = describe(make_examples(task="classification", labels=labels)).labels
    assert (train.counts, test.counts) == ((1, 2), (0, 2))


def test_features_are_summarized_over_the_train_rows() -> None:
    """Means, constant columns and clipped values are those of the train rows."""
    video = np.array([[-1, 5], [1, 5], [0, 5], [0, 6], [7, 5], [100, 5]], np.float32)
    text, seen = describe(make_examples(features={"text": np.ones((6, 1), np.float32), "video": video})).features
    assert (text.modality, text.width, text.constant, text.clipped) == ("text", 1, 1, 0)
    assert (seen.mean, seen.low, seen.high, seen.constant) == (2.5, -1.0, 5.0, 1)
    assert seen.clipped == 2


def test_a_leak_is_remarked() -> None:
    """A leak of train labels is remarked after the notes of the import."""
    remarks = describe(make_examples(saw_labels=True, notes=("A note.",))).remarks
    assert remarks[0] == "A note."
    assert remarks[1].startswith("The features of the train split were learned from its labels.")
    assert describe(make_examples()).remarks == ()
