"""The test of a peak within."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tcray.statistics.contrasts import ContrastEstimates, Floats, SampleMoments
from tcray.statistics.flat import critical_value
from tcray.statistics.peak import PLACE_PENALTY, peak_contrasts, peak_statistic, simulate_peak_nulls


def statistic(values: Floats) -> Floats:
    """The statistic of values (..., U, L)."""
    return peak_statistic(SampleMoments.from_values(values).over_units(peak_contrasts(values.shape[-1])))


@pytest.fixture(scope="module")
def values() -> Floats:
    """Flat sweeps (200, 6, 5)."""
    return np.random.default_rng(0).standard_normal((200, 6, 5))


def test_what_units_differ_by_is_no_part_of_it(values: Floats) -> None:
    """Constants added to units, and a change of the metric's unit, leave the statistic as it was."""
    moved = 7 * (values + np.arange(6.0)[:, None] * 100)
    np.testing.assert_allclose(statistic(values), statistic(moved), rtol=1e-8)


def test_levels_may_be_turned_round(values: Floats) -> None:
    """A peak seen from the other end is the same peak."""
    np.testing.assert_allclose(statistic(values), statistic(values[..., ::-1]), rtol=1e-10)


def test_the_clearer_side_chooses_the_place_and_the_other_is_tested() -> None:
    """Of two places, the one with the largest z is tested by its smaller z; the other, if better, pays a toll."""
    huge = np.full(4, 1e9)

    def of(rising: list[float], falling: list[float]) -> float:
        return float(peak_statistic(ContrastEstimates(np.array(rising + falling), np.ones(4), huge)))

    assert of([9, 5], [2, 2.1]) == pytest.approx(2, abs=1e-6)
    assert of([9, 5], [2, 4]) == pytest.approx(4 - PLACE_PENALTY, abs=1e-6)


@pytest.mark.parametrize(("units", "levels"), [(5, 4), (5, 8), (12, 6)])
def test_a_step_is_least_favourable(units: int, levels: int) -> None:
    """Random truths without a peak, monotone and valley-shaped, of all heights, are not called peaked too often."""
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
    """The statistic is a z: for 5 levels, 2.0 to 2.1 from 5 to 40 units; beyond, as for 40."""
    critical = [critical_value(simulate_peak_nulls(units, 5), 0.05) for units in (5, 12, 40, 1_000)]
    assert all(2.0 < value < 2.15 for value in critical)
    assert critical[2] == pytest.approx(critical[3], abs=0.02)
