"""Contrasts between the levels of a factor, with variances over retraining and over people.

Shapes: units U (independent repeats), levels L, groups G of test examples, contrasts C; leading axes `...` hold
simulated sweeps, so that calibration runs the same code as an analysis.

From U units a contrast (weights over levels that sum to zero) has two variances: its own, which is valid for any noise
but has too few degrees of freedom with five units; and one composed of the levels' variances, with many degrees of
freedom, which is valid if levels are independent. The estimate here weights them by the number of units:

- levels: residuals within units, corrected for the bias of centering; each level's variance is shrunk to the mean over
  levels with a weight of four prior units, so that noise that grows with the level is followed;
- contrast: its own variance, shrunk to the one composed of its levels' variances with a weight of six prior units, so
  that noise that is correlated between neighboring levels is followed.

Over units and groups, Var = V_unit + V_group - V_residual, and at least the larger of the first two. Degrees of freedom
are Satterthwaite's throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVEL_PRIOR_UNITS = 4.0
"""Weight, in units, of the mean over levels in a level's variance."""

CONTRAST_PRIOR_UNITS = 6.0
"""Weight, in units, of the levels' variances in a contrast's variance."""


@dataclass(frozen=True, slots=True)
class ContrastEstimates:
    """Estimated contrasts: `estimate`, its `variance` and the variance's degrees of freedom `df`, each (..., C)."""

    estimate: Floats
    variance: Floats
    df: Floats

    def z(self, null: Floats | float = 0.0) -> Floats:
        """Return the normal deviate (..., C) of estimate - `null`: Student's t made normal (Wallace 1959, eq. 4.4)."""
        t = (self.estimate - null) / np.sqrt(self.variance)
        return np.asarray(
            np.sign(t) * (8 * self.df + 1) / (8 * self.df + 3) * np.sqrt(self.df * np.log1p(t * t / self.df))
        )


@dataclass(frozen=True, slots=True)
class SampleMoments:
    """Means and covariances of the levels over units, as needed for contrasts.

    `mean` (..., L); `covariance` of levels over units (..., L, L); `units` U. With groups also `between_groups`, the
    covariance of levels' means over groups, and `within`, that of the residuals of units and groups (both (..., L, L)).
    """

    mean: Floats
    covariance: Floats
    units: int
    between_groups: Floats | None = None
    within: Floats | None = None
    groups: int = 0

    @classmethod
    def from_values(cls, values: Floats) -> Self:
        """Return the moments of values (..., U, L)."""
        mean = values.mean(axis=-2)
        return cls(mean, _covariance(values - mean[..., None, :], values.shape[-2] - 1), values.shape[-2])

    @classmethod
    def from_crossed(cls, values: Floats) -> Self:
        """Return the moments of values (..., U, L, G), with every unit measured on every group."""
        units, groups = values.shape[-3], values.shape[-1]
        by_unit = values.mean(axis=-1)
        mean = by_unit.mean(axis=-2)
        unit = by_unit - mean[..., None, :]
        by_group = np.swapaxes(values.mean(axis=-3), -1, -2)
        group = by_group - mean[..., None, :]
        rest = np.swapaxes(values, -1, -2) - mean[..., None, None, :] - unit[..., :, None, :] - group[..., None, :, :]
        rest = rest.reshape(*rest.shape[:-3], units * groups, rest.shape[-1])
        return cls(
            mean,
            _covariance(unit, units - 1),
            units,
            _covariance(group, groups - 1),
            _covariance(rest, (units - 1) * (groups - 1)),
            groups,
        )

    @property
    def residual_variance(self) -> Floats:
        """The variance (...) of one unit at one level around the unit's own mean, averaged over levels."""
        levels = self.mean.shape[-1]
        trace = np.trace(self.covariance, axis1=-2, axis2=-1)
        return np.asarray((trace - self.covariance.sum(axis=(-2, -1)) / levels) / (levels - 1))

    def level_variances(self) -> Floats:
        """Return residual variances (..., L) of single levels, corrected for the bias of centering units.

        None is negative.
        """
        levels = self.mean.shape[-1]
        rows = self.covariance.mean(axis=-1)
        diagonal = np.diagonal(self.covariance, axis1=-2, axis2=-1)
        centred = diagonal - 2 * rows + rows.mean(axis=-1, keepdims=True)
        unbiased = (centred - self.residual_variance[..., None] / levels) / (1 - 2 / levels)
        return np.asarray(np.maximum(unbiased, 0.0))

    def over_units(self, weights: Floats) -> ContrastEstimates:
        """Return the contrasts of `weights` (C, L), with variances over retraining every unit."""
        df = self.units - 1
        own = _quadratic(self.covariance, weights)
        by_level = self.level_variances()
        lean = df / (df + LEVEL_PRIOR_UNITS)
        squares = weights**2
        shares = lean * squares + (1 - lean) * squares.mean(axis=1, keepdims=True)
        pieced = by_level @ shares.T
        pieced_spread = (by_level**2) @ (shares**2).T / df
        lean = df / (df + CONTRAST_PRIOR_UNITS)
        variance = lean * own + (1 - lean) * pieced
        spread = (lean * own) ** 2 / df + (1 - lean) ** 2 * pieced_spread
        return ContrastEstimates(self.mean @ weights.T, variance / self.units, variance**2 / spread)

    def over_units_and_groups(self, weights: Floats) -> ContrastEstimates:
        """Return the contrasts of `weights` (C, L), with variances over retraining and over people in the test set."""
        assert self.between_groups is not None
        assert self.within is not None
        unit = self.over_units(weights)
        group = _quadratic(self.between_groups, weights) / self.groups
        rest = _quadratic(self.within, weights) / (self.units * self.groups)
        variance = np.maximum(unit.variance + group - rest, np.maximum(unit.variance, group))
        df, groups = self.units - 1, self.groups - 1
        spread = unit.variance**2 / unit.df + group**2 / groups + rest**2 / (df * groups)
        return ContrastEstimates(unit.estimate, variance, variance**2 / spread)


def rise_and_fall_contrasts(levels: int) -> tuple[Floats, Floats]:
    """Return unit-norm contrasts (C, L) that rise to each place of a possible optimum, and as many that fall from it.

    A place is a run of inner levels, from one to all. Weights rise by equal steps from the first level to the run and
    then stay constant; from the run to the last level they fall by equal steps.
    """
    rises, falls = [], []
    for first in range(1, levels - 1):
        for last in range(first, levels - 1):
            rise, fall = np.zeros(levels), np.zeros(levels)
            rise[: last + 1] = _centred(np.minimum(np.arange(last + 1.0), first))
            fall[first:] = _centred(np.minimum(np.arange(levels - first)[::-1], levels - 1.0 - last))
            rises.append(rise)
            falls.append(fall)
    return np.array(rises), np.array(falls)


def _centred(weights: Floats) -> Floats:
    """Return the weights minus their mean, with unit norm."""
    centred = weights - weights.mean()
    return np.asarray(centred / np.linalg.norm(centred))


def _covariance(deviations: Floats, df: int) -> Floats:
    """Return the products of deviations (..., n, L), summed over n and divided by `df`."""
    return np.asarray(np.swapaxes(deviations, -1, -2) @ deviations / df)


def _quadratic(covariance: Floats, weights: Floats) -> Floats:
    """Return the variance (..., C) of contrasts with `weights` (C, L) under `covariance` (..., L, L)."""
    products = (weights[:, :, None] * weights[:, None, :]).reshape(len(weights), -1)
    return np.asarray(np.maximum(covariance.reshape(*covariance.shape[:-2], -1) @ products.T, 0.0))
