"""Baselines agree with closed forms and a plain optimizer."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.optimize import minimize

from tcray.config.metrics import Task
from tcray.data.catalog import find_source
from tcray.data.dataset import to_dataset
from tcray.data.loading import READERS
from tcray.data.recipe import read_recipe
from tcray.data.twins import generate_twin
from tcray.training.baselines import (
    PENALTIES,
    FoldArrays,
    PrincipalAxes,
    SplitArrays,
    fit_baselines,
    fit_constant,
    fit_linear,
    logistic_path,
    ridge_path,
    standardized_folds,
)
from tcray.training.metrics import compute_metrics
from tests.data.conftest import REAL_DATA, real_data
from tests.factories import make_dataset

CHANCE = np.random.default_rng(0)


def columns(rows: int, width: int) -> np.ndarray:
    """Return correlated columns that are not centered, of which the last two are equal."""
    mixed = CHANCE.normal(size=(rows, width)) @ CHANCE.normal(size=(width, width)) / np.sqrt(width) + 0.3
    mixed[:, -1] = mixed[:, -2]
    return mixed


@pytest.mark.parametrize("width", [7, 60])
def test_ridge_is_its_closed_form(width: int) -> None:
    """Ridge equals (X'X + penalty I)⁻¹ X'y on centered data, with more rows than columns and with fewer."""
    train, other = columns(40, width), columns(9, width)
    labels = CHANCE.normal(2.0, 1.0, 40)
    axes = PrincipalAxes.from_columns(train)
    predicted = axes.predict(other, *ridge_path(axes, labels))
    centered = train - train.mean(axis=0)
    for i, penalty in enumerate(PENALTIES):
        weights = np.linalg.solve(
            centered.T @ centered + penalty * np.eye(width), centered.T @ (labels - labels.mean())
        )
        expected = (other - train.mean(axis=0)) @ weights + labels.mean()
        np.testing.assert_allclose(predicted[i], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("width", [7, 60])
def test_logistic_regression_is_at_its_minimum(width: int) -> None:
    """The gradient of the penalized loss is zero, with an intercept that is not penalized."""
    train = columns(40, width)
    labels = (train[:, 0] + CHANCE.normal(size=40) > 0.5).astype(np.float64)
    axes = PrincipalAxes.from_columns(train)
    weights, intercepts = logistic_path(axes, labels)
    for i, penalty in enumerate(PENALTIES):
        residual = 1 / (1 + np.exp(-axes.predict(train, weights, intercepts)[i])) - labels
        gradient = (train - axes.center).T @ residual + penalty * (axes.axes @ weights[i])
        np.testing.assert_allclose(gradient, 0, atol=2e-2)
        np.testing.assert_allclose(residual.sum(), 0, atol=2e-2)


def test_logistic_regression_agrees_with_a_plain_optimiser() -> None:
    """A plain optimizer finds the same solution on the raw columns."""
    train = columns(50, 4)
    labels = (train[:, 0] > 0.3).astype(np.float64)
    axes = PrincipalAxes.from_columns(train)
    predicted = axes.predict(train, *logistic_path(axes, labels))[-1]

    def objective(point: np.ndarray) -> float:
        logit = train @ point[:-1] + point[-1]
        return float((np.logaddexp(0, logit) - labels * logit).sum() + PENALTIES[-1] / 2 * (point[:-1] ** 2).sum())

    plain = minimize(objective, np.zeros(5), tol=1e-10).x
    np.testing.assert_allclose(predicted, train @ plain[:-1] + plain[-1], atol=1e-3)


def test_columns_that_are_all_constant_predict_the_constant() -> None:
    """Constant columns predict the constant."""
    axes = PrincipalAxes.from_columns(np.zeros((6, 3)))
    labels = np.array([1.0, 2, 3, 4, 5, 9])
    np.testing.assert_array_equal(axes.predict(np.zeros((2, 3)), *ridge_path(axes, labels)), 4.0)
    assert logistic_path(axes, (labels > 4).astype(np.float64))[0].shape == (len(PENALTIES), 0)


def fold(labels: list[list[float]]) -> FoldArrays:
    """Return a fold with these labels and one feature that equals them."""
    parts = SplitArrays(*(np.array(part, np.float64) for part in labels))
    return FoldArrays({"text": SplitArrays(*(part[:, None] for part in parts))}, parts)


def test_the_constant_of_a_regression_is_the_train_median() -> None:
    """Each fold predicts its own train median; predictions are concatenated."""
    fit = fit_constant("regression", [fold([[1, 2, 9], [0], [0, 0]]), fold([[-1], [1], [3]])])
    assert (fit.valid.tolist(), fit.test.tolist(), fit.valid_loss) == ([2, -1], [2, 2, -1], 2)


def test_the_constant_of_a_classification_is_the_logit_of_the_train_share() -> None:
    """If three of four train labels are positive, the constant is the logit of ¾."""
    fit = fit_constant("classification", [fold([[1, 1, 1, 0], [1], [0]])])
    np.testing.assert_allclose(fit.test, [np.log(3)])
    np.testing.assert_allclose(fit.valid_loss, np.log(4 / 3))


def test_the_penalty_is_that_of_least_validation_loss() -> None:
    """If validation agrees with train, the weakest penalty is chosen; if it contradicts train, the strongest."""
    train = np.linspace(-1, 1, 50).tolist()
    assert fit_linear("regression", [fold([train, train, train])], ["text"]).valid_loss < 0.2
    contrary = fold([train, train, train])
    contrary = replace(
        contrary, labels=SplitArrays(contrary.labels.train, -contrary.labels.valid, contrary.labels.test)
    )
    slope = np.ptp(fit_linear("regression", [contrary], ["text"]).test)
    assert slope == pytest.approx(2 / (1 + PENALTIES[0] / np.square(train).sum()))


def test_one_penalty_serves_all_folds() -> None:
    """Two folds that prefer opposite penalties share one."""
    train = np.linspace(-1, 1, 50).tolist()
    agreeing = fold([train, train, train])
    contrary = replace(
        agreeing, labels=SplitArrays(agreeing.labels.train, -agreeing.labels.valid, agreeing.labels.test)
    )
    test = fit_linear("regression", [agreeing, contrary, contrary], ["text"]).test.reshape(3, 50)
    np.testing.assert_allclose(test[0], test[1])


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("regression", ["median", "ridge: all", "best single: text"]),
        ("classification", ["majority", "logistic: all", "best single: text"]),
    ],
)
def test_there_are_three_baselines(task: Task, names: list[str]) -> None:
    """There are three baselines with every metric of the task; the planted label depends mostly on text."""
    rows = fit_baselines(make_dataset(task=task))
    assert [row["name"] for row in rows] == names
    expected = compute_metrics(task, np.zeros(2), np.array([0.0, 1.0]))
    for row in rows:
        assert row["metrics"].keys() == {f"{part}.{metric}" for part in ("valid", "test") for metric in expected}
    assert rows[1]["metrics"]["test.loss"] < rows[0]["metrics"]["test.loss"]


def test_folds_are_pooled() -> None:
    """Metrics are computed on all test predictions together, each from the model of its fold."""
    dataset = make_dataset(folds=3)
    folds = standardized_folds(dataset)
    fit = fit_linear("regression", folds, tuple(dataset.features))
    label = np.concatenate([dataset.labels[split.test].numpy() for split in dataset.splits])
    assert fit.test.size == label.size == len(dataset.ids)
    row = fit_baselines(dataset)[1]
    assert row["metrics"]["test.mae"] == pytest.approx(np.abs(fit.test - label).mean())


def test_test_labels_are_not_used() -> None:
    """Other test labels change neither the predictions nor the best modality."""
    dataset = make_dataset()
    spoilt = replace(dataset, labels=dataset.labels.clone())
    spoilt.labels[dataset.splits[0].test] = 3.0
    before, after = (fit_linear("regression", standardized_folds(d), tuple(d.features)) for d in (dataset, spoilt))
    np.testing.assert_array_equal(before.test, after.test)
    assert [row["name"] for row in fit_baselines(dataset)] == [row["name"] for row in fit_baselines(spoilt)]


@pytest.mark.parametrize(("name", "width"), [("mosi", 100), ("mustard", 2048), ("hateful_memes", 64)])
def test_a_twin_has_room_above_a_constant_and_below_perfection(name: str, width: int) -> None:
    """On a twin the linear baseline beats the constant and one modality, and is not perfect."""
    recipe = read_recipe(name)
    narrowed = {modality: replace(view, width=min(view.width, width)) for modality, view in recipe.modalities.items()}
    examples = generate_twin(replace(recipe, modalities=narrowed)).examples
    rows = fit_baselines(to_dataset(examples.card("twin", recipe.fingerprint), examples))
    constant, linear, single = (row["metrics"] for row in rows)
    assert linear["test.loss"] < min(constant["test.loss"], single["test.loss"])
    assert linear.get("test.r", 0) < 0.9
    assert linear.get("test.accuracy", 0) < 0.9


@cache
def _real(name: str) -> dict[str, dict[str, float]]:
    source = find_source(name)
    examples = next(e for e in READERS[source](REAL_DATA / source) if e.name == name)
    rows = fit_baselines(to_dataset(examples.card("real", examples.digest), examples))
    return {row["name"]: row["metrics"] for row in rows}


@real_data
def test_real_mosi_baselines_match_earlier_measurements() -> None:
    """On another split by video, ridge had MAE .947 and acc-2 .749, text alone .963, the median 1.331."""
    rows = _real("mosi")
    assert rows["ridge: all"]["test.mae"] == pytest.approx(0.947, abs=0.05)
    assert rows["ridge: all"]["test.acc2"] == pytest.approx(0.749, abs=0.05)
    assert rows["best single: text"]["test.mae"] == pytest.approx(0.963, abs=0.05)
    assert rows["median"]["test.mae"] == pytest.approx(1.331, abs=0.1)


@real_data
def test_the_held_out_videos_are_predicted_about_as_well() -> None:
    """Without the leak nothing is lost: train and test are alike, though train is a third as large."""
    rows = _real("mosi-heldout")
    assert rows["ridge: all"]["test.mae"] == pytest.approx(0.95, abs=0.05)


@real_data
def test_real_mustard_is_hard() -> None:
    """In the paper, text alone had a weighted F1 of .60 with an SVM and new speakers; mean GloVe has .48 here."""
    rows = _real("mustard")
    assert 0.45 < rows["logistic: all"]["test.f1"] < 0.6
