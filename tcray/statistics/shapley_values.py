"""What each modality is worth: exact Shapley values over all subsets, and the interactions of pairs."""

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
    """A game's value is missing for a subset, or not of the others' shape."""


@dataclass(frozen=True, slots=True)
class Shapley:
    """Each modality's share of v(all) - v(none), how far it may be off, and which shares differ.

    Where groups were given, intervals and p-values are over retraining and people, as those of `PairedDifference`;
    `details` hold both. Where only numbers were given there are none: their places hold None.
    """

    values: Mapping[str, float]
    """φ by modality, in the metric's units; they sum to `total`."""
    ci_low: Mapping[str, float | None]
    """Of the 1 - alpha interval of φ, two-sided; each modality's on its own."""
    ci_high: Mapping[str, float | None]
    p_values: Mapping[str, float | None]
    """That φ is 0, two-sided; each modality's on its own."""
    total: float
    """v(all) - v(none)."""
    shares: Mapping[str, float | None]
    """φ / total; None where the total is 0."""
    interactions: Mapping[Pair, float]
    """By pair in alphabetical order: above 0 where two are worth more together than apart, below where they overlap."""
    order: tuple[str, ...]
    """Modalities by φ, largest first, equal ones by name."""
    certain: tuple[bool, ...] | None
    """Whether each in `order` but the last is surely worth more than the next one (Holm over all pairs, at alpha)."""
    differ: Mapping[Pair, float] | None
    """By pair in alphabetical order: the p-value that both are worth the same, Holm-adjusted over all pairs."""
    equal_p_value: float | None
    """That all modalities are worth the same: the smallest of `differ`. None of one modality."""
    asymmetry: float
    """(max φ - min φ) / Σ |φ|, within [0, 1]: 0 of equal values, 1 where one modality has all; 0 where none has any.

    It has no interval: at equal values, the very case in question, it is at its bound, biased upward and not smooth, so
    neither the delta method nor the jackknife covers. `equal_p_value` says whether it is above 0.
    """
    details: Mapping[str, PairedDifference] | None
    """φ by modality, against 0, with standard errors, degrees of freedom, and the means over units and over both."""
    interaction_details: Mapping[Pair, PairedDifference] | None
    """The interactions by pair, against 0, likewise."""


def shapley(values: Mapping[Subset, float | ArrayLike], *, alpha: float = 0.05) -> Shapley:
    """The exact Shapley values (Shapley 1953) of the game whose players are modalities, and their pairs' interactions.

    values  what every subset of modalities is worth, the empty one included, larger being better: a number each, or an
            array over the same units (U,), or over units and groups (U, G)

    φ_i is the mean over orders of arrival of what i adds on arriving; the interaction index of i and j is Grabisch &
    Roubens' (1999), I_ij = Σ_S |S|! (n - |S| - 2)! / (n - 1)! [v(S+ij) - v(S+i) - v(S+j) + v(S)]. Both are linear in v,
    so that each unit has its own, and their means over units have the intervals of means. A modality that adds nothing
    to any subset is worth exactly 0, and two that add the same to each differ by exactly 0.

    Raises IncompleteGameError, a ValueError, naming the subset whose value is missing or of another shape; ValueError
    for a game without modalities, for numbers that are not finite, and for fewer than two units or groups; TypeError
    for a key that is not a frozenset.
    """
    for subset in values:
        if not isinstance(subset, frozenset):
            raise TypeError(f"a subset is a frozenset of names, and {subset!r} is not")
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
        raise ValueError("a game without modalities has nothing to share")
    game = {}
    for subset in _subsets(modalities):
        name = "{" + ", ".join(sorted(subset)) + "}"
        if subset not in values:
            raise IncompleteGameError(f"the value of {name} is missing: a Shapley value needs that of every subset")
        game[subset] = np.asarray(values[subset], np.float64)
        shape = game[frozenset()].shape
        if game[subset].shape != shape:
            raise IncompleteGameError(f"the values of {name} have shape {game[subset].shape}, those of {{}} {shape}")
        if not np.isfinite(game[subset]).all():
            raise ValueError(f"the values of {name} are not all finite numbers")
    if game[frozenset()].ndim > 2:
        raise ValueError(f"a subset's values are a number, (units,) or (units, groups), and these are {shape}")
    return game


def _subsets(modalities: Sequence[str]) -> Iterator[Subset]:
    """Every subset, the smallest first."""
    return (frozenset(chosen) for size in range(len(modalities) + 1) for chosen in combinations(modalities, size))


def _weighted_rest(modalities: Sequence[str], left_out: Sequence[str]) -> Iterator[tuple[float, Subset]]:
    """The subsets S of the r modalities not left out, and their weights |S|! (r - |S|)! / (r + 1)!, which sum to 1."""
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
    """φ_a - φ_b = Σ_S |S|! (n - |S| - 2)! / (n - 1)! [v(S+a) - v(S+b)], of the shape of v; 0 where a and b are alike.

    Subtracting one φ from the other would leave their rounding, and a p-value of nothing but that.
    """
    a, b = pair
    terms = [weight * (game[s | {a}] - game[s | {b}]) for weight, s in _weighted_rest(modalities, pair)]
    return np.asarray(np.sum(terms, axis=0))
