from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from tcray.statistics.multiplicity import holm


def test_each_p_value_is_multiplied_by_how_many_are_not_smaller() -> None:
    """Holm's steps: 4 × .01, 3 × .02, then 2 × .03 and 1 × .04 raised to what came before."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_what_was_not_testable_stays_and_is_not_counted() -> None:
    """None is not a look: .01 and .04 are corrected for two."""
    assert holm([None, 0.01, None, 0.04]) == [None, pytest.approx(0.02), None, pytest.approx(0.04)]


def test_adjusted_p_values_do_not_exceed_one() -> None:
    """Three coin tosses are not more than certain."""
    assert holm([0.5, 0.6, 0.9]) == [1.0, 1.0, 1.0]


def test_they_are_those_of_statsmodels() -> None:
    """For families of every size up to 30, ties included."""
    rng = np.random.default_rng(0)
    for size in range(1, 31):
        p_values = rng.beta(0.3, 1, size).round(2).tolist()
        assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]), abs=1e-15)


@pytest.mark.parametrize("p_values", [[], [None], [None, None]])
def test_nothing_testable_leaves_nothing_to_correct(p_values: list[float | None]) -> None:
    """An empty family is a family."""
    assert holm(p_values) == p_values


@pytest.mark.parametrize("p", [float("nan"), -0.1, 1.5])
def test_what_is_no_probability_is_refused(p: float) -> None:
    """A NaN is not what None says."""
    with pytest.raises(ValueError, match=f"a p-value lies between 0 and 1, and {p} does not"):
        holm([0.5, p])
