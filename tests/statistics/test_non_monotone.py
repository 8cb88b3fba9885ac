"""Verdicts on non-monotonicity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tcray.statistics import nonmonotonicity
from tcray.statistics.contrasts import Floats
from tcray.statistics.non_monotone import units_for_peak

RANKS = [1, 2, 3, 4, 6, 8, 12, 16]
PEAK = np.array([-2.0, 0, -0.5, -0.8, -1.2, -1.5, -1.8, -2])


def make_sweep(truth: Floats, units: int = 10, sd: float = 0.5, seed: int = 0) -> Floats:
    """Return values (units, levels): units differ by constants and by noise."""
    rng = np.random.default_rng(seed)
    return truth + 5 * rng.standard_normal((units, 1)) + sd * rng.standard_normal((units, len(truth)))


def test_a_planted_peak_is_supported() -> None:
    """The optimum, the optimum set and the differences to both ends are correct."""
    found = nonmonotonicity(RANKS, make_sweep(PEAK), maximize=True)
    assert (found.verdict, found.reason, found.optimum) == ("supported", None, 2)
    assert 2 in found.optimum_set
    assert set(found.optimum_set) < {1, 2, 3, 4}
    assert found.rise is not None
    assert found.fall is not None
    assert found.rise.ci_low < 2 < found.rise.ci_high
    assert found.fall.ci_low < 2 < found.fall.ci_high
    assert found.residual_sd == pytest.approx(0.5, rel=0.2)
    assert (found.n_units, found.dropped, found.people_p_value, found.units_needed) == (10, 0, None, None)


def test_minimizing_equals_maximizing_the_negative() -> None:
    """With `maximize=False` the smallest value is best; rise and fall remain positive if the optimum is better."""
    values = make_sweep(PEAK)
    assert nonmonotonicity(RANKS, values, maximize=True) == nonmonotonicity(RANKS, -values, maximize=False)


def test_the_opposite_shape_contradicts() -> None:
    """An inner worst level contradicts an inner best one with the p-value of the reversed test."""
    found = nonmonotonicity(RANKS, make_sweep(-PEAK), maximize=True)
    assert found.verdict == "contradicted"
    assert found.opposite_p_value == nonmonotonicity(RANKS, make_sweep(-PEAK), maximize=False).p_value


@pytest.mark.parametrize("truth", [np.zeros(8), np.linspace(0, 3, 8)])
def test_a_peak_smaller_than_the_margin_contradicts(truth: Floats) -> None:
    """A flat and a rising curve contradict if there are enough units for the margin."""
    values = make_sweep(truth, units=20, sd=0.3, seed=1)
    assert nonmonotonicity(RANKS, values, maximize=True).verdict == "inconclusive"
    found = nonmonotonicity(RANKS, values, maximize=True, margin=0.6)
    assert found.verdict == "contradicted"
    assert found.negligible_p_value is not None
    assert found.negligible_p_value <= 0.05


def test_too_few_units_for_the_margin_are_inconclusive() -> None:
    """`units_needed` is the number that would detect a peak of the margin, independent of the observed effect."""
    few = nonmonotonicity(RANKS, make_sweep(np.zeros(8), units=5, seed=2), maximize=True, margin=0.2)
    assert few.verdict == "inconclusive"
    assert few.units_needed is not None
    assert few.units_needed > 50
    moved = nonmonotonicity(RANKS, make_sweep(PEAK / 4, units=5, seed=2), maximize=True, margin=0.2)
    assert few.units_needed == moved.units_needed


def test_p_reaches_alpha_where_the_statistic_reaches_its_critical_value() -> None:
    """In many flat sweeps p ≤ alpha if and only if the statistic reaches the critical value."""
    for seed in range(40):
        for alpha in (0.05, 0.3):
            found = nonmonotonicity([1, 2, 3, 4], make_sweep(np.zeros(4), seed=seed), maximize=True, alpha=alpha)
            assert found.p_value is not None
            assert found.statistic is not None
            assert found.critical_value is not None
            assert (found.p_value <= alpha) == (found.statistic >= found.critical_value)
            assert found.optimum_set == tuple(level for level, p in found.level_p_values.items() if p > alpha)


def test_spacing_of_levels_does_not_matter() -> None:
    """Ordered names give the same result as numbers, except for the two-lines test."""
    values = make_sweep(PEAK)
    numbers = nonmonotonicity(RANKS, values, maximize=True)
    words = nonmonotonicity(list("abcdefgh"), values, maximize=True)
    assert words.optimum == "b"
    assert numbers.p_value == words.p_value
    assert list(numbers.level_p_values.values()) == list(words.level_p_values.values())
    assert numbers.two_lines != words.two_lines


def test_an_optimum_at_an_end_has_one_side() -> None:
    """If the first level is best, there is no rise."""
    found = nonmonotonicity([1, 2, 3], make_sweep(np.array([0.0, -9, -9])), maximize=True)
    assert (found.optimum, found.optimum_set, found.rise) == (1, (1,), None)
    assert found.fall is not None


def test_units_that_lack_a_level_are_dropped_and_counted() -> None:
    """The result equals that of the remaining units alone."""
    values = make_sweep(PEAK)
    holes = values.copy()
    holes[3, 2], holes[7, 0] = np.nan, np.inf
    found = nonmonotonicity(RANKS, holes, maximize=True)
    assert (found.n_units, found.dropped) == (8, 2)
    assert found.p_value == nonmonotonicity(RANKS, np.delete(values, [3, 7], axis=0), maximize=True).p_value


@pytest.mark.parametrize(
    ("levels", "values", "reason"),
    [
        ([1, 2], make_sweep(np.zeros(2)), "2 levels, and an inner optimum needs 3: add levels to the factor"),
        ([1], make_sweep(np.zeros(1)), "1 level, and an inner optimum needs 3: add levels to the factor"),
        ([1, 2, 3], make_sweep(np.zeros(3), units=2), "2 complete units, and the test needs 3: add repeats"),
        (
            [1, 2, 3],
            np.full((5, 3), np.nan),
            "0 complete units (5 lack a level), and the test needs 3: run what they lack",
        ),
        ([1, 2, 3], np.empty((0, 3)), "0 complete units, and the test needs 3: add repeats"),
        (
            [1, 2, 3],
            np.ones((5, 3)),
            "every unit is constant over the levels: check that the factor reaches the model",
        ),
        (
            [1, 2, 3],
            np.array([[0.1, 0.3, 0.2]]) + np.arange(4.0)[:, None],
            "units differ only by constants, so there is no noise to test against: use different seeds for repeats",
        ),
        (
            [1, 2, 3],
            np.random.default_rng(0).standard_normal((5, 3, 2)),
            "2 groups of test examples, and the test over people needs 3: test on more, or omit the groups",
        ),
    ],
)
def test_insufficient_data_are_not_testable(levels: list[float], values: Floats, reason: str) -> None:
    """The reason is one sentence with its remedy; there is no p-value, and the optimum set has all levels."""
    found = nonmonotonicity(levels, values, maximize=True, margin=0.1)
    assert (found.verdict, found.reason) == ("not testable", reason)
    assert (found.p_value, found.optimum, found.optimum_set) == (None, None, tuple(levels))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": [1, 2]}, r"values must be \(units, 2 levels\) or \(units, 2 levels, groups\), not \(5, 3\)"),
        ({"levels": [1, 3, 2]}, r"levels must be distinct and ascend: \[1, 3, 2\]"),
        ({"levels": ["a", "b", "a"]}, "levels must be distinct and ascend"),
        ({"alpha": 1.5}, "alpha must lie between 0 and 1, not 1.5"),
        ({"margin": 0.0}, "margin must be greater than 0, not 0.0"),
    ],
)
def test_invalid_arguments_raise_a_value_error(change: dict[str, Any], message: str) -> None:
    """Invalid arguments raise an error instead of returning a finding."""
    given: dict[str, Any] = {"levels": [1, 2, 3], "values": np.zeros((5, 3)), "maximize": True}
    with pytest.raises(ValueError, match=message):
        nonmonotonicity(**given | change)


def test_a_peak_that_groups_disagree_on_is_inconclusive() -> None:
    """If groups of examples disagree on the best level, the p-value over people is not significant."""
    rng = np.random.default_rng(3)
    values = make_sweep(PEAK)[:, :, None] + 0.1 * rng.standard_normal((10, 8, 21))
    agreed = nonmonotonicity(RANKS, values, maximize=True)
    assert agreed.verdict == "supported"
    taste = 12 * rng.standard_normal((8, 21))
    split = nonmonotonicity(RANKS, values + taste - taste.mean(axis=1, keepdims=True), maximize=True)
    assert split.p_value == pytest.approx(agreed.p_value)
    assert split.verdict == "inconclusive"
    assert split.people_p_value is not None
    assert split.people_p_value > 0.05
    assert split.rise is not None
    assert split.rise.people_low is not None
    assert split.rise.people_low < split.rise.ci_low
    assert split.optimum_set == agreed.optimum_set


def test_three_levels_and_three_units_are_enough() -> None:
    """Three levels and three units are the minimum; a clear peak is still supported."""
    assert (
        nonmonotonicity([1, 2, 3], make_sweep(np.array([-9.0, 0, -9]), units=3), maximize=True).verdict == "supported"
    )


def test_the_same_values_give_the_same_finding() -> None:
    """The simulated null distributions are deterministic."""
    values = make_sweep(PEAK)
    assert nonmonotonicity(RANKS, values, maximize=True) == nonmonotonicity(RANKS, values, maximize=True)


def test_units_needed_grow_with_the_square_of_noise_over_margin() -> None:
    """Half the margin needs four times the units."""
    assert units_for_peak(8, 1.0, 0.1, 2.2) == pytest.approx(4 * units_for_peak(8, 1.0, 0.2, 2.2), rel=0.01)
