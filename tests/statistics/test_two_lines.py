"""Simonsohn's two-lines test against a plain reference."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from tcray.statistics.contrasts import Floats
from tcray.statistics.two_lines import _flat_top, _quantile, _roughness, two_lines, two_lines_z

LEVELS = np.array([1.0, 2, 3, 4, 6, 8, 12, 16])


def regression_z(columns: Floats, y: Floats) -> Floats:
    """Return the coefficients of a least-squares fit over their HC3 standard errors (MacKinnon & White 1985)."""
    inverse = np.linalg.inv(columns.T @ columns)
    coefficients = inverse @ columns.T @ y
    leverage = np.einsum("ij,jk,ik->i", columns, inverse, columns)
    squares = ((y - columns @ coefficients) / (1 - leverage)) ** 2
    covariance = inverse @ (columns.T * squares) @ columns @ inverse
    z: Floats = coefficients / np.sqrt(np.diagonal(covariance))
    return z


def interrupted_z(levels: Floats, values: Floats, point: float) -> tuple[float, float]:
    """Return the z of both slopes: the breakpoint belongs to the first line in one regression, then to the second."""
    x = np.tile(levels, len(values))
    y = (values - values.mean(axis=1, keepdims=True)).ravel()
    z = []
    for low, slope in ((x <= point, 1), (x < point, 2)):
        columns = np.column_stack([np.ones_like(x), np.where(low, x - point, 0), np.where(low, 0, x - point), ~low])
        z.append(float(regression_z(columns, y)[slope]))
    return z[0], z[1]


@pytest.mark.parametrize("seed", range(6))
def test_slopes_are_those_of_interrupted_regressions(seed: int) -> None:
    """Slopes and HC3 standard errors equal those of two ordinary regressions at the estimated breakpoint."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((5, 8)) - 0.15 * np.abs(LEVELS - 4) + rng.standard_normal((5, 1))
    found = two_lines(LEVELS, values)
    rise, fall = interrupted_z(LEVELS, values, found.breakpoint)
    assert (rise, fall) == pytest.approx((found.z_rise, found.z_fall))


def test_quantiles_are_those_of_the_observations() -> None:
    """The quantile of the breakpoint equals numpy's over all observations of the levels in the flat top."""
    within = np.array([[False, True, True, False, True, False, True, False]])
    observations = np.repeat(LEVELS[within[0]], 5)
    for share in (0.0, 0.24, 0.26, 0.5, 0.77, 1.0):
        assert np.quantile(observations, share) == pytest.approx(_quantile(LEVELS, within, 5, np.array([share]))[0])


def test_roughness_is_the_integral_of_the_squared_second_derivative() -> None:
    """The roughness of random values equals that of the natural cubic spline through them."""
    values = np.random.default_rng(0).standard_normal(8)
    x = (LEVELS - 1) / 15
    curve = CubicSpline(x, values, bc_type="natural").derivative(2)
    at, weight = np.polynomial.legendre.leggauss(3)
    middle, half = (x[1:] + x[:-1]) / 2, np.diff(x) / 2
    expected = sum(h * weight @ curve(m + h * at) ** 2 for m, h in zip(middle, half, strict=True))
    assert expected == pytest.approx(values @ _roughness(LEVELS) @ values)


def test_the_flat_top_excludes_the_ends() -> None:
    """The breakpoint stays within the middle 80 % of observations even if the last level is highest."""
    mean = np.arange(8.0)
    flat = _flat_top(LEVELS, mean, np.full(8, 0.01), 5)
    assert [False] * 6 + [True, False] == flat.tolist()


def test_a_clear_peak_is_found() -> None:
    """The lines rise to the fourth of seven levels and fall after it."""
    levels = np.arange(7.0)
    values = -np.abs(levels - 3) + 0.1 * np.random.default_rng(1).standard_normal((6, 7))
    found = two_lines(levels, values)
    assert 2 <= found.breakpoint <= 4
    assert found.z_rise > 10
    assert found.z_fall < -10
    assert found.p_value < 1e-9


def test_a_valley_has_a_p_value_of_one() -> None:
    """Lines that fall and then rise give p = 1."""
    levels = np.arange(7.0)
    values = np.abs(levels - 3) + 0.1 * np.random.default_rng(2).standard_normal((6, 7))
    assert two_lines(levels, values).p_value == 1.0


def test_leading_axes_are_independent() -> None:
    """Sweeps in one array have the results of each sweep alone."""
    values = np.random.default_rng(3).standard_normal((20, 5, 8))
    together = np.stack(two_lines_z(LEVELS, values), axis=-1)
    single = [two_lines(LEVELS, sweep) for sweep in values]
    np.testing.assert_allclose([(one.breakpoint, one.z_rise, one.z_fall) for one in single], together)


def test_values_without_noise_have_no_nan() -> None:
    """Values that lie exactly on two lines give finite z values and p = 0."""
    found = two_lines(np.arange(5.0), np.tile([0.0, 1.0, 2.0, 1.0, 0.0], (3, 1)))
    assert np.isfinite([found.breakpoint, found.z_rise, found.z_fall]).all()
    assert found.p_value == 0.0
