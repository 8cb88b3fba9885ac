"""Contrasts between levels: their weights, and their variances with the components of these."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from tcray.statistics.contrasts import ContrastEstimates, SampleMoments, rise_and_fall_contrasts


def test_contrasts_of_four_levels() -> None:
    """With four levels the best level is the second, the third, or both."""
    rises, falls = rise_and_fall_contrasts(4)
    unscaled = np.array([[-1, 1, 0, 0], [-2, 1, 1, 0], [-1, 0, 1, 0]])
    expected = unscaled / np.linalg.norm(unscaled, axis=1, keepdims=True)
    np.testing.assert_allclose(expected, rises, atol=1e-15)
    np.testing.assert_allclose(expected[::-1, ::-1], falls, atol=1e-15)


@pytest.mark.parametrize("levels", [3, 5, 10])
def test_contrasts_sum_to_zero_and_have_unit_norm(levels: int) -> None:
    """There is one pair of contrasts for every range of consecutive inner levels."""
    for contrasts in rise_and_fall_contrasts(levels):
        assert contrasts.shape == ((levels - 1) * (levels - 2) // 2, levels)
        np.testing.assert_allclose(contrasts.sum(axis=1), 0, atol=1e-12)
        np.testing.assert_allclose((contrasts**2).sum(axis=1), 1)


def test_no_truth_without_a_peak_both_rises_and_falls() -> None:
    """If a curve falls and then rises, at least one of the two contrasts of every place is zero or negative."""
    rng = np.random.default_rng(0)
    rises, falls = rise_and_fall_contrasts(8)
    down, up = (np.cumsum(rng.gamma(0.3, size=(2_000, 8)), axis=1) for _ in range(2))
    valleys = np.maximum(down[:, ::-1], up * rng.uniform(0, 2, (2_000, 1)))
    assert (np.minimum(valleys @ rises.T, valleys @ falls.T) < 1e-12).all()


def test_z_is_the_normal_quantile_of_students_t() -> None:
    """The approximation is within .02 for three or more degrees of freedom and t from -4 to 4."""
    for df in (3.0, 8.0, 100.0):
        values = np.linspace(-4, 4, 41)
        contrasted = ContrastEstimates(values, np.ones(41), np.full(41, df))
        np.testing.assert_allclose(norm.ppf(t.cdf(values, df)), contrasted.z(), atol=0.02)


def test_variance_of_a_contrast_equals_its_formula() -> None:
    """The variance equals the formula written out for one sweep and one contrast."""
    values = np.random.default_rng(1).standard_normal((5, 4)) * [1, 2, 3, 4]
    weights = np.array([-0.5, -0.5, 0.0, 1.0])
    residuals = values - values.mean(axis=1, keepdims=True)
    residuals -= residuals.mean(axis=0)
    mean_level = (residuals**2).sum() / 12
    levels = np.maximum(((residuals**2).sum(axis=0) / 4 - mean_level / 4) / (1 - 2 / 4), 0)
    shrunk = (4 * levels + 4 * levels.mean()) / 8
    own = (values @ weights).var(ddof=1)
    expected = (4 * own + 6 * (weights**2 @ shrunk)) / 10 / 5
    contrasted = SampleMoments.from_values(values).over_units(weights[None])
    assert expected == pytest.approx(contrasted.variance[0])
    assert (values.mean(axis=0) @ weights) == pytest.approx(contrasted.estimate[0])


def test_level_variances_are_unbiased() -> None:
    """The variance of a level with five times the SD is estimated without bias although units are centered."""
    noise = np.random.default_rng(2).standard_normal((4_000, 20, 6)) * [5, 1, 1, 1, 1, 2]
    sample = SampleMoments.from_values(noise)
    assert sample.level_variances().mean(axis=0)[[0, 5]] == pytest.approx([25, 4], rel=0.03)
    assert sample.residual_variance.mean() == pytest.approx(33 / 6, rel=0.03)


def test_with_many_units_a_contrast_has_the_variance_of_the_paired_t_test() -> None:
    """With hundreds of units the variance is that of the paired t-test for any correlation of the levels."""
    values = np.cumsum(np.random.default_rng(3).standard_normal((2_000, 5)), axis=1)
    weights = np.array([[-1.0, 0, 0, 1, 0]])
    contrasted = SampleMoments.from_values(values).over_units(weights)
    assert (values @ weights[0]).var(ddof=1) / 2_000 == pytest.approx(contrasted.variance[0], rel=0.01)
    assert contrasted.df[0] == pytest.approx(1_999, rel=0.02)


def test_variance_over_people_includes_differences_between_groups() -> None:
    """Var = V_unit + V_group - V_residual, but at least the larger of the first two."""
    rng = np.random.default_rng(4)
    values = rng.standard_normal((6, 4, 9)) + 2 * rng.standard_normal((4, 9))
    weights = np.array([[1.0, -1.0, 0.0, 0.0]])
    contrast = values[:, 0] - values[:, 1]
    rest = contrast - contrast.mean(axis=1, keepdims=True) - contrast.mean(axis=0) + contrast.mean()
    group = contrast.mean(axis=0).var(ddof=1) / 9
    residual = (rest**2).sum() / (5 * 8) / (6 * 9)
    sample = SampleMoments.from_crossed(values)
    unit = sample.over_units(weights).variance[0]
    expected = max(unit + group - residual, unit, group)
    assert expected == pytest.approx(sample.over_units_and_groups(weights).variance[0])


def test_identical_groups_add_no_variance() -> None:
    """If all groups have the same values, the variance over people is the variance over units."""
    values = np.repeat(np.random.default_rng(5).standard_normal((6, 4, 1)), 7, axis=2)
    weights = np.array([[1.0, -1.0, 0.0, 0.0]])
    sample = SampleMoments.from_crossed(values)
    assert sample.over_units(weights).variance == pytest.approx(sample.over_units_and_groups(weights).variance)
