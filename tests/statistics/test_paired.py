from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy import stats

from tcray.statistics.mean import Mean, mean_over_units, mean_over_units_and_groups
from tcray.statistics.paired import PairedDifference, paired_difference

RNG = np.random.default_rng(3)
A, B = RNG.normal(1.0, size=8), RNG.normal(size=8)
BY_GROUP_A, BY_GROUP_B = RNG.normal(1.0, size=(8, 21)), RNG.normal(size=(8, 21))


def test_without_groups_the_result_is_the_paired_t_test() -> None:
    """Estimate, interval and p-value equal those of scipy's paired t-test of a - b."""
    found, known = paired_difference(list(A), list(B), alpha=0.1), stats.ttest_rel(A, B)
    interval = known.confidence_interval(0.9)
    approx: Any = pytest.approx  # it stands in for a float
    assert found == PairedDifference(
        estimate=approx(np.mean(A - B)),
        standard_error=approx(np.std(A - B, ddof=1) / math.sqrt(8)),
        df=7,
        ci_low=approx(interval.low),
        ci_high=approx(interval.high),
        p_value=approx(known.pvalue),
        n_units=8,
        n_groups=None,
        sd=approx(np.std(A - B, ddof=1)),
        retraining=mean_over_units(A - B),
        people=None,
    )


def test_with_groups_the_result_is_over_retraining_and_people() -> None:
    """Interval and p-value use the crossed variance; those over units alone are in `retraining`."""
    found = paired_difference(BY_GROUP_A, BY_GROUP_B)
    people, retraining = (
        mean_over_units_and_groups(BY_GROUP_A - BY_GROUP_B),
        mean_over_units((BY_GROUP_A - BY_GROUP_B).mean(1)),
    )
    assert (found.n_units, found.n_groups) == (8, 21)
    assert (found.people, found.retraining) == (people, retraining)
    assert (found.estimate, found.standard_error, found.df) == (people.estimate, people.standard_error, people.df)
    assert (found.ci_low, found.ci_high) == (people.interval().low, people.interval().high)
    assert found.p_value == people.p_value()
    assert found.sd == pytest.approx((BY_GROUP_A - BY_GROUP_B).mean(1).std(ddof=1))


def test_swapping_the_arguments_only_changes_the_sign() -> None:
    """b - a has the negated estimate and interval of a - b, and the same p-value."""
    there, back = paired_difference(BY_GROUP_A, BY_GROUP_B), paired_difference(BY_GROUP_B, BY_GROUP_A)
    assert (back.estimate, back.ci_low, back.ci_high) == (-there.estimate, -there.ci_high, -there.ci_low)
    assert back.p_value == there.p_value


@pytest.mark.parametrize("same", [[0.1, 0.7, 0.4], [[0.1, 0.3], [0.7, 0.2], [0.4, 0.4]]])
def test_identical_values_have_a_p_value_of_one(same: ArrayLike) -> None:
    """The difference of identical values is 0 with an interval of no width and p = 1."""
    found = paired_difference(same, same)
    assert (found.estimate, found.ci_low, found.ci_high, found.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert found.retraining == Mean(0.0, 0.0, 2.0)


def test_a_constant_difference_has_a_p_value_of_zero() -> None:
    """If every unit differs by exactly one half, the interval has no width."""
    found = paired_difference([1.0, 2.0, 3.0], [0.5, 1.5, 2.5])
    assert (found.estimate, found.ci_low, found.ci_high, found.p_value) == (0.5, 0.5, 0.5, 0.0)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1.0, 2.0], [1.0, 2.0, 3.0], "a and b are not paired: a has shape (2,), b (3,)"),
        ([[1.0, 2.0]] * 2, [[1.0], [2.0]], "a and b are not paired: a has shape (2, 2), b (2, 1)"),
        (1.0, 2.0, "a must have shape (units,) or (units, groups), not ()"),
        ([1.0, 2.0], [[[1.0]]], "b must have shape (units,) or (units, groups), not (1, 1, 1)"),
        ([1.0, math.nan], [1.0, 2.0], "a has a value that is not finite in unit 1 (counted from 0)"),
        ([[1, 2]] * 2, [[1, 2], [1, math.inf]], "b has a value that is not finite in unit 1 (counted from 0)"),
        ([1.0], [2.0], "the variation between units needs at least 2 units, not 1"),
        ([[1.0], [2.0]], [[1.0], [2.0]], "the variation between groups needs at least 2 groups, not 1"),
    ],
)
def test_invalid_pairs_raise_a_value_error(a: ArrayLike, b: ArrayLike, message: str) -> None:
    """The error names the argument, the unit and the problem."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (the message is compared as a whole)
        paired_difference(a, b)
    assert str(raised.value) == message
