"""Pseudo-values of every metric: what each group of test examples contributes to a unit's metric.

Every metric is a function of sums over examples, so that leaving a group out is a subtraction. The definitions are
those of `tcray.training.metrics`. Shape legend: U units, G test groups, N test examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tcray.config.metrics import METRICS, Task
from tcray.statistics.jackknife import Groups, WithAndWithout, jackknife_pseudovalues, leave_one_out_sums
from tcray.statistics.mean import Floats

CONSTANT = 1e-12
"""A sum of squares below this fraction of its value with all groups is rounding error."""

MetricFunction = Callable[[Groups, Floats, Floats], WithAndWithout]
"""From groups, predictions (U, N) and labels (N,) to the metric of all examples and without each group."""


def pseudovalues(metric: str, prediction: ArrayLike, label: ArrayLike, group: Sequence[str], *, task: Task) -> Floats:
    """Return the jackknife pseudo-values (U, G) of a metric; groups are in alphabetical order.

    The mean of each row is that unit's metric (see `tcray.statistics.jackknife`).

    Args:
        metric: a metric of the task, as listed in `tcray.config.metrics`.
        prediction: (U, N) sentiments for regression, logits for classification.
        label: (N,) sentiments, or 0 and 1.
        group: (N,) the name of each example's group.
        task: regression or classification.

    Raises:
        ValueError: if the task lacks the metric, if shapes do not fit, if there are fewer than two groups, or if the
            metric is undefined for a unit, with all groups or without one of them (for example without the group that
            has the only positive example). No number is substituted.
    """
    if metric not in METRICS or task not in METRICS[metric].tasks:
        raise ValueError(f"{task} has no metric {metric!r}")
    predicted, actual = np.asarray(prediction, np.float64), np.asarray(label, np.float64)
    if predicted.ndim != 2 or actual.shape != predicted.shape[1:] or len(group) != actual.size:
        shapes = f"prediction {predicted.shape}, label {actual.shape}, group ({len(group)},)"
        raise ValueError(f"expected prediction (units, examples), label and group (examples,); got {shapes}")
    groups = Groups.from_names(group)
    count = len(groups.names)
    if count < 2:
        raise ValueError(f"the variation between groups needs at least 2 groups, not {count}")
    with np.errstate(divide="ignore", invalid="ignore"):  # an undefined ratio is NaN, which is checked next
        whole, without = _METRICS[task, metric](groups, predicted[:, groups.order], actual[groups.order])
    _check_defined(metric, groups, whole, without)
    return jackknife_pseudovalues(whole, without)


def _check_defined(metric: str, groups: Groups, whole: Floats, without: Floats) -> None:
    """Raise a ValueError that names the first unit and group for which the metric is undefined."""
    for values, label in ((whole, ""), (without, " without group {!r}")):
        missing = np.argwhere(~np.isfinite(values))
        if missing.size:
            unit, group = missing[0]
            raise ValueError(f"{metric} of unit {unit} (from 0){label.format(groups.names[group])} is undefined")


def _mean(groups: Groups, values: NDArray[np.generic], counted: NDArray[np.bool_] | None = None) -> WithAndWithout:
    """Return the mean of values (U, N) over the examples that are `counted` (N,), or over all of them."""
    kept = np.ones(values.shape[-1], bool) if counted is None else counted
    numerator = leave_one_out_sums(groups.sum_by_group(np.where(kept, values, 0.0)))
    denominator = leave_one_out_sums(groups.sum_by_group(kept))
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
    size = leave_one_out_sums(groups.sum_by_group(counted))
    whole, without = np.zeros(()), np.zeros(())
    for of_class in (True, False):
        hits = leave_one_out_sums(groups.sum_by_group((predicted == of_class) & (actual == of_class) & counted))
        predictions = leave_one_out_sums(groups.sum_by_group((predicted == of_class) & counted))
        support = leave_one_out_sums(groups.sum_by_group((actual == of_class) & counted))
        whole, without = (
            score + 2 * h / np.maximum(c + s, 1) * s / n  # a class that is neither predicted nor present adds 0
            for score, h, c, s, n in zip((whole, without), hits, predictions, support, size, strict=True)
        )
    return whole, without


def _pearson(groups: Groups, prediction: Floats, label: Floats) -> WithAndWithout:
    a, b = _center(prediction), _center(label)  # large constants would otherwise cancel in the squares
    size = leave_one_out_sums(groups.sum_by_group(np.ones(label.size)))
    sum_a, sum_b = leave_one_out_sums(groups.sum_by_group(a)), leave_one_out_sums(groups.sum_by_group(b))
    squares_a, squares_b, products = (leave_one_out_sums(groups.sum_by_group(v)) for v in (a * a, b * b, a * b))

    def correlation(left: int) -> Floats:
        n = size[left]
        of_a = squares_a[left] - sum_a[left] ** 2 / n
        of_b = squares_b[left] - sum_b[left] ** 2 / n
        varies = (of_a > CONSTANT * squares_a[0]) & (of_b > CONSTANT * squares_b[0])
        r: Floats = np.where(varies, (products[left] - sum_a[left] * sum_b[left] / n) / np.sqrt(of_a * of_b), np.nan)
        return r

    return correlation(0), correlation(1)


def _center(values: Floats) -> Floats:
    shifted = values - values[..., :1]  # equal values are then centered to exactly 0
    centered: Floats = shifted - shifted.mean(-1, keepdims=True)
    return centered


def _auroc(groups: Groups, logit: Floats, label: Floats) -> WithAndWithout:
    """Return the AUROC from wins: pairs in which a positive scores above a negative, ties counting one half.

    The wins of an example against the other class are its midrank among all examples less its midrank in its own class
    (DeLong's placements, as computed by Sun & Xu 2014). Pairs within a group are counted in the same way, after
    ranking the scores group by group.
    """
    from scipy.stats import rankdata

    positive = label > 0.5
    of_group = np.repeat(np.arange(groups.starts.size), np.diff(groups.starts, append=label.size))
    rank = rankdata(logit, axis=1)
    grouped = rankdata(rank + of_group * (label.size + 1.0), axis=1) - groups.starts[of_group]
    among_own = np.empty_like(rank)
    among_own[:, positive] = rankdata(logit[:, positive], axis=1)
    among_own[:, ~positive] = rankdata(logit[:, ~positive], axis=1)

    p, n = groups.sum_by_group(positive), groups.sum_by_group(~positive)
    below = rank - among_own  # examples of the other class that score lower, ties counting one half
    wins = groups.sum_by_group(np.where(positive, below, 0.0))
    yielded = n * p.sum() - groups.sum_by_group(np.where(positive, 0.0, below))
    within = groups.sum_by_group(np.where(positive, grouped, 0.0)) - p * (p + 1) / 2
    total = wins.sum(1, keepdims=True)
    positives, negatives = leave_one_out_sums(p), leave_one_out_sums(n)
    whole = total / (positives[0] * negatives[0])
    return whole, (total - wins - yielded + within) / (positives[1] * negatives[1])


_METRICS: Mapping[tuple[Task, str], MetricFunction] = {
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
