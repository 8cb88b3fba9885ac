"""Metrics of predictions, as defined in the literature.

Regression (CMU-MOSI, labels in [-3, 3]; Zadeh et al. 2017, Tsai et al. 2019): MAE, Pearson's r, seven-class accuracy of
the rounded sentiment, and two versions of binary accuracy and weighted F1: `acc2`, `f1` count a sentiment `>= 0` as
positive, `acc2_nonzero`, `f1_nonzero` leave neutral labels out and count `> 0` as positive.
Binary classification: accuracy and weighted F1 at probability one half (logit 0), and the area under the ROC curve.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcray.config.metrics import Task

Floats = NDArray[np.floating]
Booleans = NDArray[np.bool_]


def compute_metrics(task: Task, prediction: Floats, label: Floats) -> dict[str, float]:
    """Return every metric of `task` (see `tcray.config.metrics`); NaN if a metric is undefined.

    prediction  (N,) the sentiment for regression, the logit for classification
    label       (N,) the sentiment, or 0 and 1
    """
    prediction = np.asarray(prediction, np.float64)
    label = np.asarray(label, np.float64)
    with np.errstate(invalid="ignore"):  # a run that overflowed predicts infinities; its metrics come out as inf or NaN
        return _regression(prediction, label) if task == "regression" else _classification(prediction, label)


def mean_loss(task: Task, prediction: Floats, label: Floats) -> float:
    """Return the mean task loss: L1 for regression, binary cross-entropy of the logit for classification."""
    prediction = np.asarray(prediction, np.float64)
    label = np.asarray(label, np.float64)
    if task == "regression":
        return float(np.abs(prediction - label).mean())
    return float((np.logaddexp(0.0, prediction) - label * prediction).mean())


def _regression(prediction: Floats, label: Floats) -> dict[str, float]:
    mae = mean_loss("regression", prediction, label)
    charged = label != 0
    seven = np.rint(np.clip(prediction, -3, 3)) == np.rint(np.clip(label, -3, 3))
    return {
        "loss": mae,
        "mae": mae,
        "r": pearson(prediction, label),
        "acc2": accuracy(prediction >= 0, label >= 0),
        "acc2_nonzero": accuracy(prediction[charged] > 0, label[charged] > 0),
        "f1": weighted_f1(prediction >= 0, label >= 0),
        "f1_nonzero": weighted_f1(prediction[charged] > 0, label[charged] > 0),
        "acc7": float(seven.mean()),
    }


def _classification(logit: Floats, label: Floats) -> dict[str, float]:
    predicted, actual = logit > 0, label > 0.5
    return {
        "loss": mean_loss("classification", logit, label),
        "accuracy": accuracy(predicted, actual),
        "f1": weighted_f1(predicted, actual),
        "auroc": auroc(logit, actual),
    }


def accuracy(predicted: Booleans, actual: Booleans) -> float:
    """Return the fraction of agreements; NaN for empty input."""
    return float((predicted == actual).mean()) if actual.size else float("nan")


def weighted_f1(predicted: Booleans, actual: Booleans) -> float:
    """Return the mean of both classes' F1, weighted by how often each class occurs; NaN for empty input."""
    if not actual.size:
        return float("nan")
    score = 0.0
    for of_class in (True, False):
        hits = float(((predicted == of_class) & (actual == of_class)).sum())
        claims, support = float((predicted == of_class).sum()), float((actual == of_class).sum())
        f1 = 2 * hits / (claims + support) if claims + support else 0.0
        score += f1 * support / actual.size
    return score


def pearson(prediction: Floats, label: Floats) -> float:
    """Return Pearson's correlation; NaN if either side is constant."""
    a, b = prediction - prediction.mean(), label - label.mean()
    scale = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / scale) if scale > 0 else float("nan")


def auroc(score: Floats, actual: Booleans) -> float:
    """Return the probability that a positive scores above a negative; ties count one half; NaN for a single class."""
    positives = int(actual.sum())
    negatives = actual.size - positives
    if not positives or not negatives:
        return float("nan")
    ordered = np.sort(score)
    midrank = (np.searchsorted(ordered, score, "left") + np.searchsorted(ordered, score, "right") + 1) / 2
    return float((midrank[actual].sum() - positives * (positives + 1) / 2) / (positives * negatives))
