"""What each group of people contributes to a unit's metric: the delete-one-group jackknife's pseudo-values.

A metric of a whole test split, be it a ratio or a correlation, becomes one number a unit and group, whose mean over
groups is the unit's metric and whose spread tells how far other groups would have moved it (Tukey 1958; Miller 1974).
Everything is a function of sums, so that leaving a group out is a subtraction; definitions are those of
`tcray.training.metrics`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tcray.config.metrics import METRICS, Task
from tcray.statistics.mean import Floats

CONSTANT = 1e-12
"""A sum of squares below this fraction of what it was before a group was left out is rounding."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Which of N examples, brought into the order of their groups, belong to which of G groups."""

    names: tuple[str, ...]
    order: NDArray[np.intp]
    """(N,) the examples, group by group."""
    starts: NDArray[np.intp]
    """(G,) where each group begins in that order."""

    @classmethod
    def of(cls, group: Sequence[str]) -> Groups:
        """The groups of examples, by name in alphabetical order."""
        names, index = np.unique(np.asarray(group, dtype=str), return_inverse=True)
        order = np.argsort(index, kind="stable")
        return cls(tuple(map(str, names)), order, np.searchsorted(index[order], np.arange(names.size)))

    def sums(self, values: NDArray[np.generic]) -> Floats:
        """The sums (..., G) over each group's examples of values (..., N) in the groups' order."""
        total: Floats = np.add.reduceat(values.astype(np.float64), self.starts, axis=-1)
        return total


WithAndWithout = tuple[Floats, Floats]
"""A metric of everything (U, 1), and without each group (U, G); NaN where it is undefined."""
Metric = Callable[[Groups, Floats, Floats], WithAndWithout]


def pseudovalues(metric: str, prediction: ArrayLike, label: ArrayLike, group: Sequence[str], *, task: Task) -> Floats:
    """The pseudo-values (U, G) of a metric, a row's mean being that unit's metric; groups in alphabetical order.

    metric      one that `tcray.config.metrics` says the task has
    prediction  (U, N) sentiments for regression, logits for classification
    label       (N,) sentiments, or 0 and 1
    group       (N,) the name of each example's group

    They are G T - (G - 1) T_g, with T_g the metric without group g, moved by a constant so that their mean is T: groups
    of unequal size bend that mean by the jackknife's estimate of bias, and it is T that is reported.

    Raises ValueError for a metric the task lacks, for shapes that do not fit, for fewer than two groups, and where the
    metric is undefined for a unit, with every group or without one (the last positive's, the only one whose predictions
    vary): no number stands in for it.
    """
    if metric not in METRICS or task not in METRICS[metric].tasks:
        raise ValueError(f"{task} has no metric {metric!r}")
    predicted, actual = np.asarray(prediction, np.float64), np.asarray(label, np.float64)
    if predicted.ndim != 2 or actual.shape != predicted.shape[1:] or len(group) != actual.size:
        shapes = f"prediction {predicted.shape}, label {actual.shape}, group ({len(group)},)"
        raise ValueError(f"shapes are prediction (units, examples), label and group (examples,); these are {shapes}")
    groups = Groups.of(group)
    count = len(groups.names)
    if count < 2:
        raise ValueError(f"what other groups would have given cannot be told from {count}: at least 2 are needed")
    with np.errstate(divide="ignore", invalid="ignore"):  # an undefined ratio is NaN, which is looked for next
        whole, without = _METRICS[task, metric](groups, predicted[:, groups.order], actual[groups.order])
    _check_defined(metric, groups, whole, without)
    # G T - (G - 1) T_g, less the mean over g, plus T
    pseudo: Floats = whole - (count - 1) * (without - without.mean(1, keepdims=True))
    return pseudo


def _check_defined(metric: str, groups: Groups, whole: Floats, without: Floats) -> None:
    for values, label in ((whole, ""), (without, " without group {!r}")):
        missing = np.argwhere(~np.isfinite(values))
        if missing.size:
            unit, group = missing[0]
            raise ValueError(f"{metric} of unit {unit} (from 0){label.format(groups.names[group])} is undefined")


def _leave_out(sums: Floats) -> WithAndWithout:
    """The totals (..., 1), and what remains of them (..., G) without each group, of groups' sums (..., G)."""
    total = sums.sum(-1, keepdims=True)
    return total, total - sums


def _mean(groups: Groups, values: NDArray[np.generic], counted: NDArray[np.bool_] | None = None) -> WithAndWithout:
    """The mean of values (U, N) over the examples counted (N,), or all of them."""
    kept = np.ones(values.shape[-1], bool) if counted is None else counted
    numerator = _leave_out(groups.sums(np.where(kept, values, 0.0)))
    denominator = _leave_out(groups.sums(kept))
    return numerator[0] / denominator[0], numerator[1] / denominator[1]


def _mae(groups: Groups, prediction: Floats, label: Floats) -> WithAndWithout:
    return _mean(groups, np.abs(prediction - label))


def _cross_entropy(groups: Groups, logit: Floats, label: Floats) -> WithAndWithout:
    return _mean(groups, np.logaddexp(0.0, logit) - label * logit)


def _acc2(groups: Groups, prediction: Floats, label: Floats) -> WithAndWithout:
    return _mean(groups, (prediction >= 0) == (label >= 0))


def _acc2_nonzero(groups: Groups, prediction: Floats, label: Floats) -> WithAndWithout:
    return _mean(groups, (prediction > 0) == (label > 0), counted=label != 0)


def _acc7(groups: Groups, prediction: Floats, label: Floats) -> WithAndWithout:
    return _mean(groups, np.rint(np.clip(prediction, -3, 3)) == np.rint(np.clip(label, -3, 3)))


def _accuracy(groups: Groups, logit: Floats, label: Floats) -> WithAndWithout:
    return _mean(groups, (logit > 0) == (label > 0.5))


def _f1(groups: Groups, prediction: Floats, label: Floats) -> WithAndWithout:
    return _weighted_f1(groups, prediction >= 0, label >= 0, np.ones(label.size, bool))


def _f1_nonzero(groups: Groups, prediction: Floats, label: Floats) -> WithAndWithout:
    return _weighted_f1(groups, prediction > 0, label > 0, label != 0)


def _f1_of_logits(groups: Groups, logit: Floats, label: Floats) -> WithAndWithout:
    return _weighted_f1(groups, logit > 0, label > 0.5, np.ones(label.size, bool))


def _weighted_f1(
    groups: Groups, predicted: NDArray[np.bool_], actual: NDArray[np.bool_], counted: NDArray[np.bool_]
) -> WithAndWithout:
    size = _leave_out(groups.sums(counted))
    whole, without = np.zeros(()), np.zeros(())
    for of_class in (True, False):
        hits = _leave_out(groups.sums((predicted == of_class) & (actual == of_class) & counted))
        claims = _leave_out(groups.sums((predicted == of_class) & counted))
        support = _leave_out(groups.sums((actual == of_class) & counted))
        whole, without = (
            score + 2 * h / np.maximum(c + s, 1) * s / n  # a class neither claimed nor there adds nothing
            for score, h, c, s, n in zip((whole, without), hits, claims, support, size, strict=True)
        )
    return whole, without


def _pearson(groups: Groups, prediction: Floats, label: Floats) -> WithAndWithout:
    a, b = _centred(prediction), _centred(label)  # or the squares would cancel
    size = _leave_out(groups.sums(np.ones(label.size)))
    sum_a, sum_b = _leave_out(groups.sums(a)), _leave_out(groups.sums(b))
    squares_a, squares_b, products = (_leave_out(groups.sums(values)) for values in (a * a, b * b, a * b))

    def correlation(left: int) -> Floats:
        n = size[left]
        of_a = squares_a[left] - sum_a[left] ** 2 / n
        of_b = squares_b[left] - sum_b[left] ** 2 / n
        varies = (of_a > CONSTANT * squares_a[0]) & (of_b > CONSTANT * squares_b[0])
        r: Floats = np.where(varies, (products[left] - sum_a[left] * sum_b[left] / n) / np.sqrt(of_a * of_b), np.nan)
        return r

    return correlation(0), correlation(1)


def _centred(values: Floats) -> Floats:
    shifted = values - values[..., :1]  # so that equal values are centred to exactly nothing
    centred: Floats = shifted - shifted.mean(-1, keepdims=True)
    return centred


def _auroc(groups: Groups, logit: Floats, label: Floats) -> WithAndWithout:
    """Wins are pairs in which a positive scores above a negative, ties counting one half.

    An example's wins against the other class are its midrank among all less that in its own class (Sun & Xu 2014, of
    DeLong's placements); pairs within a group are counted so too, after ranking the scores group by group.
    """
    from scipy.stats import rankdata

    positive = label > 0.5
    of_group = np.repeat(np.arange(groups.starts.size), np.diff(groups.starts, append=label.size))
    rank = rankdata(logit, axis=1)
    grouped = rankdata(rank + of_group * (label.size + 1.0), axis=1) - groups.starts[of_group]
    among_own = np.empty_like(rank)
    among_own[:, positive] = rankdata(logit[:, positive], axis=1)
    among_own[:, ~positive] = rankdata(logit[:, ~positive], axis=1)

    p, n = groups.sums(positive), groups.sums(~positive)
    below = rank - among_own  # of the other class, ties counting one half
    wins = groups.sums(np.where(positive, below, 0.0))
    yielded = n * p.sum() - groups.sums(np.where(positive, 0.0, below))
    within = groups.sums(np.where(positive, grouped, 0.0)) - p * (p + 1) / 2
    total = wins.sum(1, keepdims=True)
    positives, negatives = _leave_out(p), _leave_out(n)
    whole = total / (positives[0] * negatives[0])
    return whole, (total - wins - yielded + within) / (positives[1] * negatives[1])


_METRICS: Mapping[tuple[Task, str], Metric] = {
    ("regression", "loss"): _mae,
    ("regression", "mae"): _mae,
    ("regression", "r"): _pearson,
    ("regression", "acc2"): _acc2,
    ("regression", "acc2_nonzero"): _acc2_nonzero,
    ("regression", "f1"): _f1,
    ("regression", "f1_nonzero"): _f1_nonzero,
    ("regression", "acc7"): _acc7,
    ("classification", "loss"): _cross_entropy,
    ("classification", "accuracy"): _accuracy,
    ("classification", "f1"): _f1_of_logits,
    ("classification", "auroc"): _auroc,
}
