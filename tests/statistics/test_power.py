from __future__ import annotations

import math

import pytest
from scipy import stats

from tcray.statistics.power import units_needed


def power_at(units: int, effect: float, alpha: float) -> float:
    """Of a t test at alpha, two-sided, to find `effect` SD on its side, by scipy's noncentral t."""
    return float(stats.nct.sf(stats.t.isf(alpha / 2, units - 1), units - 1, effect * math.sqrt(units)))


def test_half_a_standard_deviation_takes_34_units() -> None:
    """Cohen's (1988) medium effect, as G*Power gives it for a paired test at .05 and 80 %."""
    assert units_needed(2.0, 1.0) == 34


@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.01, 0.001])
@pytest.mark.parametrize("power", [0.6, 0.8, 0.95])
@pytest.mark.parametrize("effect", [0.03, 0.5, 1.0, 2.2, 3.0, 4.5, 12.0, 99.0])
def test_fewer_units_would_not_do(alpha: float, power: float, effect: float) -> None:
    """The power is reached with the number given, and not with one less, however large the effect."""
    units = units_needed(1.0, effect, alpha=alpha, power=power)
    assert power_at(units, effect, alpha) >= power
    assert units == 2 or power_at(units - 1, effect, alpha) < power


@pytest.mark.parametrize("sd", [0.0, 1e-9])
def test_differences_that_do_not_vary_take_the_fewest_units_a_t_test_has(sd: float) -> None:
    """Two, since one has no spread."""
    assert units_needed(sd, 1.0) == 2


def test_units_do_not_matter() -> None:
    """A metric in hundredths takes as many units as in ones."""
    assert units_needed(0.05, 0.02) == units_needed(5.0, 2.0)


@pytest.mark.parametrize("margin", [0.0, -0.02, math.nan, math.inf])
def test_margin_is_a_positive_number(margin: float) -> None:
    """No number of units finds a difference of nothing."""
    with pytest.raises(ValueError, match=f"a margin is a positive number, and {margin} is not"):
        units_needed(1.0, margin)


@pytest.mark.parametrize("sd", [-1.0, math.nan, math.inf])
def test_standard_deviation_is_no_less_than_zero(sd: float) -> None:
    """A NaN is not a spread."""
    with pytest.raises(ValueError, match=f"a standard deviation is 0 or a positive number, and {sd} is not"):
        units_needed(sd, 1.0)
