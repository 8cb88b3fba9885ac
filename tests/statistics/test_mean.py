from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from tcray.statistics.mean import Floats, Interval, Mean, crossed_variance, mean_over_units, mean_over_units_and_groups

UNITS = [0.3, 1.1, -0.4, 0.9, 2.0]


def drawn(*shape: int, seed: int = 0) -> Floats:
    """Independent standard normal values."""
    return np.random.default_rng(seed).normal(size=shape)


def plain_crossed_variance(values: Floats) -> tuple[float, float]:
    """The two-way analysis of variance as a textbook has it: sums of squares, cell by cell."""
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
    assert mean.interval(0.9) == Interval(pytest.approx(interval.low), pytest.approx(interval.high))


@pytest.mark.parametrize("side", ["less", "greater"])
def test_one_sided_p_value_is_that_of_the_one_sample_t_test(side: str) -> None:
    """The side names the alternative, as in scipy."""
    expected = stats.ttest_1samp(UNITS, 0.25, alternative=side).pvalue
    assert mean_over_units(UNITS).p_value(0.25, side) == pytest.approx(expected)


def test_far_tail_keeps_its_digits() -> None:
    """A p-value is a tail, not one less the rest: on one degree of freedom the tail beyond t is about 1 / (π t)."""
    assert Mean(1e20, 1.0, 1.0).p_value(side="greater") == pytest.approx(1 / (math.pi * 1e20))


def test_equal_units_have_no_error() -> None:
    """0.1 + 0.1 + 0.1 is not 0.3, and yet units that agree leave nothing to be off by."""
    mean = mean_over_units([0.1, 0.1, 0.1])
    assert mean == Mean(0.1, 0.0, 2.0)
    assert mean.interval() == Interval(0.1, 0.1)


@pytest.mark.parametrize(
    ("null", "two_sided", "greater", "less"), [(0.1, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 1.0), (0.2, 0.0, 1.0, 0.0)]
)
def test_without_error_p_is_zero_or_one(null: float, two_sided: float, greater: float, less: float) -> None:
    """An estimate that cannot be off excludes every null but itself."""
    mean = Mean(0.1, 0.0, 2.0)
    assert mean.p_value(null) == two_sided
    assert mean.p_value(null, "greater") == greater
    assert mean.p_value(null, "less") == less


@pytest.mark.parametrize("shape", [(5, 21), (20, 21), (12, 3), (2, 2), (2, 300)])
@pytest.mark.parametrize("seed", range(5))
def test_crossed_variance_is_the_analysis_of_variance(shape: tuple[int, int], seed: int) -> None:
    """Variance and degrees of freedom are those of a plain two-way analysis, whichever effects are there."""
    rng = np.random.default_rng(seed)
    values = seed * rng.normal(size=(shape[0], 1)) / 4 + rng.normal(size=(1, shape[1])) / 2 + rng.normal(size=shape)
    assert crossed_variance(values) == pytest.approx(plain_crossed_variance(values))


def test_effects_that_add_have_variances_that_add() -> None:
    """Without a residual they are those of unit effects over U and of group effects over G; df is Satterthwaite's."""
    unit, group = drawn(5, 1), drawn(1, 21, seed=1)
    of_unit, of_group = unit.var(ddof=1) / 5, group.var(ddof=1) / 21
    expected = (of_unit + of_group) ** 2 / (of_unit**2 / 4 + of_group**2 / 20)
    assert crossed_variance(unit + group) == (pytest.approx(of_unit + of_group), pytest.approx(expected))


def test_units_alone_leave_the_units_own_t_test() -> None:
    """Where groups make no difference, other groups would have given the same."""
    both, units = mean_over_units_and_groups(np.tile(np.array(UNITS)[:, None], 21)), mean_over_units(UNITS)
    assert (both.estimate, both.df) == (pytest.approx(units.estimate), units.df)
    assert both.standard_error == pytest.approx(units.standard_error)


def test_groups_alone_leave_the_groups_own_t_test() -> None:
    """Where units make no difference, the groups are the sample."""
    group = drawn(21)
    both, groups = mean_over_units_and_groups(np.tile(group, (5, 1))), mean_over_units(group)
    assert (both.estimate, both.df) == (pytest.approx(groups.estimate), groups.df)
    assert both.standard_error == pytest.approx(groups.standard_error)


def test_variance_is_never_below_that_over_units_or_over_groups() -> None:
    """A large residual would make the difference small by chance, or negative."""
    values = drawn(200, 5, 21)
    variance, _ = crossed_variance(values)
    assert (variance >= (1 - 1e-12) * values.mean(2).var(1, ddof=1) / 5).all()
    assert (variance >= (1 - 1e-12) * values.mean(1).var(1, ddof=1) / 21).all()


def test_degrees_of_freedom_lie_between_the_scarcer_factors_and_both_together() -> None:
    """With 5 units and 21 groups no fewer than 4 and no more than 24."""
    rng = np.random.default_rng(0)
    for size in (0.0, 0.2, 0.5, 2.0):
        values = size * rng.normal(size=(500, 5, 1)) + size * rng.normal(size=(500, 1, 21)) + drawn(500, 5, 21)
        df = crossed_variance(values)[1]
        assert df.min() >= 4
        assert df.max() <= 24


def test_leading_axes_are_taken_one_by_one() -> None:
    """Many sweeps at once have the variances of each."""
    values = drawn(3, 4, 5, 6)
    variance, df = crossed_variance(values)
    assert variance.shape == df.shape == (3, 4)
    assert (variance[2, 1], df[2, 1]) == pytest.approx(plain_crossed_variance(values[2, 1]))


@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_scale_does_not_matter(scale: float) -> None:
    """Degrees of freedom are ratios, so neither tiny nor huge metrics lose them."""
    values = drawn(5, 1) + drawn(1, 21, seed=1) + drawn(5, 21, seed=2)
    assert crossed_variance(values * scale)[1] == pytest.approx(crossed_variance(values)[1])
    assert mean_over_units(np.array(UNITS) * scale).p_value() == pytest.approx(mean_over_units(UNITS).p_value())


def test_equal_values_have_no_error_over_groups_either() -> None:
    """A metric that never moves has an interval of no width."""
    assert mean_over_units_and_groups(np.full((5, 21), 0.1)) == Mean(0.1, 0.0, 4.0)


@pytest.mark.parametrize(("residual", "unit", "group"), [(1, 0.3, 0), (1, 0.3, 1), (0.1, 0.3, 3), (1, 1, 1)])
def test_intervals_cover_as_often_as_they_say(residual: float, unit: float, group: float) -> None:
    """Of 2,000 sweeps of 5 units and 21 groups between 93 and 98 % of the 95 % intervals hold the truth."""
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
def test_over_units_says_what_it_cannot_use(values: list[float], message: str) -> None:
    """What is wrong is said, and for which unit."""
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
def test_over_units_and_groups_says_what_it_cannot_use(values: list[list[float]], message: str) -> None:
    """What is wrong is said, and for which unit."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (the message is compared as a whole)
        mean_over_units_and_groups(values)
    assert str(raised.value) == message


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_level_of_an_interval_is_a_probability(level: float) -> None:
    """95 is not a level."""
    with pytest.raises(ValueError, match=f"the level of an interval must lie between 0 and 1, not {level}"):
        mean_over_units(UNITS).interval(level)
