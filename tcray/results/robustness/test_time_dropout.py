"""Test-time dropout without new predictions: the expected metric of a run whose modalities are missing at random.

Each modality of each test example is missing independently with probability p. An example then meets pattern c, with k
of M modalities missing, with probability w = p^k (1 - p)^(M - k), and its prediction is the one stored for c.
Shape legend: P rates, C patterns, N test examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

RATES: tuple[float, ...] = tuple(tenths / 10 for tenths in range(11))


def pattern_probabilities(missing: Sequence[int], modalities: int, rates: Sequence[float] = RATES) -> Floats:
    """Return the probability (P, C) of each pattern at each rate.

    Args:
        missing: (C,) the number of missing modalities of each pattern.
        modalities: the number of modalities, M.
        rates: (P,) probabilities that a modality is missing.
    """
    rate, count = np.asarray(rates, np.float64)[:, None], np.asarray(missing)
    chance: Floats = rate**count * (1 - rate) ** (modalities - count)
    return chance


def expected_metric(metric: str, outputs: ArrayLike, label: ArrayLike, chance: Floats) -> Floats:
    """Return the expectation (P,) of a metric of `EXPECTED` at every rate.

    MAE and AUROC are exact expectations: a mean over examples, and a mean over pairs of a positive and a negative
    example with independent patterns. Weighted F1 is that of the expected confusion matrix, its limit for many
    examples.

    Args:
        metric: `mae`, `f1` or `auroc`.
        outputs: (C, N) predictions under each pattern: sentiments for `mae`, otherwise logits.
        label: (N,) sentiments, or 0 and 1.
        chance: (P, C) the patterns' probabilities at each rate.
    """
    return EXPECTED[metric](np.asarray(outputs, np.float64), np.asarray(label, np.float64), chance)


def _mae(outputs: Floats, label: Floats, chance: Floats) -> Floats:
    mean: Floats = chance @ np.abs(outputs - label).mean(1)
    return mean


def _f1(outputs: Floats, label: Floats, chance: Floats) -> Floats:
    """Return the F1 of both classes, 2 hits / (predicted + actual), weighted by the frequency of each class."""
    score = np.zeros(len(chance))
    for claimed, actual in ((outputs > 0, label > 0.5), (outputs <= 0, label <= 0.5)):
        hits, claims = chance @ (claimed & actual).sum(1), chance @ claimed.sum(1)
        support = actual.sum()
        total = claims + support
        score += np.divide(2 * hits, total, out=np.zeros_like(total), where=total > 0) * support / label.size
    return score


def _auroc(outputs: Floats, label: Floats, chance: Floats) -> Floats:
    """Return the probability that a positive scores above a negative, averaged over the patterns of both."""
    positive, negative = outputs[:, label > 0.5], np.sort(outputs[:, label <= 0.5], axis=1)
    if not positive.size or not negative.size:
        return np.full(len(chance), np.nan)
    below = np.stack([np.searchsorted(rivals, positive, "left") for rivals in negative], axis=1)
    reached = np.stack([np.searchsorted(rivals, positive, "right") for rivals in negative], axis=1)
    wins = (below + reached).mean(2) / 2 / negative.shape[1]
    auroc: Floats = np.einsum("pc,cd,pd->p", chance, wins, chance)
    return auroc


EXPECTED: Mapping[str, Callable[[Floats, Floats, Floats], Floats]] = {"mae": _mae, "f1": _f1, "auroc": _auroc}
"""The supported metrics, which are those of verdicts.

F1 is that of classification, with a positive logit for class 1.
"""
