"""Exact Shapley values of modalities over all subsets, and the interactions of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb

import numpy as np
from numpy.typing import ArrayLike

from tcray.statistics.mean import Floats
from tcray.statistics.multiplicity import holm
from tcray.statistics.paired import PairedDifference

Subset = frozenset[str]
Pair = tuple[str, str]


class IncompleteGameError(ValueError):
    """The value of a subset is missing, or its shape differs from the others."""


@dataclass(frozen=True, slots=True)
class Shapley:
    """Each modality's share of v(all) - v(none), with intervals, and tests of which shares differ.

    With groups, intervals and p-values are over retraining and people, as in `PairedDifference`; `details` contain
    both. If only numbers were given, intervals and p-values are None.
    """

    values: Mapping[str, float]
    """φ by modality, in the metric's units; they sum to `total`."""
    ci_low: Mapping[str, float | None]
    """Lower end of the two-sided 1 - alpha interval of φ, for each modality on its own."""
    ci_high: Mapping[str, float | None]
    p_values: Mapping[str, float | None]
    """Two-sided p-value of φ = 0, for each modality on its own."""
    total: float
    """v(all) - v(none)."""
    shares: Mapping[str, float | None]
    """φ / total; None if the total is 0."""
    interactions: Mapping[Pair, float]
    """By pair in alphabetical order: above 0 if two add more together than apart, below 0 if they overlap."""
    order: tuple[str, ...]
    """Modalities by φ, largest first; equal ones by name."""
    certain: tuple[bool, ...] | None
    """True for each modality in `order`, except the last, that is significantly above the next (Holm over pairs)."""
    differ: Mapping[Pair, float] | None
    """By pair in alphabetical order: p-value of equal φ, Holm-adjusted over all pairs."""
    equal_p_value: float | None
    """P-value of all φ being equal: the smallest of `differ`. None with one modality."""
    asymmetry: float
    """(max φ - min φ) / Σ |φ|, within [0, 1]: 0 for equal values, 1 if one modality has everything; 0 if all φ are 0.

    It has no interval: at equal values, the case of interest, it is at its bound, biased upward and not smooth, so
    neither the delta method nor the jackknife covers. `equal_p_value` tests whether it is above 0.
    """
    details: Mapping[str, PairedDifference] | None
    """φ by modality against 0, with standard errors, degrees of freedom, and means over units and over both."""
    interaction_details: Mapping[Pair, PairedDifference] | None
    """The interactions by pair against 0, in the same form."""


def shapley(values: Mapping[Subset, float | ArrayLike], *, alpha: float = 0.05) -> Shapley:
    """Return the exact Shapley values (Shapley 1953) of a game whose players are modalities, and pairwise interactions.

    φ_i is the mean, over orders of arrival, of the value that i adds on arrival; the interaction index of i and j is
    Grabisch & Roubens' (1999), I_ij = Σ_S s! (n - s - 2)! / (n - 1)! [v(S+ij) - v(S+i) - v(S+j) + v(S)], s the size of
    S. Both are linear in v, so each unit has its own, and their means over units have the intervals of means. A
    modality that adds nothing to any subset has exactly 0; two that add the same to each subset differ by exactly 0.

    Args:
        values: the value of every subset of modalities, including the empty one, larger being better: a number each, or
            an array over the same units (U,), or over units and groups (U, G).
        alpha: one minus the level of the intervals.

    Raises:
        IncompleteGameError: a ValueError that names the subset whose value is missing or has another shape.
        ValueError: for a game without modalities, for numbers that are not finite, and for fewer than two units or
            groups.
        TypeError: for a key that is not a frozenset.
    """
    for subset in values:
        if not isinstance(subset, frozenset):
            raise TypeError(f"a subset must be a frozenset of names, not {subset!r}")
    modalities = sorted(frozenset[str]().union(*values))
    game = _checked(values, modalities)
    phi = {m: _phi(game, modalities, m) for m in modalities}
    pairs = list(combinations(modalities, 2))
    interaction = {pair: _interaction(game, modalities, pair) for pair in pairs}

    details = differ = certain = interaction_details = None
    if game[frozenset()].ndim:
        details = {m: PairedDifference.from_differences(value, alpha=alpha) for m, value in phi.items()}
        interaction_details = {
            pair: PairedDifference.from_differences(value, alpha=alpha) for pair, value in interaction.items()
        }
        apart = [
            PairedDifference.from_differences(shapley_difference(game, modalities, pair), alpha=alpha).p_value
            for pair in pairs
        ]
        differ = {pair: p for pair, p in zip(pairs, holm(apart), strict=True) if p is not None}
    point = {m: details[m].estimate if details else float(phi[m]) for m in modalities}
    total = float((game[frozenset(modalities)] - game[frozenset()]).mean())
    magnitude = sum(map(abs, point.values()))
    order = tuple(sorted(modalities, key=lambda m: (-point[m], m)))
    if differ is not None:
        certain = tuple(differ[min(a, b), max(a, b)] <= alpha for a, b in pairwise(order))
    return Shapley(
        values=point,
        ci_low={m: details[m].ci_low if details else None for m in modalities},
        ci_high={m: details[m].ci_high if details else None for m in modalities},
        p_values={m: details[m].p_value if details else None for m in modalities},
        total=total,
        shares={m: point[m] / total if total else None for m in modalities},
        interactions={pair: float(value.mean()) for pair, value in interaction.items()},
        order=order,
        certain=certain,
        differ=differ,
        equal_p_value=min(differ.values()) if differ else None,
        asymmetry=(point[order[0]] - point[order[-1]]) / magnitude if magnitude else 0.0,
        details=details,
        interaction_details=interaction_details,
    )


def _checked(values: Mapping[Subset, float | ArrayLike], modalities: Sequence[str]) -> dict[Subset, Floats]:
    if not modalities:
        raise ValueError("a game needs at least one modality")
    game = {}
    for subset in _subsets(modalities):
        name = "{" + ", ".join(sorted(subset)) + "}"
        if subset not in values:
            raise IncompleteGameError(f"the value of {name} is missing: Shapley values need the value of every subset")
        game[subset] = np.asarray(values[subset], np.float64)
        shape = game[frozenset()].shape
        if game[subset].shape != shape:
            raise IncompleteGameError(f"the values of {name} have shape {game[subset].shape}, those of {{}} {shape}")
        if not np.isfinite(game[subset]).all():
            raise ValueError(f"the values of {name} are not all finite numbers")
    if game[frozenset()].ndim > 2:
        raise ValueError(f"a subset's values must be a number, (units,) or (units, groups), not {shape}")
    return game


def _subsets(modalities: Sequence[str]) -> Iterator[Subset]:
    """Return every subset, the smallest first."""
    return (frozenset(chosen) for size in range(len(modalities) + 1) for chosen in combinations(modalities, size))


def _weighted_rest(modalities: Sequence[str], left_out: Sequence[str]) -> Iterator[tuple[float, Subset]]:
    """Return the subsets S of the r remaining modalities with weights |S|! (r - |S|)! / (r + 1)!, which sum to 1."""
    rest = [m for m in modalities if m not in left_out]
    return ((1 / ((len(rest) + 1) * comb(len(rest), len(s))), s) for s in _subsets(rest))


def _phi(game: Mapping[Subset, Floats], modalities: Sequence[str], one: str) -> Floats:
    terms = [weight * (game[s | {one}] - game[s]) for weight, s in _weighted_rest(modalities, [one])]
    return np.asarray(np.sum(terms, axis=0))


def _interaction(game: Mapping[Subset, Floats], modalities: Sequence[str], pair: Pair) -> Floats:
    a, b = pair
    terms = [
        weight * ((game[s | {a, b}] - game[s | {a}]) - (game[s | {b}] - game[s]))
        for weight, s in _weighted_rest(modalities, pair)
    ]
    return np.asarray(np.sum(terms, axis=0))


def shapley_difference(game: Mapping[Subset, Floats], modalities: Sequence[str], pair: Pair) -> Floats:
    """Return φ_a - φ_b in the shape of v; exactly 0 if a and b are alike.

    φ_a - φ_b = Σ_S |S|! (n - |S| - 2)! / (n - 1)! [v(S+a) - v(S+b)]. The difference of two computed φ would leave
    rounding errors, and a p-value of nothing but these.
    """
    a, b = pair
    terms = [weight * (game[s | {a}] - game[s | {b}]) for weight, s in _weighted_rest(modalities, pair)]
    return np.asarray(np.sum(terms, axis=0))
