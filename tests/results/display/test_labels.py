"""Display names and number formats of tables and figures."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tcray.results.display.labels import (
    format_change,
    format_dataset,
    format_dataset_short,
    format_estimate,
    format_factor,
    format_interval,
    format_level,
    format_metric,
    format_number,
    format_p,
    format_place,
    format_place_short,
    format_signed,
    format_stratum,
    format_time,
)
from tcray.statistics.estimate import Estimate
from tcray.statistics.mean import Interval
from tests.claims.factories import MUSTARD
from tests.results.factories import WITHOUT_PRIOR, make_component


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0314159, "0.031"),
        (-0.5, "−0.500"),
        (-0.0001, "0.000"),
        (123456.0, "1.2e+05"),
        (-123456.0, "−1.2e+05"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_a_number_has_three_decimals_and_a_true_minus(value: float | None, expected: str):
    """Missing values are a dash, and very large numbers are in scientific notation."""
    assert expected == format_number(value)


def test_only_positive_changes_have_a_plus():
    """A difference that rounds to zero has no sign."""
    assert ["+0.020", "−0.020", "0.000", "–"] == [format_signed(value) for value in (0.02, -0.02, 0.0001, None)]


def test_an_estimate_without_an_interval_is_its_mean():
    """An estimate without an interval is shown as its mean, and one without a mean as a dash."""
    estimates = (Estimate(0.9, 0.01), Estimate(0.9), Estimate(None), None)
    assert ["0.900 ± 0.010", "0.900", "–", "–"] == [format_estimate(estimate) for estimate in estimates]
    assert ["+0.900 ± 0.010", "+0.900", "–", "–"] == [format_change(estimate) for estimate in estimates]


def test_an_interval_needs_both_ends():
    """An interval with only one finite end is a dash."""
    intervals = (Interval(-0.1, 0.2), Interval(-math.inf, 0.2), None)
    assert ["−0.100 to 0.200", "–", "–"] == [format_interval(interval) for interval in intervals]


def test_a_small_p_value_is_below_a_thousandth():
    """A p-value below 0.001 is shown as `< 0.001`, never as zero."""
    assert ["< 0.001", "0.042", "–", "–"] == [format_p(p) for p in (0.0, 0.0419, None, math.nan)]


def test_levels_are_written_as_in_the_sweep_file():
    """Levels are shown unchanged, and modalities are joined by +."""
    assert ["4", "0.3", "jwae", "text + audio", "audio + text", "none"] == [
        format_level(level) for level in (4, 0.3, "jwae", ("text", "audio"), frozenset({"text", "audio"}), frozenset())
    ]


def test_a_stratum_names_what_it_fixes():
    """A factor whose level is None is omitted."""
    assert "rank=4" == format_stratum({"rank": 4, "modality_dropout.audio": None})


def test_metrics_and_factors_have_display_names():
    """Unknown metrics and factors keep their names, with spaces."""
    metrics = ("test.mae", "train.loss", "valid.loss", "gap", "last.test.auroc", "mae", "acc2", "test.some_score", "")
    assert [
        *("test MAE", "train loss", "validation loss", "test − train loss", "last-epoch test AUROC", "MAE"),
        *("acc-2 (≥ 0)", "test some score", ""),
    ] == [format_metric(metric) for metric in metrics]
    assert ["prior strength", "rate of text dropout in training", "latent dim"] == [
        format_factor(factor) for factor in ("prior_strength", "modality_dropout.text", "latent_dim")
    ]


def test_a_dataset_is_labeled_real_or_twin():
    """A dataset that was left out has no label; the short form labels only twins."""
    assert ["mosi (real)", "mosi (twin)", "mosi"] == [format_dataset("mosi", of) for of in ("real", "twin", "")]
    assert ["mosi", "mosi (twin)", "mosi"] == [format_dataset_short("mosi", of) for of in ("real", "twin", "")]


@pytest.mark.parametrize(
    ("changes", "place", "short"),
    [
        ({}, "mosi (real), conditioning=none", "mosi, conditioning=none"),
        ({"card": MUSTARD, "stratum": {}}, "mustard (twin)", "mustard (twin)"),
        ({"source": ""}, "mosi, conditioning=none", "mosi, conditioning=none"),
    ],
)
def test_a_place_is_a_dataset_and_a_stratum(changes: dict[str, Any], place: str, short: str):
    """The place of a measurement is its dataset followed by its stratum."""
    measured = make_component("non-monotone", **{"stratum": WITHOUT_PRIOR, **changes})
    assert (place, short) == (format_place(measured), format_place_short(measured))


def test_a_time_is_shown_to_the_minute():
    """A time of the manifest is shown in UTC without seconds."""
    assert "2026-05-04 12:30" == format_time("2026-05-04T12:30:59.123+00:00")
