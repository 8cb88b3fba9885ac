"""Power and sample size of the paired t-test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tcray.statistics.power import paired_t_power, units_needed

EFFECTS = [0.03, 0.5, 1.0, 2.2, 3.0, 4.5, 12.0, 99.0]


def test_half_a_standard_deviation_takes_34_units() -> None:
    """Cohen's (1988) medium effect takes 34 pairs at .05 and 80 % power, the number that G*Power gives."""
    assert units_needed(2.0, 1.0) == 34


@pytest.mark.parametrize(
    ("effect", "alpha", "power", "expected"),
    [
        (0.2, 0.05, 0.8, 199),
        (0.8, 0.05, 0.8, 15),
        (0.5, 0.05, 0.9, 44),
        (0.5, 0.01, 0.8, 51),
        (0.03, 0.05, 0.8, 8723),
    ],
)
def test_sample_sizes_of_statsmodels(effect: float, alpha: float, power: float, expected: int) -> None:
    """The sample sizes equal those of `TTestPower.solve_power` of statsmodels 0.15, rounded up."""
    assert expected == units_needed(1.0, effect, alpha=alpha, power=power)


def test_power_of_statsmodels() -> None:
    """34 pairs have a power of .80777669 at half a standard deviation, as statsmodels 0.15 computes it."""
    assert paired_t_power(0.5, 34) == pytest.approx(0.8077766855149761, rel=1e-12)


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.001])
def test_power_follows_the_noncentral_t_distribution(effect: float, alpha: float) -> None:
    """The power equals the upper tail of `scipy.stats.nct`."""
    for units in (2, 5, 40):
        expected = stats.nct.sf(stats.t.isf(alpha / 2, units - 1), units - 1, effect * math.sqrt(units))
        assert paired_t_power(effect, units, alpha=alpha) == pytest.approx(expected, abs=1e-9)


def test_power_is_the_share_of_simulated_rejections() -> None:
    """Of 40,000 simulated experiments with 8 pairs and an effect of one SD, that share rejects on the right side."""
    values = np.random.default_rng(0).normal(1.0, 1.0, (40_000, 8))
    t = values.mean(1) / (values.std(1, ddof=1) / math.sqrt(8))
    assert paired_t_power(1.0, 8) == pytest.approx((t > stats.t.isf(0.025, 7)).mean(), abs=0.01)


@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.01, 0.001])
@pytest.mark.parametrize("power", [0.6, 0.8, 0.95])
@pytest.mark.parametrize("effect", EFFECTS)
def test_one_unit_fewer_does_not_reach_the_power(alpha: float, power: float, effect: float) -> None:
    """The number returned reaches the power, and one less does not, however large the effect."""
    units = units_needed(1.0, effect, alpha=alpha, power=power)
    assert paired_t_power(effect, units, alpha=alpha) >= power
    assert units == 2 or paired_t_power(effect, units - 1, alpha=alpha) < power


@pytest.mark.parametrize("sd", [0.0, 1e-9])
def test_constant_differences_need_two_units(sd: float) -> None:
    """Two is the fewest units of a t-test, since one unit has no spread."""
    assert units_needed(sd, 1.0) == 2


def test_the_scale_of_the_metric_does_not_matter() -> None:
    """A metric in hundredths needs as many units as the same metric in ones."""
    assert units_needed(0.05, 0.02) == units_needed(5.0, 2.0)


@pytest.mark.parametrize("margin", [0.0, -0.02, math.nan, math.inf])
def test_the_margin_must_be_positive(margin: float) -> None:
    """A margin of zero or less, or one that is not finite, raises a ValueError."""
    with pytest.raises(ValueError, match=f"the margin must be positive and finite, not {margin}"):
        units_needed(1.0, margin)


@pytest.mark.parametrize("sd", [-1.0, math.nan, math.inf])
def test_the_standard_deviation_must_not_be_negative(sd: float) -> None:
    """A negative standard deviation, or one that is not finite, raises a ValueError."""
    with pytest.raises(ValueError, match=f"the standard deviation must be 0 or positive, and finite, not {sd}"):
        units_needed(sd, 1.0)
