"""A slice of tests/benchmarks/calibration.py: the promised error rates, in a few cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tcray.statistics.contrasts import SampleMoments
from tcray.statistics.flat import critical_value
from tcray.statistics.non_monotone import units_for_peak
from tcray.statistics.peak import peak_contrasts, peak_statistic, simulate_peak_nulls
from tests.benchmarks.calibration import Cell, largest_size, matched_power, mean_power, naive_rate, optimum_sets
from tests.benchmarks.truths import PEAKED

SWEEPS = 2_000
SLACK = 3 * np.sqrt(0.05 * 0.95 / SWEEPS)


@pytest.mark.parametrize(("noise", "units", "levels"), [("normal", 5, 4), ("normal", 12, 8), ("t3", 5, 6)])
def test_size(noise: str, units: int, levels: int) -> None:
    """For every truth without a peak, a peak is detected in at most 5 % of sweeps."""
    assert largest_size(Cell(noise, units, levels, SWEEPS)).share <= 0.05 + SLACK


def test_size_under_correlated_levels() -> None:
    """With twelve units, noise that is correlated between levels does not inflate the error rate."""
    assert largest_size(Cell("AR(1) over levels, ρ = .7", 12, 8, SWEEPS)).share <= 0.05 + SLACK


@pytest.mark.parametrize("cell", [Cell("normal", 5, 8, SWEEPS), Cell("t3", 12, 6, SWEEPS)])
def test_power(cell: Cell) -> None:
    """At matched error rates the test detects more peaks than the two-lines test."""
    power = matched_power(cell)
    assert mean_power([power], "", ours=True) > mean_power([power], "", ours=False)


def test_optimum_set() -> None:
    """Each truly best level is in the optimum set in 95 % of sweeps, for every truth."""
    assert optimum_sets(Cell("normal", 5, 6, SWEEPS)).lowest.share >= 0.95 - SLACK


def test_naive_reading() -> None:
    """The reading “the best mean is not at an end” is wrong in 6 of 8 flat sweeps for any number of units."""
    for units in (5, 20):
        assert naive_rate(Cell("normal", units, 8, SWEEPS), "flat").share == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("group_sd", [0.0, 1.0, 10.0])
def test_size_over_people(group_sd: float) -> None:
    """The size is at most 5 % with 21 groups that do not differ, differ as much as units, or far more."""
    rng = np.random.default_rng(0)
    units, levels, groups = 5, 6, 21
    weights = peak_contrasts(levels)
    values = rng.standard_normal((SWEEPS, units, levels, 1)) + 2 * rng.standard_normal((SWEEPS, units, levels, groups))
    values += group_sd * rng.standard_normal((SWEEPS, 1, levels, groups))
    people = SampleMoments.from_crossed(values).over_units_and_groups(weights)
    error = np.sqrt(2 * ((1 + 4 / groups) / units + group_sd**2 / groups))
    step = weights @ (np.arange(levels) > 0)
    critical = critical_value(simulate_peak_nulls(units, levels), 0.05)
    for height in (2, 4, 1_000):
        moved = replace(people, estimate=people.estimate + height * error * step)
        assert (peak_statistic(moved) >= critical).mean() <= 0.05 + SLACK


def test_units_needed_give_the_nominal_power() -> None:
    """About 80 % of sweeps with that many units detect the hardest peak of that size, and more an easier one."""
    units = units_for_peak(8, 1.0, 1.0, critical_value(simulate_peak_nulls(5, 8), 0.05))
    critical = critical_value(simulate_peak_nulls(units, 8), 0.05)
    noise = np.random.default_rng(1).standard_normal((SWEEPS, units, 8))

    def power(truth: str) -> float:
        values = noise + PEAKED[truth](np.linspace(0, 1, 8))
        return float(
            (peak_statistic(SampleMoments.from_values(values).over_units(peak_contrasts(8))) >= critical).mean()
        )

    assert 0.75 < power("early peak") < 0.88
    assert power("inverted U") > power("early peak")
