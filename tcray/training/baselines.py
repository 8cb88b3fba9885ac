"""Baselines for every dataset: a constant, a linear model on all modalities, and one on the best single modality.

All of them use the same standardized features, train rows and validation rows as the runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from tcray.config.metrics import Task
from tcray.data.dataset import MultimodalDataset, standardize_features
from tcray.training.metrics import compute_metrics, mean_loss

Doubles = NDArray[np.float64]

PENALTIES: tuple[float, ...] = tuple(float(p) for p in 10 ** np.arange(5, 0.5, -0.5))
"""L2 penalties on the summed loss of standardized columns, strongest first; validation selects one for all folds."""


class SplitArrays(NamedTuple):
    """Arrays of one fold whose first axis is its train, validation or test examples."""

    train: Doubles
    valid: Doubles
    test: Doubles


@dataclass(frozen=True)
class FoldArrays:
    """The standardized features of one fold, modality to (n, d), and its labels, (n,)."""

    features: Mapping[str, SplitArrays]
    labels: SplitArrays

    def columns(self, modalities: Sequence[str]) -> SplitArrays:
        """Return the columns of `modalities` side by side, (n, Σd)."""
        return SplitArrays(
            *(np.hstack(part) for part in zip(*(self.features[name] for name in modalities), strict=True))
        )


@dataclass(frozen=True)
class BaselineFit:
    """Predictions on validation and test, concatenated over folds: scores for regression, logits for classification."""

    valid: Doubles
    test: Doubles
    valid_loss: float


def fit_baselines(dataset: MultimodalDataset) -> list[dict[str, Any]]:
    """Return three baselines, each `{"name": …, "metrics": {"valid.mae": …, "test.mae": …}}`.

    In this order: the constant (the train median, or the logit of the train share of positives); ridge or L2-penalized
    logistic regression on all modalities; the same on the best modality. Penalty and modality minimize validation loss.
    """
    task = dataset.card.task
    folds = standardized_folds(dataset)
    constant, linear = ("median", "ridge") if task == "regression" else ("majority", "logistic")
    singles = {name: fit_linear(task, folds, (name,)) for name in dataset.features}
    best = min(singles, key=lambda name: singles[name].valid_loss)
    fits = {
        constant: fit_constant(task, folds),
        f"{linear}: all": fit_linear(task, folds, tuple(dataset.features)),
        f"best single: {best}": singles[best],
    }
    return [{"name": name, "metrics": _score_fit(task, folds, fit)} for name, fit in fits.items()]


def standardized_folds(dataset: MultimodalDataset) -> tuple[FoldArrays, ...]:
    """Return the folds of a dataset, each standardized by its own train rows."""
    features = {name: tensor.numpy() for name, tensor in standardize_features(dataset).items()}
    labels = dataset.labels.numpy()
    folds = []
    for number, split in enumerate(dataset.splits):
        rows = [part.numpy() for part in (split.train, split.valid, split.test)]
        folds.append(
            FoldArrays(
                {
                    name: SplitArrays(*(matrix[number, part].astype(np.float64) for part in rows))
                    for name, matrix in features.items()
                },
                SplitArrays(*(labels[part].astype(np.float64) for part in rows)),
            )
        )
    return tuple(folds)


def fit_constant(task: Task, folds: Sequence[FoldArrays]) -> BaselineFit:
    """Fit the constant that is best on each fold's train labels."""
    predictions = [
        [np.full(part.size, _constant(task, fold.labels.train)) for part in (fold.labels.valid, fold.labels.test)]
        for fold in folds
    ]
    valid, test = (np.concatenate(part) for part in zip(*predictions, strict=True))
    return BaselineFit(valid, test, mean_loss(task, valid, _join_labels(folds).valid))


def fit_linear(task: Task, folds: Sequence[FoldArrays], modalities: Sequence[str]) -> BaselineFit:
    """Fit ridge or logistic regression on `modalities` with the penalty that is best on validation over all folds."""
    solve = ridge_path if task == "regression" else logistic_path
    predictions = []
    for fold in folds:
        columns = fold.columns(modalities)
        axes = PrincipalAxes.from_columns(columns.train)
        path = solve(axes, fold.labels.train)
        predictions.append([axes.predict(part, *path) for part in (columns.valid, columns.test)])
    valid, test = (np.concatenate(part, axis=1) for part in zip(*predictions, strict=True))
    losses = [mean_loss(task, at_penalty, _join_labels(folds).valid) for at_penalty in valid]
    best = int(np.argmin(losses))
    return BaselineFit(valid[best], test[best], losses[best])


@dataclass(frozen=True)
class PrincipalAxes:
    """Coordinates that decorrelate the columns of a design matrix and leave an L2 penalty unchanged.

    center   (d,) the means of the columns
    axes     (d, q) orthonormal, spanning the centered rows; a penalized solution has no component outside them
    scores   (n, q) the centered rows along the axes
    squares  (q,) the sum of squares of each column of `scores`
    """

    center: Doubles
    axes: Doubles
    scores: Doubles
    squares: Doubles

    @classmethod
    def from_columns(cls, columns: Doubles) -> PrincipalAxes:
        """Return the principal axes of `columns`, (n, d), from the smaller of its two Gram matrices."""
        rows, width = columns.shape
        center = columns.mean(axis=0)
        centered = columns - center
        squares, vectors = np.linalg.eigh(centered.T @ centered if width <= rows else centered @ centered.T)
        kept = squares > squares[-1] * max(rows, width) * np.finfo(np.float64).eps
        squares, vectors = squares[kept], vectors[:, kept]
        axes = vectors if width <= rows else centered.T @ (vectors / np.sqrt(squares))
        return cls(center, axes, centered @ axes, squares)

    def predict(self, columns: Doubles, weights: Doubles, intercepts: Doubles) -> Doubles:
        """Return predictions (L, n) for `columns`, (n, d).

        weights     (L, q) along the axes
        intercepts  (L,) at the center
        """
        return weights @ ((columns - self.center) @ self.axes).T + intercepts[:, None]


def ridge_path(axes: PrincipalAxes, labels: Doubles) -> tuple[Doubles, Doubles]:
    """Return weights (L, q) and intercepts (L,) at each of `PENALTIES`: argmin |y - b - Xw|² + penalty · |w|²."""
    mean = labels.mean()
    target = axes.scores.T @ (labels - mean)
    weights = np.stack([target / (axes.squares + penalty) for penalty in PENALTIES])
    return weights, np.full(len(PENALTIES), mean)


def logistic_path(axes: PrincipalAxes, labels: Doubles) -> tuple[Doubles, Doubles]:
    """Return weights (L, q) and intercepts (L,) at each of `PENALTIES`: argmin Σ BCE(b + Xw, y) + penalty/2 · |w|².

    Solved by L-BFGS. The curvature along an axis is at most squares/4 + penalty, along the intercept n/4: in units of
    their square roots the problem is well conditioned, and L-BFGS needs few steps.
    """
    design = np.column_stack([axes.scores, np.ones(labels.size)])
    curvature = np.append(axes.squares, labels.size) / 4
    point = np.append(np.zeros(axes.squares.size), _constant("classification", labels))
    path = []
    for strength in PENALTIES:
        penalties = np.append(np.full(axes.squares.size, strength), 0.0)
        unit = 1 / np.sqrt(curvature + penalties)
        problem = (design * unit, labels, penalties * unit**2)
        point = unit * minimize(_logistic, point / unit, problem, "L-BFGS-B", jac=True).x
        path.append(point)
    points = np.stack(path)
    return points[:, :-1], points[:, -1]


def _logistic(point: Doubles, design: Doubles, labels: Doubles, penalties: Doubles) -> tuple[float, Doubles]:
    """Return Σ BCE(Xp, y) + ½ Σ penalty · p² and its gradient."""
    logit = design @ point
    value = np.logaddexp(0, logit).sum() - labels @ logit + (penalties * point) @ point / 2
    return float(value), (expit(logit) - labels) @ design + penalties * point


def _constant(task: Task, labels: Doubles) -> float:
    if task == "regression":
        return float(np.median(labels))
    share = labels.mean()
    return float(np.log(share / (1 - share)))


def _join_labels(folds: Sequence[FoldArrays]) -> SplitArrays:
    return SplitArrays(*(np.concatenate(part) for part in zip(*(fold.labels for fold in folds), strict=True)))


def _score_fit(task: Task, folds: Sequence[FoldArrays], fit: BaselineFit) -> dict[str, float]:
    labels = _join_labels(folds)
    parts = {"valid": (fit.valid, labels.valid), "test": (fit.test, labels.test)}
    return {
        f"{part}.{metric}": value
        for part, (prediction, label) in parts.items()
        for metric, value in compute_metrics(task, prediction, label).items()
    }
