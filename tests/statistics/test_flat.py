"""P-values and critical values of simulated null distributions."""

from __future__ import annotations

import numpy as np

from tcray.statistics.flat import SWEEPS, critical_value, p_value, simulate_flat_sweeps


def test_p_value_counts_the_statistic_itself() -> None:
    """If no simulated statistic reaches the observed one, p is still greater than zero."""
    null = np.arange(1.0, 100.0)[None]
    assert p_value(null, 1_000.0) == 0.01
    assert p_value(null, 99.0) == 0.02
    assert p_value(null, 0.0) == 1.0


def test_p_value_is_the_largest_over_truths() -> None:
    """The p-value is that of the least favorable truth."""
    nulls = np.stack([np.arange(1.0, 100.0), np.arange(51.0, 150.0)])
    assert p_value(nulls, 99.5) == 0.51


def test_critical_value_is_where_p_reaches_alpha() -> None:
    """p ≤ alpha at the critical value, and p > alpha just below it."""
    nulls = np.sort(np.random.default_rng(0).standard_normal((3, 999)), axis=1)
    for alpha in (0.01, 0.05, 0.5):
        critical = critical_value(nulls, alpha)
        assert p_value(nulls, critical) <= alpha < p_value(nulls, np.nextafter(critical, -np.inf))


def test_critical_value_of_too_few_sweeps_is_infinite() -> None:
    """A hundred sweeps cannot give p ≤ .001, so the critical value is infinite."""
    assert critical_value(np.arange(100.0)[None], 0.001) == np.inf


def test_flat_sweeps_are_the_same_every_time() -> None:
    """The seed is fixed, so two calls return the same `SWEEPS` sweeps."""
    first, second = (np.concatenate([sample.mean for sample in simulate_flat_sweeps(3, 3)]) for _ in range(2))
    assert first.shape == (SWEEPS, 3)
    np.testing.assert_array_equal(first, second)
