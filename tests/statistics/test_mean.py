from __future__ import annotations

import math
from itertools import product
from typing import Any, Literal

import numpy as np
import pytest
from scipy import stats

from tcray.statistics.mean import Floats, Interval, Mean, crossed_variance, mean_over_units, mean_over_units_and_groups

UNITS = [0.3, 1.1, -0.4, 0.9, 2.0]


def draw_normal(*shape: int, seed: int = 0) -> Floats:
    """Return independent standard normal values."""
    return np.random.default_rng(seed).normal(size=shape)


def plain_crossed_variance(values: Floats) -> tuple[float, float]:
    """Return variance and degrees of freedom of a textbook two-way analysis of variance with explicit sums."""
    units, groups = values.shape
    grand = sum(values[u, g] for u, g in product(range(units), range(groups))) / (units * groups)
    row = [sum(values[u]) / groups for u in range(units)]
    column = [sum(values[:, g]) / units for g in range(groups)]
    ms_unit = groups * sum((r - grand) ** 2 for r in row) / (units - 1)
    ms_group = units * sum((c - grand) ** 2 for c in column) / (groups - 1)
    residuals = [values[u, g] - row[u] - column[g] + grand for u, g in product(range(units), range(groups))]
    ms_residual = sum(e**2 for e in residuals) / ((units - 1) * (groups - 1))
    total = ms_unit + ms_group - ms_residual
    if total <= max(ms_unit, ms_group):
        larger = (ms_unit, units - 1) if ms_unit >= ms_group else (ms_group, groups - 1)
        return larger[0] / (units * groups), larger[1]
    spread = ms_unit**2 / (units - 1) + ms_group**2 / (groups - 1) + ms_residual**2 / ((units - 1) * (groups - 1))
    return total / (units * groups), max(total**2 / spread, min(units, groups) - 1)


def test_over_units_is_the_one_sample_t_test() -> None:
    """Estimate, interval and p-value are those of scipy's test on one sample."""
    mean, known = mean_over_units(UNITS), stats.ttest_1samp(UNITS, 0.25)
    interval = known.confidence_interval(0.9)
    assert mean.estimate == pytest.approx(np.mean(UNITS))
    assert mean.df == known.df
    assert mean.p_value(0.25) == pytest.approx(known.pvalue)
    approx: Any = pytest.approx  # it stands in for a float
    assert mean.interval(0.9) == Interval(approx(interval.low), approx(interval.high))


@pytest.mark.parametrize("side", ["less", "greater"])
def test_one_sided_p_value_is_that_of_the_one_sample_t_test(side: Literal["less", "greater"]) -> None:
    """The argument `side` names the alternative hypothesis, as in scipy."""
    expected = stats.ttest_1samp(UNITS, 0.25, alternative=side).pvalue
    assert mean_over_units(UNITS).p_value(0.25, side) == pytest.approx(expected)


def test_p_value_in_the_far_tail_keeps_its_digits() -> None:
    """The tail is computed directly, not as 1 - cdf: on one degree of freedom the tail beyond t is about 1 / (π t)."""
    assert Mean(1e20, 1.0, 1.0).p_value(side="greater") == pytest.approx(1 / (math.pi * 1e20))


def test_equal_units_have_no_error() -> None:
    """Three units of 0.1 have a standard error of exactly 0 although 0.1 + 0.1 + 0.1 is not 0.3."""
    mean = mean_over_units([0.1, 0.1, 0.1])
    assert mean == Mean(0.1, 0.0, 2.0)
    assert mean.interval() == Interval(0.1, 0.1)


@pytest.mark.parametrize(
    ("null", "two_sided", "greater", "less"), [(0.1, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 1.0), (0.2, 0.0, 1.0, 0.0)]
)
def test_without_error_p_is_zero_or_one(null: float, two_sided: float, greater: float, less: float) -> None:
    """An estimate with a standard error of 0 excludes every null value except itself."""
    mean = Mean(0.1, 0.0, 2.0)
    assert mean.p_value(null) == two_sided
    assert mean.p_value(null, "greater") == greater
    assert mean.p_value(null, "less") == less


@pytest.mark.parametrize("shape", [(5, 21), (20, 21), (12, 3), (2, 2), (2, 300)])
@pytest.mark.parametrize("seed", range(5))
def test_crossed_variance_is_the_analysis_of_variance(shape: tuple[int, int], seed: int) -> None:
    """Variance and degrees of freedom equal those of a two-way analysis of variance for every mix of effects."""
    rng = np.random.default_rng(seed)
    values = seed * rng.normal(size=(shape[0], 1)) / 4 + rng.normal(size=(1, shape[1])) / 2 + rng.normal(size=shape)
    assert crossed_variance(values) == pytest.approx(plain_crossed_variance(values))


def test_effects_that_add_have_variances_that_add() -> None:
    """Without a residual the variance is var_unit / U + var_group / G; the degrees of freedom are Satterthwaite's."""
    unit, group = draw_normal(5, 1), draw_normal(1, 21, seed=1)
    of_unit, of_group = unit.var(ddof=1) / 5, group.var(ddof=1) / 21
    expected = (of_unit + of_group) ** 2 / (of_unit**2 / 4 + of_group**2 / 20)
    assert crossed_variance(unit + group) == pytest.approx((of_unit + of_group, expected))


def test_without_group_effects_the_result_is_the_t_test_of_units() -> None:
    """If groups do not differ, estimate, error and degrees of freedom are those of the units."""
    both, units = mean_over_units_and_groups(np.tile(np.array(UNITS)[:, None], 21)), mean_over_units(UNITS)
    assert both.estimate == pytest.approx(units.estimate)
    assert both.df == units.df
    assert both.standard_error == pytest.approx(units.standard_error)


def test_without_unit_effects_the_result_is_the_t_test_of_groups() -> None:
    """If units do not differ, estimate, error and degrees of freedom are those of the groups."""
    group = draw_normal(21)
    both, groups = mean_over_units_and_groups(np.tile(group, (5, 1))), mean_over_units(group)
    assert both.estimate == pytest.approx(groups.estimate)
    assert both.df == groups.df
    assert both.standard_error == pytest.approx(groups.standard_error)


def test_variance_is_never_below_that_over_units_or_over_groups() -> None:
    """Subtracting a large residual could make the variance too small or negative, so it has a lower bound."""
    values = draw_normal(200, 5, 21)
    variance, _ = crossed_variance(values)
    assert (variance >= (1 - 1e-12) * values.mean(2).var(1, ddof=1) / 5).all()
    assert (variance >= (1 - 1e-12) * values.mean(1).var(1, ddof=1) / 21).all()


def test_degrees_of_freedom_lie_between_the_smaller_factor_and_the_sum() -> None:
    """With 5 units and 21 groups the degrees of freedom lie between 4 and 24."""
    rng = np.random.default_rng(0)
    for size in (0.0, 0.2, 0.5, 2.0):
        values = size * rng.normal(size=(500, 5, 1)) + size * rng.normal(size=(500, 1, 21)) + draw_normal(500, 5, 21)
        df = crossed_variance(values)[1]
        assert df.min() >= 4
        assert df.max() <= 24


def test_leading_axes_are_independent() -> None:
    """The variances of several sweeps in one array equal those of each sweep alone."""
    values = draw_normal(3, 4, 5, 6)
    variance, df = crossed_variance(values)
    assert variance.shape == df.shape == (3, 4)
    assert (variance[2, 1], df[2, 1]) == pytest.approx(plain_crossed_variance(values[2, 1]))


@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_scale_does_not_matter(scale: float) -> None:
    """Degrees of freedom and p-values are the same for tiny and for huge metrics."""
    values = draw_normal(5, 1) + draw_normal(1, 21, seed=1) + draw_normal(5, 21, seed=2)
    assert crossed_variance(values * scale)[1] == pytest.approx(crossed_variance(values)[1])
    assert mean_over_units(np.array(UNITS) * scale).p_value() == pytest.approx(mean_over_units(UNITS).p_value())


def test_equal_values_have_no_error_over_groups() -> None:
    """A constant metric has a standard error of 0."""
    assert mean_over_units_and_groups(np.full((5, 21), 0.1)) == Mean(0.1, 0.0, 4.0)


@pytest.mark.parametrize(("residual", "unit", "group"), [(1, 0.3, 0), (1, 0.3, 1), (0.1, 0.3, 3), (1, 1, 1)])
def test_intervals_have_their_nominal_coverage(residual: float, unit: float, group: float) -> None:
    """In 2,000 sweeps of 5 units and 21 groups, 93 to 98 % of the 95 % intervals contain the truth."""
    rng = np.random.default_rng(7)
    values = unit * rng.normal(size=(2000, 5, 1)) + group * rng.normal(size=(2000, 1, 21))
    values = values + residual * rng.normal(size=(2000, 5, 21))
    variance, df = crossed_variance(values)
    covered = np.abs(values.mean((1, 2))) <= stats.t.isf(0.025, df) * np.sqrt(variance)
    assert 0.93 <= covered.mean() <= 0.98


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0], "the variation between units needs at least 2 units, not 1"),
        ([], "the variation between units needs at least 2 units, not 0"),
        ([1.0, 2.0, math.nan], "the values of unit 2 (from 0) are not all finite numbers"),
        ([[1.0, 2.0]], "values must have shape (units,), not (1, 2)"),
    ],
)
def test_mean_over_units_rejects_invalid_values(values: list[float], message: str) -> None:
    """The error names the problem and the unit."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (the message is compared as a whole)
        mean_over_units(values)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1.0, 2.0]], "the variation between units needs at least 2 units, not 1"),
        ([[1.0], [2.0]], "the variation between groups needs at least 2 groups, not 1"),
        ([[1.0, 2.0], [1.0, math.inf]], "the values of unit 1 (from 0) are not all finite numbers"),
        ([1.0, 2.0], "values must have shape (units, groups), not (2,)"),
    ],
)
def test_mean_over_units_and_groups_rejects_invalid_values(values: list[list[float]], message: str) -> None:
    """The error names the problem and the unit."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (the message is compared as a whole)
        mean_over_units_and_groups(values)
    assert str(raised.value) == message


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_level_of_an_interval_is_a_probability(level: float) -> None:
    """Levels of 0, 1 and 95 raise a ValueError."""
    with pytest.raises(ValueError, match=f"the level of an interval must lie between 0 and 1, not {level}"):
        mean_over_units(UNITS).interval(level)
