"""Test-time dropout as a mixture over patterns of missing modalities."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tcray.config.metrics import Task
from tcray.results.robustness.test_time_dropout import RATES, expected_metric, pattern_probabilities
from tcray.training.metrics import compute_metrics


def test_pattern_probabilities_sum_to_one() -> None:
    """At every rate the probabilities of nothing, either or both of two modalities missing sum to 1."""
    chance = pattern_probabilities([0, 1, 1, 2], 2)
    assert chance.shape == (len(RATES), 4)
    assert chance.sum(1) == pytest.approx(np.ones(len(RATES)))


def test_modalities_are_dropped_independently() -> None:
    """At a rate of 0.2 only the first of two modalities is missing with probability 0.2 · 0.8."""
    assert pattern_probabilities([0, 1, 1, 2], 2, [0.2]) == pytest.approx(np.array([[0.64, 0.16, 0.16, 0.04]]))


@pytest.mark.parametrize("metric", ["mae", "auroc"])
@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_the_expectation_is_exact(metric: str, rate: float) -> None:
    """MAE and AUROC equal the means over every assignment of the four patterns to four examples."""
    draws = np.random.default_rng(3)
    outputs, chance = draws.normal(size=(4, 4)).round(1), pattern_probabilities([0, 1, 1, 2], 2, [rate])
    label = np.array([1.0, 0.0, 1.0, 0.0])
    task: Task = "regression" if metric == "mae" else "classification"
    mean = 0.0
    for met in product(range(4), repeat=4):
        met_outputs = outputs[list(met), range(4)]
        mean += chance[0, list(met)].prod() * compute_metrics(task, met_outputs, label)[metric]
    assert expected_metric(metric, outputs, label, chance) == pytest.approx([mean])


def test_weighted_f1_is_its_limit_for_many_examples() -> None:
    """The weighted F1 of the expected confusion matrix equals the simulated mean to 0.001 at 2,000 examples."""
    draws = np.random.default_rng(5)
    label = (draws.random(2000) < 0.3).astype(float)
    outputs = draws.normal(size=(4, 2000)) + np.array([[2.0], [1.0], [0.5], [0.0]]) * (label - 0.4)
    chance = pattern_probabilities([0, 1, 1, 2], 2, [0.4])
    simulated = []
    for _ in range(200):
        met = draws.choice(4, size=2000, p=chance[0])
        simulated.append(compute_metrics("classification", outputs[met, np.arange(2000)], label)["f1"])
    assert expected_metric("f1", outputs, label, chance) == pytest.approx([np.mean(simulated)], abs=0.002)


@pytest.mark.parametrize(
    ("metric", "task"), [("mae", "regression"), ("f1", "classification"), ("auroc", "classification")]
)
def test_rates_of_zero_and_one_are_clean_and_all_missing(metric: str, task: Task) -> None:
    """At rate 0 the metric is that of clean data; at rate 1 it is that of all modalities missing."""
    draws = np.random.default_rng(7)
    outputs, label = draws.normal(size=(2, 30)), (draws.random(30) < 0.5).astype(float)
    ends = [compute_metrics(task, outputs[k], label)[metric] for k in (0, 1)]
    assert expected_metric(metric, outputs, label, pattern_probabilities([0, 1], 1, [0.0, 1.0])) == pytest.approx(ends)
