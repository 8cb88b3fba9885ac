"""Standardization by the train rows alone."""

from __future__ import annotations

import numpy as np

from tcray.data.standardize import standardize

TRAIN = np.array([0, 1, 2, 3])


def column(*values: float) -> np.ndarray:
    """Return values as a matrix of one column."""
    return np.array(values, np.float32)[:, None]


def test_train_rows_have_mean_zero_and_deviation_one() -> None:
    """Train rows have mean 0 and deviation 1, independent of the other rows."""
    matrix = np.random.default_rng(0).normal(5, 3, (40, 6)).astype(np.float32)
    scaled = standardize(matrix, TRAIN)
    np.testing.assert_allclose(scaled[TRAIN].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(scaled[TRAIN].std(axis=0), 1, atol=1e-6)
    np.testing.assert_array_equal(scaled[TRAIN], standardize(matrix[:4], TRAIN))
    assert scaled.dtype == np.float32


def test_values_beyond_eight_deviations_are_clipped() -> None:
    """Values beyond eight train deviations are clipped; the train rows here have mean 0 and deviation 1."""
    scaled = standardize(column(-1, 1, -1, 1, 7.5, 100, -100), TRAIN)
    np.testing.assert_allclose(scaled[:, 0], [-1, 1, -1, 1, 7.5, 8, -8])


def test_a_column_constant_on_train_becomes_zero() -> None:
    """A column with a train deviation below 1e-6 becomes 0, even if other rows differ."""
    np.testing.assert_array_equal(standardize(column(4, 4, 4, 4, 9), TRAIN), np.zeros((5, 1)))
    small = 0.9e-6
    np.testing.assert_array_equal(standardize(column(-small, small, -small, small), TRAIN), np.zeros((4, 1)))
    large = 1.1e-6
    np.testing.assert_allclose(
        standardize(column(-large, large, -large, large), TRAIN)[:, 0], [-1, 1, -1, 1], rtol=1e-6
    )
