"""Holm's correction against worked and published values."""

from __future__ import annotations

import pytest

from tcray.statistics.multiplicity import holm

BENJAMINI_HOCHBERG = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240),
    *(0.4262, 0.5719, 0.6528, 0.7590, 1.0),
]
"""The 15 p-values of Benjamini & Hochberg (1995, section 3.2)."""


def test_each_p_value_is_multiplied_by_the_number_not_smaller() -> None:
    """Holm's steps are 4 × .01, 3 × .02, then 2 × .03 and 1 × .04, raised to the step before."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_untestable_entries_stay_none_and_are_not_counted() -> None:
    """With two None among four entries, .01 and .04 are corrected for two tests."""
    assert holm([None, 0.01, None, 0.04]) == [None, pytest.approx(0.02), None, pytest.approx(0.04)]


def test_adjusted_p_values_do_not_exceed_one() -> None:
    """An adjusted p-value is at most 1."""
    assert holm([0.5, 0.6, 0.9]) == [1.0, 1.0, 1.0]


def test_published_p_values() -> None:
    """Of the 15 p-values of Benjamini & Hochberg (1995) three stay significant at .05, as `p.adjust` of R gives."""
    expected = [0.0015, 0.0056, 0.0247, 0.114, 0.2211, 0.278, 0.278, 0.278, 0.3213, *[1.0] * 6]
    assert holm(BENJAMINI_HOCHBERG) == pytest.approx(expected, abs=1e-15)
    assert holm(BENJAMINI_HOCHBERG[::-1]) == pytest.approx(expected[::-1], abs=1e-15)


def test_equal_p_values_have_equal_adjusted_p_values() -> None:
    """Ties receive the product of the first of them: 3 × .01, and 2 × .02 would be for the second."""
    assert holm([0.02, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])


@pytest.mark.parametrize("p_values", [[], [None], [None, None]])
def test_a_family_without_p_values_is_returned_unchanged(p_values: list[float | None]) -> None:
    """An empty family, or one of None alone, needs no correction."""
    assert holm(p_values) == p_values


@pytest.mark.parametrize("p", [float("nan"), -0.1, 1.5])
def test_a_value_outside_zero_to_one_is_refused(p: float) -> None:
    """A number that is no probability raises a ValueError; NaN does not stand for None."""
    with pytest.raises(ValueError, match=f"a p-value must lie between 0 and 1, not {p}"):
        holm([0.5, p])
