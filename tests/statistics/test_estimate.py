from __future__ import annotations

import math

import pytest

from tcray.statistics.estimate import Estimate, mean_if_complete, to_finite


def test_interval_of_two_units_is_students_with_one_degree_of_freedom() -> None:
    """On one degree of freedom Student's t is Cauchy, so the half-width is tan(0.475 π) standard errors."""
    estimate = Estimate.from_units([1.0, 3.0])
    assert estimate.mean == 2.0
    assert estimate.half_width == pytest.approx(math.tan(0.475 * math.pi) * math.sqrt(2) / math.sqrt(2), rel=1e-9)


def test_interval_of_three_units_is_students_with_two_degrees_of_freedom() -> None:
    """On two degrees of freedom the 0.975 quantile is 0.95 / √(2 · 0.975 · 0.025)."""
    estimate = Estimate.from_units([1.0, 2.0, 3.0])
    assert estimate.mean == 2.0
    assert estimate.half_width == pytest.approx(0.95 / math.sqrt(2 * 0.975 * 0.025) / math.sqrt(3), rel=1e-9)


def test_equal_units_have_an_interval_of_no_width() -> None:
    """Equal units have a half-width of 0."""
    assert Estimate.from_units([0.5, 0.5]) == Estimate(0.5, 0.0)


def test_one_unit_has_no_interval() -> None:
    """The variation between units is unknown for a single unit."""
    assert Estimate.from_units([0.5]) == Estimate(0.5, None)


@pytest.mark.parametrize("units", [[], [None], [1.0, None]])
def test_an_undefined_unit_leaves_the_mean_undefined(units: list[float | None]) -> None:
    """A mean over only the defined units would be the mean of a different sample, so the result is None."""
    assert Estimate.from_units(units) == Estimate(None, None)
    assert mean_if_complete(units) is None


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, "inf"])
def test_non_finite_values_become_none(value: object) -> None:
    """Tables contain NaN and manifests contain `inf`; neither is averaged."""
    assert to_finite(value) is None


def test_an_integer_becomes_a_float() -> None:
    """JSON reads 1.0 back as the integer 1."""
    assert to_finite(1) == 1.0
