from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from tcray.statistics.mean import mean_over_units, mean_over_units_and_groups
from tcray.statistics.multiplicity import holm
from tcray.statistics.paired import PairedDifference, paired_difference
from tcray.statistics.shapley_values import IncompleteGameError, Subset, shapley

NAMES = ["video", "audio", "text", "context", "speaker"]
ROUNDING = 1e-12
"""Tolerance of sums of values of order 1."""


def list_subsets(modalities: list[str]) -> list[Subset]:
    """Return every subset, including the empty one."""
    return [frozenset(chosen) for size in range(len(modalities) + 1) for chosen in combinations(modalities, size)]


def make_random_game(modalities: list[str], *shape: int, seed: int = 0) -> dict[Subset, Any]:
    """Return a random game of numbers or arrays in which larger subsets tend to have larger values."""
    rng = np.random.default_rng(seed)
    return {s: rng.normal(len(s), 1.0, shape) if shape else float(rng.normal()) for s in list_subsets(modalities)}


def make_game(modalities: list[str], worth: Callable[[Subset], float]) -> dict[Subset, float]:
    """Return the game in which `worth` gives the value of a subset."""
    return {s: worth(s) for s in list_subsets(modalities)}


def mean_over_orders(values: Mapping[Subset, ArrayLike], modality: str, modalities: list[str]) -> np.ndarray:
    """Return the marginal contribution of a modality, averaged over every order of arrival."""
    added = []
    for order in permutations(modalities):
        before = frozenset(order[: order.index(modality)])
        added.append(np.asarray(values[before | {modality}]) - np.asarray(values[before]))
    return np.mean(added, axis=0)


@pytest.mark.parametrize("count", range(1, 6))
def test_values_are_means_over_orders_of_arrival(count: int) -> None:
    """The values equal Shapley's (1953) definition, computed by brute force."""
    values = make_random_game(NAMES[:count], seed=count)
    expected = {m: pytest.approx(mean_over_orders(values, m, NAMES[:count])) for m in NAMES[:count]}
    assert shapley(values).values == expected


@pytest.mark.parametrize("count", range(1, 6))
@pytest.mark.parametrize("shape", [(), (5,), (5, 7)])
def test_values_sum_to_the_value_of_all_minus_none(count: int, shape: tuple[int, ...]) -> None:
    """The values sum to v(all) - v(none), and shares sum to one."""
    values = make_random_game(NAMES[:count], *shape, seed=count)
    found = shapley(values)
    total = np.mean(np.asarray(values[frozenset(NAMES[:count])]) - np.asarray(values[frozenset()]))
    assert found.total == pytest.approx(total, abs=ROUNDING)
    assert sum(found.values.values()) == pytest.approx(total, abs=ROUNDING)
    assert sum(share for share in found.shares.values() if share is not None) == pytest.approx(1.0)


def test_values_of_the_glove_game() -> None:
    """With one left and two right gloves and a value of 1 per pair, the left one gets 2/3 and each right one 1/6."""
    found = shapley(make_game(["left", "right", "spare"], lambda s: float("left" in s and len(s) > 1)))
    assert found.values == {"left": pytest.approx(2 / 3), "right": pytest.approx(1 / 6), "spare": pytest.approx(1 / 6)}
    assert found.order[0] == "left"
    assert found.asymmetry == pytest.approx((2 / 3 - 1 / 6) / 1)


def test_a_duplicated_modality_gets_an_equal_share() -> None:
    """A copy has the value of the original, and their difference has p = 1."""
    values = make_random_game(["audio", "text"], 6)
    doubled = {
        s: values[frozenset("audio" if m == "copy" else m for m in s)] for s in list_subsets(["audio", "copy", "text"])
    }
    found = shapley(doubled)
    assert found.values["copy"] == pytest.approx(found.values["audio"], abs=ROUNDING)
    assert found.differ is not None
    assert found.differ["audio", "copy"] == 1.0


@pytest.mark.parametrize("shape", [(), (6,), (6, 21)])
def test_an_ignored_modality_has_a_value_of_exactly_zero(shape: tuple[int, ...]) -> None:
    """A modality that adds nothing to any subset has value 0 without error, and no interactions."""
    values = make_random_game(["audio", "text"], *shape)
    found = shapley({s: values[s - {"video"}] for s in list_subsets(["audio", "text", "video"])})
    assert found.values["video"] == 0.0
    assert found.interactions["audio", "video"] == found.interactions["text", "video"] == 0.0
    if shape:
        assert (found.ci_low["video"], found.ci_high["video"], found.p_values["video"]) == (0.0, 0.0, 1.0)


def test_names_do_not_matter() -> None:
    """Renaming a modality does not change its value."""
    values, renamed = make_random_game(NAMES[:3], 5), {"video": "zebra", "audio": "video", "text": "audio"}
    found = shapley({frozenset(renamed[m] for m in s): v for s, v in values.items()})
    assert {m: found.values[renamed[m]] for m in renamed} == pytest.approx(shapley(values).values, abs=ROUNDING)


def test_values_are_linear_in_the_game() -> None:
    """The mean of the values over units equals the values of the mean game."""
    values = make_random_game(NAMES[:3], 5)
    average = {s: float(np.mean(v)) for s, v in values.items()}
    assert shapley(values).values == pytest.approx(shapley(average).values)
    assert shapley(values).interactions == pytest.approx(shapley(average).interactions)


@pytest.mark.parametrize("count", range(2, 6))
def test_modalities_of_an_additive_game_do_not_interact(count: int) -> None:
    """In an additive game each modality has its own value, and every interaction is 0."""
    worth = dict(zip(NAMES, (0.5, -0.2, 1.3, 0.1, 0.0), strict=True))
    found = shapley(make_game(NAMES[:count], lambda s: 0.7 + sum(worth[m] for m in s)))
    assert found.values == pytest.approx({m: worth[m] for m in NAMES[:count]}, abs=ROUNDING)
    assert list(found.interactions.values()) == pytest.approx([0.0] * math.comb(count, 2), abs=ROUNDING)


@pytest.mark.parametrize("count", range(2, 6))
def test_interaction_is_grabisch_and_roubens_index(count: int) -> None:
    """The index equals its formula with factorials, for pairs in alphabetical order."""
    modalities = sorted(NAMES[:count])
    values = make_random_game(modalities, seed=count)
    expected = {}
    for i, j in combinations(modalities, 2):
        expected[i, j] = 0.0
        for s in list_subsets([m for m in modalities if m not in {i, j}]):
            weight = math.factorial(count - len(s) - 2) * math.factorial(len(s)) / math.factorial(count - 1)
            expected[i, j] += weight * (values[s | {i, j}] - values[s | {i}] - values[s | {j}] + values[s])
    assert shapley(values).interactions == pytest.approx(expected)


def test_interactions_of_complements_and_substitutes() -> None:
    """The index is 1 if the value needs both modalities, and -1 if either one is sufficient."""
    both = shapley(make_game(["audio", "text"], lambda s: float(len(s) == 2)))
    either = shapley(make_game(["audio", "text"], lambda s: float(len(s) > 0)))
    assert (both.values, both.interactions) == ({"audio": 0.5, "text": 0.5}, {("audio", "text"): 1.0})
    assert (either.values, either.interactions) == ({"audio": 0.5, "text": 0.5}, {("audio", "text"): -1.0})


def test_numbers_have_no_intervals() -> None:
    """A game of single numbers has neither intervals nor p-values."""
    found = shapley(make_random_game(["audio", "text"]))
    nothing = {"audio": None, "text": None}
    assert (found.ci_low, found.ci_high, found.p_values) == (nothing, nothing, nothing)
    assert (found.certain, found.differ, found.equal_p_value) == (None, None, None)
    assert (found.details, found.interaction_details) == (None, None)


def test_intervals_over_units_are_those_of_their_values() -> None:
    """Shapley values are computed per unit, and intervals are t intervals of these values."""
    values = make_random_game(NAMES[:3], 6)
    found = shapley(values, alpha=0.1)
    for m in NAMES[:3]:
        mean = mean_over_units(mean_over_orders(values, m, NAMES[:3]))
        assert found.values[m] == pytest.approx(mean.estimate)
        assert found.ci_low[m] == pytest.approx(mean.interval(0.9).low)
        assert found.ci_high[m] == pytest.approx(mean.interval(0.9).high)
        assert found.p_values[m] == pytest.approx(mean.p_value())
    assert found.details is not None
    assert found.details["audio"].people is None


def test_units_and_groups_have_crossed_intervals() -> None:
    """With groups, intervals use the crossed variance; those over units alone are in `details`."""
    values = make_random_game(NAMES[:3], 6, 21)
    found = shapley(values)
    by_order = mean_over_orders(values, "audio", NAMES[:3])
    people, retraining = mean_over_units_and_groups(by_order), mean_over_units(by_order.mean(1))
    assert found.details is not None
    assert found.ci_low["audio"] == pytest.approx(people.interval().low)
    assert found.ci_high["audio"] == pytest.approx(people.interval().high)
    assert found.p_values["audio"] == pytest.approx(people.p_value())
    assert found.details["audio"].retraining.standard_error == pytest.approx(retraining.standard_error)


def test_interactions_have_intervals_too() -> None:
    """For two modalities the index is v(both) - v(one) - v(other) + v(none), unit by unit."""
    values = make_random_game(["audio", "text"], 6)
    both, audio, text, none = (
        np.asarray(values[s]) for s in map(frozenset, (["audio", "text"], ["audio"], ["text"], []))
    )
    found = shapley(values).interaction_details
    assert found is not None
    expected = PairedDifference.from_differences(both - audio - text + none)
    assert found["audio", "text"].ci_low == pytest.approx(expected.ci_low)
    assert found["audio", "text"].p_value == pytest.approx(expected.p_value)


def test_order_is_certain_if_pairs_differ_after_holm() -> None:
    """Text has value 2, audio and video about 0: the first step of the order is certain, the second is not."""
    rng = np.random.default_rng(1)
    values = {s: 2.0 * ("text" in s) + rng.normal(0, 0.3, 8) for s in list_subsets(["audio", "text", "video"])}
    found = shapley(values)
    phi = {m: mean_over_orders(values, m, ["audio", "text", "video"]) for m in ("audio", "text", "video")}
    pairs = [("audio", "text"), ("audio", "video"), ("text", "video")]
    p_values = holm([paired_difference(phi[a], phi[b]).p_value for a, b in pairs])
    expected = [p for p in p_values if p is not None]
    assert found.differ == pytest.approx(dict(zip(pairs, expected, strict=True)))
    assert found.order[0] == "text"
    assert found.certain == (True, False)
    assert found.equal_p_value == pytest.approx(min(expected))


def test_equal_modalities_are_ordered_by_name() -> None:
    """Modalities with equal contributions have an uncertain order and p = 1 for equality."""
    found = shapley(make_game(["text", "audio", "video"], lambda s: float(len(s))))
    units = shapley({s: [len(s), len(s) + 0.5] for s in list_subsets(["text", "audio", "video"])})
    assert found.order == ("audio", "text", "video")
    assert found.asymmetry == pytest.approx(0.0, abs=ROUNDING)
    assert (units.certain, units.equal_p_value) == ((False, False), 1.0)


@pytest.mark.parametrize(
    ("worth", "expected"),
    [
        ((1.0, 0.0, 0.0), 1.0),
        ((1.0, 1.0, 1.0), 0.0),
        ((0.0, 0.0, 0.0), 0.0),
        ((1.0, -1.0, 0.0), 1.0),
        ((3.0, 2.0, 1.0), 1 / 3),
    ],
)
def test_asymmetry_lies_between_equality_and_one_having_all(worth: tuple[float, ...], expected: float) -> None:
    """The asymmetry is (max - min) / Σ |φ|."""
    value = dict(zip(NAMES, worth, strict=False))
    found = shapley(make_game(NAMES[:3], lambda s: sum(value[m] for m in s)))
    assert found.asymmetry == pytest.approx(expected, abs=ROUNDING)


def test_a_total_of_zero_has_no_shares() -> None:
    """Shares of a total of 0 are undefined and are None."""
    found = shapley(make_game(["audio", "text"], lambda s: 0.3))
    assert (found.total, found.shares) == (0.0, {"audio": None, "text": None})


def test_a_single_modality_gets_the_whole_value() -> None:
    """With a single modality there are no pairs to compare."""
    found = shapley({frozenset(): [0.0, 0.1, 0.2], frozenset({"text"}): [1.0, 1.3, 1.1]})
    assert found.values == {"text": pytest.approx(np.mean([1.0, 1.2, 0.9]))}
    assert (found.order, found.certain, found.differ, found.equal_p_value) == (("text",), (), {}, None)
    assert found.asymmetry == 0.0


@pytest.mark.parametrize("missing", [[], ["audio"], ["audio", "text"]])
def test_a_missing_subset_is_named(missing: list[str]) -> None:
    """A value is required for every subset, including the empty one; the error names the missing subset."""
    values = make_random_game(["audio", "text"])
    del values[frozenset(missing)]
    with pytest.raises(IncompleteGameError, match=f"the value of {{{', '.join(missing)}}} is missing"):
        shapley(values)


def test_a_subset_of_another_shape_is_named() -> None:
    """The error names the subset whose array has a different shape."""
    values = make_random_game(["audio", "text"], 5) | {frozenset({"text"}): np.zeros(4)}
    message = r"the values of \{text\} have shape \(4,\), those of \{\} \(5,\)"
    with pytest.raises(IncompleteGameError, match=message):
        shapley(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({frozenset(): 0.0}, "a game needs at least one modality"),
        ({}, "a game needs at least one modality"),
        ({frozenset(): 0.0, frozenset({"a"}): math.nan}, r"the values of \{a\} are not all finite numbers"),
        ({frozenset(): [0.0], frozenset({"a"}): [1.0]}, "the variation between units needs at least 2 units, not 1"),
        ({frozenset(): np.zeros((1, 1, 1)), frozenset({"a"}): np.zeros((1, 1, 1))}, r"not \(1, 1, 1\)"),
    ],
)
def test_an_invalid_game_raises_a_value_error(values: dict[Subset, ArrayLike], message: str) -> None:
    """No modality, a NaN, a single unit and too many axes are errors."""
    with pytest.raises(ValueError, match=message):
        shapley(values)


def test_subsets_are_frozensets() -> None:
    """A string as a key raises a TypeError because its letters could be taken for modalities."""
    with pytest.raises(TypeError, match="a subset must be a frozenset of names, not 'audio'"):
        shapley({"audio": 1.0, frozenset(): 0.0})  # type: ignore[dict-item]  # a string is no subset
