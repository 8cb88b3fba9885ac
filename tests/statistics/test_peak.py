"""Test of a peak at an inner level."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tcray.statistics.contrasts import ContrastEstimates, Floats, SampleMoments
from tcray.statistics.flat import critical_value
from tcray.statistics.peak import PLACE_PENALTY, peak_contrasts, peak_statistic, simulate_peak_nulls


def compute_statistic(values: Floats) -> Floats:
    """Return the peak statistic of values (..., U, L)."""
    return peak_statistic(SampleMoments.from_values(values).over_units(peak_contrasts(values.shape[-1])))


@pytest.fixture(scope="module")
def values() -> Floats:
    """Return flat sweeps (200, 6, 5)."""
    return np.random.default_rng(0).standard_normal((200, 6, 5))


def test_the_statistic_ignores_constants_of_units_and_scale(values: Floats) -> None:
    """Adding constants to units or rescaling the metric does not change the statistic."""
    moved = 7 * (values + np.arange(6.0)[:, None] * 100)
    np.testing.assert_allclose(compute_statistic(values), compute_statistic(moved), rtol=1e-8)


def test_reversing_the_levels_does_not_change_the_statistic(values: Floats) -> None:
    """The statistic is symmetric in rise and fall."""
    np.testing.assert_allclose(compute_statistic(values), compute_statistic(values[..., ::-1]), rtol=1e-10)


def test_the_place_with_the_largest_z_is_tested_by_its_smaller_z() -> None:
    """The place with the largest z is tested by its smaller z; another place counts with a penalty if it is better."""
    huge = np.full(4, 1e9)

    def of(rising: list[float], falling: list[float]) -> float:
        return float(peak_statistic(ContrastEstimates(np.array(rising + falling), np.ones(4), huge)))

    assert of([9, 5], [2, 2.1]) == pytest.approx(2, abs=1e-6)
    assert of([9, 5], [2, 4]) == pytest.approx(4 - PLACE_PENALTY, abs=1e-6)


@pytest.mark.parametrize(("units", "levels"), [(5, 4), (5, 8), (12, 6)])
def test_random_truths_without_a_peak_keep_the_size(units: int, levels: int) -> None:
    """For random monotone and valley-shaped truths of all heights, a peak is detected in at most 5 % of sweeps."""
    rng = np.random.default_rng([units, levels])
    weights = peak_contrasts(levels)
    sweeps = 4_000
    noise = SampleMoments.from_values(rng.standard_normal((sweeps, units, levels))).over_units(weights)
    critical = critical_value(simulate_peak_nulls(units, levels), 0.05)
    rates = []
    for trial in range(60):
        rise, fall = (np.append(0, np.cumsum(rng.gamma(rng.choice([0.05, 0.2, 1]), size=levels - 1))) for _ in "ab")
        truth = np.maximum(rise, fall[::-1]) if trial % 2 else rise
        truth *= np.exp(rng.uniform(-1, 3)) * np.sqrt(2 / units) / max(np.ptp(truth), 1e-9)
        rates.append((peak_statistic(replace(noise, estimate=noise.estimate + weights @ truth)) >= critical).mean())
    assert max(rates) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / sweeps)


def test_critical_values_hardly_depend_on_units() -> None:
    """The critical value for 5 levels is 2.0 to 2.1 for 5 to 40 units, and stays there for more units."""
    critical = [critical_value(simulate_peak_nulls(units, 5), 0.05) for units in (5, 12, 40, 1_000)]
    assert all(2.0 < value < 2.15 for value in critical)
    assert critical[2] == pytest.approx(critical[3], abs=0.02)
