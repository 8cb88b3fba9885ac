"""The test that any peak is smaller than a margin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tcray.statistics.contrasts import ContrastEstimates, Floats, SampleMoments
from tcray.statistics.negligible import negligible_p_value
from tcray.statistics.optimum import pairwise_contrasts

SWEEPS = 3_000


def rejection_rate(truth: Floats, sd: float, units: int) -> float:
    """Return the share of sweeps in which a peak is found to be smaller than 1."""
    levels = len(truth)
    noise = np.random.default_rng([units, levels]).standard_normal((SWEEPS, units, levels))
    flat = SampleMoments.from_values(sd * noise).over_units(pairwise_contrasts(levels))
    here = replace(flat, estimate=flat.estimate + pairwise_contrasts(levels) @ truth)
    return float((negligible_p_value(here, 1.0, units, levels) <= 0.05).mean())


@pytest.mark.parametrize("sd", [0.2, 1.0, 3.0])
@pytest.mark.parametrize(
    "truth", [[-1, 0, -1], [-1, -1, 0, -1, -1], [-1, 0, -1, -9, -9], [-9, -1, 0, -1], [-1, 0, 0, 0, -1]]
)
def test_a_peak_as_large_as_the_margin_is_rarely_found_negligible(truth: list[float], sd: float) -> None:
    """The rate is at most alpha if rise and fall equal the margin, on all sides or only on the nearest."""
    assert rejection_rate(np.array(truth, dtype=float), sd, 5) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / SWEEPS)


def test_a_flat_curve_is_found_negligible_with_enough_units() -> None:
    """With a margin of 3 SD and five units a flat truth is nearly always found to have no peak."""
    assert rejection_rate(np.zeros(6), 1 / 3, 5) > 0.9


def test_a_rise_without_a_fall_is_not_a_peak() -> None:
    """A steep rise without a fall after it does not reach the margin on both sides."""
    assert rejection_rate(np.linspace(0, 50, 6), 1 / 3, 5) > 0.9


def test_differences_just_below_the_margin_are_not_enough() -> None:
    """A difference estimated at nine tenths of the margin is not significantly below it."""
    truth = np.array([-0.9, 0, -0.9])
    exact = ContrastEstimates(pairwise_contrasts(3) @ truth, np.full(6, 0.2), np.full(6, 10.0))
    assert negligible_p_value(exact, 1.0, 5, 3) > 0.5
