"""The rows that a fusion has to beat: a constant, a linear model on all modalities, and one on the best modality alone.

All see the same standardised features, the same train rows and the same validation rows as the runs they stand beneath.
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
"""L2 penalties on the summed loss of standardised columns, strongest first; validation chooses one for all folds."""


class SplitArrays(NamedTuple):
    """Arrays of one fold whose first axis is its train, validation or test examples."""

    train: Doubles
    valid: Doubles
    test: Doubles


@dataclass(frozen=True)
class Fold:
    """One fold's standardised features, modality to (n, d), and its labels, (n,)."""

    features: Mapping[str, SplitArrays]
    labels: SplitArrays

    def columns(self, modalities: Sequence[str]) -> SplitArrays:
        """The columns of `modalities` beside one another, (n, Σd)."""
        return SplitArrays(
            *(np.hstack(part) for part in zip(*(self.features[name] for name in modalities), strict=True))
        )


@dataclass(frozen=True)
class BaselineFit:
    """Predictions on validation and test, pooled over folds: scores for regression, logits for classification."""

    valid: Doubles
    test: Doubles
    valid_loss: float


def fit_baselines(dataset: MultimodalDataset) -> list[dict[str, Any]]:
    """Three rows in the order of this module's caption, each `{"name": …, "metrics": {"valid.mae": …, "test.mae": …}}`.

    The constant is the train median, or the logit of the train share of positives; the linear model is ridge or
    L2-penalised logistic regression. Penalty and best modality are those of least validation loss.
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
    return [{"name": name, "metrics": _metrics(task, folds, fit)} for name, fit in fits.items()]


def standardized_folds(dataset: MultimodalDataset) -> tuple[Fold, ...]:
    """The folds of a dataset, each standardised by its own train rows."""
    features = {name: tensor.numpy() for name, tensor in standardize_features(dataset).items()}
    labels = dataset.labels.numpy()
    folds = []
    for number, split in enumerate(dataset.splits):
        rows = [part.numpy() for part in (split.train, split.valid, split.test)]
        folds.append(
            Fold(
                {
                    name: SplitArrays(*(matrix[number, part].astype(np.float64) for part in rows))
                    for name, matrix in features.items()
                },
                SplitArrays(*(labels[part].astype(np.float64) for part in rows)),
            )
        )
    return tuple(folds)


def fit_constant(task: Task, folds: Sequence[Fold]) -> BaselineFit:
    """The constant that is best on each fold's train labels."""
    predictions = [
        [np.full(part.size, _constant(task, fold.labels.train)) for part in (fold.labels.valid, fold.labels.test)]
        for fold in folds
    ]
    valid, test = (np.concatenate(part) for part in zip(*predictions, strict=True))
    return BaselineFit(valid, test, mean_loss(task, valid, _labels(folds).valid))


def fit_linear(task: Task, folds: Sequence[Fold], modalities: Sequence[str]) -> BaselineFit:
    """Ridge or logistic regression on `modalities`, at the penalty that is best on validation over all folds."""
    solve = ridge_path if task == "regression" else logistic_path
    predictions = []
    for fold in folds:
        columns = fold.columns(modalities)
        axes = PrincipalAxes.from_columns(columns.train)
        path = solve(axes, fold.labels.train)
        predictions.append([axes.predict(part, *path) for part in (columns.valid, columns.test)])
    valid, test = (np.concatenate(part, axis=1) for part in zip(*predictions, strict=True))
    losses = [mean_loss(task, at_penalty, _labels(folds).valid) for at_penalty in valid]
    best = int(np.argmin(losses))
    return BaselineFit(valid[best], test[best], losses[best])


@dataclass(frozen=True)
class PrincipalAxes:
    """Coordinates in which the columns of a design matrix X are uncorrelated, and an L2 penalty is what it was.

    centre   (d,) the means of the columns
    axes     (d, q) orthonormal, spanning the centred rows; a penalised solution has no part outside them
    scores   (n, q) the centred rows along the axes
    squares  (q,) the sum of squares of each column of `scores`
    """

    centre: Doubles
    axes: Doubles
    scores: Doubles
    squares: Doubles

    @classmethod
    def from_columns(cls, columns: Doubles) -> PrincipalAxes:
        """The principal axes of `columns`, (n, d), by way of the smaller of its two Gram matrices."""
        rows, width = columns.shape
        centre = columns.mean(axis=0)
        centred = columns - centre
        squares, vectors = np.linalg.eigh(centred.T @ centred if width <= rows else centred @ centred.T)
        kept = squares > squares[-1] * max(rows, width) * np.finfo(np.float64).eps
        squares, vectors = squares[kept], vectors[:, kept]
        axes = vectors if width <= rows else centred.T @ (vectors / np.sqrt(squares))
        return cls(centre, axes, centred @ axes, squares)

    def predict(self, columns: Doubles, weights: Doubles, intercepts: Doubles) -> Doubles:
        """Predictions (L, n) for `columns`, (n, d), of weights (L, q) along the axes, intercepts (L,) at the centre."""
        return weights @ ((columns - self.centre) @ self.axes).T + intercepts[:, None]


def ridge_path(axes: PrincipalAxes, labels: Doubles) -> tuple[Doubles, Doubles]:
    """Weights (L, q) and intercepts (L,) at each of `PENALTIES`: argmin |y - b - Xw|² + penalty · |w|²."""
    mean = labels.mean()
    target = axes.scores.T @ (labels - mean)
    weights = np.stack([target / (axes.squares + penalty) for penalty in PENALTIES])
    return weights, np.full(len(PENALTIES), mean)


def logistic_path(axes: PrincipalAxes, labels: Doubles) -> tuple[Doubles, Doubles]:
    """Weights (L, q) and intercepts (L,) at each of `PENALTIES`: argmin Σ BCE(b + Xw, y) + penalty/2 · |w|², by L-BFGS.

    The curvature along an axis is at most squares/4 + penalty, along the intercept n/4: in units of their roots the
    problem is nearly round, and L-BFGS needs few steps.
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
    """Σ BCE(Xp, y) + ½ Σ penalty · p², and its gradient."""
    logit = design @ point
    value = np.logaddexp(0, logit).sum() - labels @ logit + (penalties * point) @ point / 2
    return float(value), (expit(logit) - labels) @ design + penalties * point


def _constant(task: Task, labels: Doubles) -> float:
    if task == "regression":
        return float(np.median(labels))
    share = labels.mean()
    return float(np.log(share / (1 - share)))


def _labels(folds: Sequence[Fold]) -> SplitArrays:
    return SplitArrays(*(np.concatenate(part) for part in zip(*(fold.labels for fold in folds), strict=True)))


def _metrics(task: Task, folds: Sequence[Fold], fit: BaselineFit) -> dict[str, float]:
    labels = _labels(folds)
    parts = {"valid": (fit.valid, labels.valid), "test": (fit.test, labels.test)}
    return {
        f"{part}.{metric}": value
        for part, (prediction, label) in parts.items()
        for metric, value in compute_metrics(task, prediction, label).items()
    }
