"""Examples that cannot be trained on are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tcray.data.examples import Partition, format_names, single_precision
from tests.data.conftest import ErrorMessage
from tests.data.factories import make_examples


def with_values(*values: tuple[int, int, float]) -> dict[str, Any]:
    """Return features whose video values are 1 except at these (row, column, value)."""
    video = np.ones((6, 2), np.float32)
    for row, column, value in values:
        video[row, column] = value
    return {"features": {"text": np.ones((6, 3), np.float32), "video": video}}


def test_the_card_describes_the_examples() -> None:
    """The card has the modalities in order, the sizes and the groups."""
    card = make_examples().card("real", "f")
    assert list(card.modalities.items()) == [("text", 3), ("video", 2)]
    assert (card.sizes, card.folds, card.groups, card.fingerprint, card.train_sizes) == ((3, 1, 2), 1, "video", "f", ())


def test_the_card_of_folds_sums_what_is_tested() -> None:
    """Train and valid sizes are the first fold's; train sizes of all folds are kept."""
    folds = (Partition.of([2, 3, 4], [5], [0, 1]), Partition.of([0, 1], [2], [3, 4, 5]))
    card = make_examples(splits=folds).card("real", "f")
    assert (card.sizes, card.folds, card.train_sizes) == ((3, 1, 5), 2, (3, 2))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "seven"},
        {"ids": tuple("abcdeg")},
        {"groups": tuple("xxyyzx")},
        {"labels": np.array([-3, -1, 0, 1, 2, 2], np.float32)},
        {"splits": (Partition.of([0, 2, 1], [3], [4, 5]),)},
        {"features": {"text": np.ones((6, 3), np.float32), "video": np.ones((6, 2), np.float32)}},
        {"features": {"video": np.ones((6, 2), np.float32), "text": np.ones((6, 3), np.float32)}},
    ],
)
def test_the_digest_changes_with_anything_in_it(change: dict[str, Any]) -> None:
    """The digest changes with every part of the examples, and only with them."""
    assert make_examples().digest == make_examples().digest != make_examples(**change).digest
    assert len(make_examples().digest) == 16


def test_nan_and_infinite_values_are_counted_and_named(error_of: ErrorMessage) -> None:
    """NaN and infinite values are counted by modality, with rows and the first id."""
    nan, inf = float("nan"), float("inf")
    assert error_of(lambda: make_examples(**with_values((1, 0, nan), (1, 1, nan), (4, 0, nan)))) == (
        "six: video: 3 NaN values in 2 rows (first: b)"
    )
    assert error_of(lambda: make_examples(**with_values((5, 0, nan), (0, 0, inf), (2, 0, -inf)))) == (
        "six: video: 1 NaN value in 1 row (first: f); video: 2 infinite values in 2 rows (first: a)"
    )


def test_values_beyond_float32_are_infinite(error_of: ErrorMessage) -> None:
    """Values beyond float32 become infinite and are refused."""
    features = single_precision(np.full((6, 1), 1e39))
    assert (
        error_of(lambda: make_examples(features={"text": features}))
        == "six: text: 6 infinite values in 6 rows (first: a)"
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"features": {}}, "six: no modalities"),
        ({"features": {"text": np.ones((5, 3), np.float32)}}, "six: text: 6 examples, but an array of 5 x 3"),
        ({"features": {"text": np.ones((6, 0), np.float32)}}, "six: text: 6 examples, but an array of 6 x 0"),
        ({"features": {"text": np.ones(6, np.float32)}}, "six: text: 6 examples, but an array of 6"),
        ({"labels": np.ones(5, np.float32)}, "six: 6 ids, 5 labels and 6 groups"),
        ({"ids": tuple("abcdea")}, "six: 1 id (a) used for more than one example"),
        ({"ids": tuple("aabbcd")}, "six: 2 ids (a, b) used for more than one example"),
        (
            {"labels": np.array([4, 0, 0, 0, 0, float("nan")], np.float32)},
            "six: 2 labels not in [-3, 3] (first: 4 of a)",
        ),
        ({"task": "classification"}, "six: 4 labels not 0 or 1 (first: -3 of a)"),
        (
            {"task": "classification", "labels": np.array([1, 1, 1, 0, 0, 0], np.float32)},
            "six: all train examples are of one class",
        ),
        ({"splits": ()}, "six: no splits"),
        ({"splits": (Partition.of([0, 1], [], [2]),)}, "six: there are no validation examples"),
        ({"splits": (Partition.of([], [0], [2]),)}, "six: there are no train examples"),
        ({"splits": (Partition.of([0], [1], []),)}, "six: there are no test examples"),
        ({"splits": (Partition.of([0], [1], [6]),)}, "six: a split refers to an example that does not exist"),
        (
            {"splits": (Partition.of([0], [1], [0]),)},
            "six: an example is in more than one of train, validation and test",
        ),
        (
            {"splits": (Partition.of([0], [1], [2]), Partition.of([0], [], [3]))},
            "six: fold 2: there are no validation examples",
        ),
        (
            {"splits": (Partition.of([0], [1], [2]), Partition.of([0], [1], [2]))},
            "six: an example is tested in two folds",
        ),
    ],
)
def test_bad_examples_are_refused(change: dict[str, Any], says: str, error_of: Callable[[Any], str]) -> None:
    """The message states what is wrong."""
    assert error_of(lambda: make_examples(**change)) == says


def test_long_lists_of_names_are_shortened() -> None:
    """At most four names are listed."""
    assert format_names(list("abcdef"), "id") == "6 ids (a, b, c, d, …)"
    assert format_names(["a"], "id") == "1 id (a)"


def test_replaced_fields_are_validated(error_of: ErrorMessage) -> None:
    """`replace` validates like the constructor."""
    assert error_of(lambda: replace(make_examples(), splits=())) == "six: no splits"
