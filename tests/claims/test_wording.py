from __future__ import annotations

import pytest

from tcray.claims.wording import (
    capitalize,
    phrase_factor,
    phrase_interval,
    phrase_intervals,
    phrase_level,
    phrase_levels,
    phrase_metric,
    phrase_number,
    phrase_signed,
)
from tcray.statistics.mean import Interval


@pytest.mark.parametrize(
    ("value", "plain", "with_sign"),
    [
        (0.0314, "0.031", "+0.031"),
        (-0.0314, "−0.031", "−0.031"),
        (-0.0004, "0.000", "0.000"),
        (12.5, "12.500", "+12.500"),
    ],
)
def test_numbers_have_three_decimals_and_a_true_minus(value: float, plain: str, with_sign: str) -> None:
    """A number that rounds to zero has no sign."""
    assert (phrase_number(value), phrase_signed(value)) == (plain, with_sign)


def test_an_interval_follows_its_clause() -> None:
    """The interval of a fall is the negated interval of the rise."""
    assert phrase_interval(Interval(-0.2, 0.1)) == "−0.200 to 0.100"
    assert phrase_interval(Interval(-0.2, 0.1), -1) == "−0.100 to 0.200"


def test_two_intervals_are_labeled() -> None:
    """Two intervals are labeled with their source of variation; a single interval has no label."""
    narrow, wide = Interval(0.1, 0.2), Interval(0.0, 0.3)
    assert phrase_intervals(narrow, None, "video") == "95 % interval 0.100 to 0.200"
    assert phrase_intervals(narrow, wide, "speaker") == (
        "95 % interval 0.100 to 0.200 over retraining, 0.000 to 0.300 over retraining and speakers"
    )


@pytest.mark.parametrize(
    ("metric", "label"),
    [
        ("test.mae", "test MAE"),
        ("last.test.loss", "test loss"),
        ("train.loss", "train loss"),
        ("mae", "MAE"),
        ("effective rank", "effective rank"),
    ],
)
def test_metrics_have_the_names_of_the_tables(metric: str, label: str) -> None:
    """A name that is not a metric is returned unchanged."""
    assert phrase_metric(metric) == label


def test_levels_and_factors_are_worded_for_readers() -> None:
    """Levels are written as `0.3 or 0.5`, factors as `audio dropout` or `prior strength`."""
    assert [phrase_level(value) for value in (4, 0.30, "jwae")] == ["4", "0.3", "jwae"]
    assert phrase_levels([0.3, 0.5], "or") == "0.3 or 0.5"
    assert [phrase_factor(name) for name in ("rank", "modality_dropout.audio", "prior_strength")] == [
        "rank",
        "audio dropout",
        "prior strength",
    ]


def test_only_the_first_letter_is_capitalized() -> None:
    """Capitals inside the text such as `AUROC` are unchanged."""
    assert capitalize("test AUROC falls") == "Test AUROC falls"
