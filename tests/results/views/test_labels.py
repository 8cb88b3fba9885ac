"""How things are written."""

from __future__ import annotations

import math

import pytest

from tcray.results.estimate import Estimate
from tcray.results.views.labels import (
    change_label,
    dataset_label,
    estimate_label,
    factor_label,
    interval_label,
    level_label,
    metric_label,
    number_label,
    p_label,
    signed_label,
    stratum_label,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0314159, "0.031"),
        (-0.5, "−0.500"),
        (-0.0001, "0.000"),
        (123456.0, "1.2e+05"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_a_number_has_three_decimals_and_a_true_minus(value: float | None, expected: str):
    """What is no number is a dash."""
    assert expected == number_label(value)


def test_only_what_is_above_nothing_has_a_plus():
    """A difference that rounds to nothing has no sign."""
    assert ["+0.020", "−0.020", "0.000", "–"] == [signed_label(value) for value in (0.02, -0.02, 0.0001, None)]


def test_an_estimate_without_an_interval_is_its_mean():
    """And without a mean a dash."""
    estimates = (Estimate(0.9, 0.01), Estimate(0.9), Estimate(None))
    assert ["0.900 ± 0.010", "0.900", "–"] == [estimate_label(estimate) for estimate in estimates]
    assert ["+0.900 ± 0.010", "+0.900", "–"] == [change_label(estimate) for estimate in estimates]


def test_an_interval_needs_both_ends():
    """Half an interval is none."""
    assert ("−0.100 to 0.200", "–") == (interval_label(-0.1, 0.2), interval_label(None, 0.2))


def test_a_small_p_value_is_below_a_thousandth():
    """It is never zero."""
    assert ["< 0.001", "0.042", "–"] == [p_label(p) for p in (0.0, 0.0419, None)]


def test_levels_are_written_as_in_the_sweep_file():
    """Modalities are joined by +."""
    assert ["4", "0.3", "jwae", "text + audio", "none"] == [
        level_label(level) for level in (4, 0.3, "jwae", ("text", "audio"), frozenset())
    ]


def test_a_stratum_names_what_it_fixes():
    """A factor that does not apply fixes nothing."""
    assert "rank=4" == stratum_label({"rank": 4, "modality_dropout.audio": None})


def test_metrics_and_factors_have_words():
    """Unknown ones keep their own."""
    assert ["test MAE", "train loss", "test − train loss", "last-epoch test AUROC", "MAE"] == [
        metric_label(metric) for metric in ("test.mae", "train.loss", "gap", "last.test.auroc", "mae")
    ]
    assert ["prior strength", "rate of text dropout in training", "latent dim"] == [
        factor_label(factor) for factor in ("prior_strength", "modality_dropout.text", "latent_dim")
    ]


def test_a_dataset_says_whether_it_is_real():
    """One that was left out is neither."""
    assert ["mosi (real)", "mosi (twin)", "mosi"] == [dataset_label("mosi", of) for of in ("real", "twin", "")]
