"""Metrics agree with examples counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tcray.config.metrics import Task, list_metrics
from tcray.training.metrics import accuracy, auroc, compute_metrics, mean_loss, pearson, weighted_f1

PREDICTION = np.array([2.6, -0.2, 0.0, -3.7, 1.0])
SENTIMENT = np.array([3.0, 0.4, 0.0, -3.0, -1.0])


def test_regression_by_hand() -> None:
    """Five sentiments, one of them neutral, give the metrics counted by hand."""
    expected = {
        "loss": 3.7 / 5,
        "mae": 3.7 / 5,
        "r": float(np.corrcoef(PREDICTION, SENTIMENT)[0, 1]),
        "acc2": 3 / 5,  # + - + - + against + + + - -
        "acc2_nonzero": 2 / 4,  # + - - + against + + - -
        "f1": (3 * (2 / 3) + 2 * (1 / 2)) / 5,  # precision and recall 2/3 of three positives, 1/2 of two negatives
        "f1_nonzero": 1 / 2,
        "acc7": 4 / 5,
    }
    assert compute_metrics("regression", PREDICTION, SENTIMENT) == pytest.approx(expected)


def test_classification_by_hand() -> None:
    """Four logits, one of them 0 and therefore negative, give the metrics counted by hand."""
    logits, labels = np.array([2.0, -1.0, 0.0, 0.5]), np.array([1, 0, 1, 0])
    each = [math.log1p(math.exp(-2)), math.log1p(math.exp(-1)), math.log(2), math.log1p(math.exp(0.5))]
    expected = {"loss": sum(each) / 4, "accuracy": 2 / 4, "f1": 1 / 2, "auroc": 3 / 4}
    assert compute_metrics("classification", logits, labels) == pytest.approx(expected)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_task_has_the_metrics_its_table_says(task: Task) -> None:
    """The names are those of `tcray.config.metrics`."""
    found = compute_metrics(task, np.array([1.0, -1.0]), np.array([1.0, 0.0]))
    assert {metric.name for metric in list_metrics(task)} == found.keys()


def test_seven_classes_are_rounded_half_to_even_and_clipped() -> None:
    """½ rounds to 0, 1½ and 2½ to 2; values beyond ±3 count as ±3."""
    prediction = np.array([0.5, 1.5, 2.5, -0.5, 3.4, -9.0, 2.4])
    label = np.array([0.0, 2.0, 2.0, 0.0, 3.0, -3.0, 3.0])
    assert compute_metrics("regression", prediction, label)["acc7"] == 6 / 7


def test_auroc_counts_pairs_and_ties_half() -> None:
    """AUROC equals the count over all pairs of a positive and a negative, with many ties."""
    generator = np.random.default_rng(0)
    for _ in range(20):
        score, actual = generator.integers(0, 6, 25).astype(float), generator.random(25) < 0.4
        pairs = [(p > n) + (p == n) / 2 for p in score[actual] for n in score[~actual]]
        assert auroc(score, actual) == pytest.approx(sum(pairs) / len(pairs))


def test_weighted_f1_weighs_classes_by_their_support() -> None:
    """A class that is never predicted has F1 0; one that does not occur has no weight."""
    true = np.ones(4, bool)
    assert weighted_f1(true, np.array([True, True, True, False])) == pytest.approx(3 / 4 * (2 * 3 / 7))
    assert weighted_f1(true, true) == 1.0
    assert weighted_f1(~true, true) == 0.0


def test_undefined_metrics_are_nan() -> None:
    """A correlation with a constant, an AUROC of one class, and metrics of no examples are NaN."""
    constant, neutral = np.full(3, 0.3), np.zeros(3)
    assert math.isnan(pearson(constant, np.array([1.0, 2.0, 3.0])))
    assert math.isnan(pearson(np.array([1.0, 2.0, 3.0]), constant))
    assert math.isnan(auroc(np.array([1.0, 2.0, 3.0]), np.ones(3, bool)))
    found = compute_metrics("regression", np.array([1.0, -1.0, 2.0]), neutral)
    assert [name for name, value in found.items() if math.isnan(value)] == ["r", "acc2_nonzero", "f1_nonzero"]
    assert math.isnan(accuracy(np.zeros(0, bool), np.zeros(0, bool)))


def test_a_perfect_and_a_reversed_prediction() -> None:
    """r and AUROC are 1 for the label itself, and -1 and 0 for its opposite."""
    label = np.array([-2.0, -1.0, 1.0, 2.5])
    assert (pearson(3 * label + 1, label), pearson(-label, label)) == pytest.approx((1, -1))
    assert (auroc(label, label > 0), auroc(-label, label > 0)) == (1.0, 0.0)


def test_cross_entropy_does_not_overflow() -> None:
    """The loss of a confident wrong logit is its size, that of a right one 0."""
    assert mean_loss("classification", np.array([1000.0, 1000.0]), np.array([0, 1])) == 500.0


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_infinite_predictions_give_no_warning(task: Task) -> None:
    """Infinite predictions give an infinite or undefined loss without a warning."""
    found = compute_metrics(task, np.array([np.inf, -np.inf, 1.0]), np.array([1.0, 0.0, 0.0]))
    assert not math.isfinite(found["loss"])
