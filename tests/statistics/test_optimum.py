"""The confidence set of the best level."""

from __future__ import annotations

import numpy as np
import pytest

from tcray.statistics.contrasts import SampleMoments
from tcray.statistics.optimum import optimum_p_values, pairwise_contrasts, simulate_rival_null


def test_pairwise_contrasts_are_all_differences() -> None:
    """Each of three levels is compared with the two others."""
    expected = [[-1, 1, 0], [-1, 0, 1], [1, -1, 0], [0, -1, 1], [1, 0, -1], [0, 1, -1]]
    np.testing.assert_array_equal(expected, pairwise_contrasts(3))


def test_the_best_mean_is_always_in_the_set() -> None:
    """The level with the best mean has p > .05."""
    values = np.random.default_rng(0).standard_normal((300, 5, 6))
    p = optimum_p_values(SampleMoments.from_values(values))
    assert (np.take_along_axis(p, values.mean(axis=1).argmax(axis=1)[:, None], 1) > 0.05).all()


def test_a_level_far_below_is_excluded() -> None:
    """A level that is worse by ten standard deviations is not in the set."""
    values = np.array([0, 0, -10, 0]) + np.random.default_rng(1).standard_normal((5, 4))
    assert optimum_p_values(SampleMoments.from_values(values))[2] < 0.001


@pytest.mark.parametrize("best", [[0], [2, 3], [0, 1, 2, 3, 4, 5]])
def test_every_level_tied_for_best_is_in_the_set(best: list[int]) -> None:
    """If one, two or all levels are best, each of them is in the set in 95 % of sweeps."""
    truth = np.full(6, -0.8)
    truth[best] = 0
    values = truth + np.random.default_rng(2).standard_normal((2_000, 12, 6))
    held = optimum_p_values(SampleMoments.from_values(values)) > 0.05
    assert held[:, best].mean(axis=0).min() >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / 2_000)


def test_the_null_of_a_single_rival_is_normal() -> None:
    """The z of a single rival is normal to within the approximation of its variance."""
    null = simulate_rival_null(30, 4, 1)
    assert null.shape[0] == 1
    assert np.quantile(null, 0.95) == pytest.approx(1.645, abs=0.03)
