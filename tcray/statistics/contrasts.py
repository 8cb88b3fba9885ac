"""Contrasts between the levels of a factor, and how far they may be off: over retraining, and over people too.

Shapes: units U (independent repeats), levels L, groups G of test examples, contrasts C; leading axes `...` hold
simulated sweeps, so that what is calibrated is what is used.

A contrast (weights over levels that sum to zero) has, from U units, a variance of its own, valid whatever the noise,
on too few degrees of freedom to be of use with five units; and one pieced together from the levels' variances, with
many, valid where levels are independent. The estimate here leans on the first as units allow:

- levels: residuals within units, unbiased for the centring, each level's variance shrunk to the mean over levels
  with four prior units of weight, so that noise that grows with the level is followed;
- contrast: its own variance, shrunk to what its levels' variances say with six prior units of weight, so that noise
  that is alike on neighbouring levels is followed.

Over units and groups, Var = V_unit + V_group - V_residual, at least the larger of the first two. Degrees of freedom are
Satterthwaite's throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVEL_PRIOR_UNITS = 4.0
"""Units' weight of the mean over levels in a level's variance."""

CONTRAST_PRIOR_UNITS = 6.0
"""Units' weight of the levels' variances in a contrast's variance."""


@dataclass(frozen=True, slots=True)
class ContrastEstimates:
    """Contrasts as estimated: `estimate`, its `variance` and the variance's degrees of freedom `df`, each (..., C)."""

    estimate: Floats
    variance: Floats
    df: Floats

    def z(self, null: Floats | float = 0.0) -> Floats:
        """The normal deviate (..., C) of estimate - `null`: Student's t made normal (Wallace 1959, eq. 4.4)."""
        t = (self.estimate - null) / np.sqrt(self.variance)
        return np.asarray(
            np.sign(t) * (8 * self.df + 1) / (8 * self.df + 3) * np.sqrt(self.df * np.log1p(t * t / self.df))
        )


@dataclass(frozen=True, slots=True)
class SampleMoments:
    """Values of levels by unit, as far as contrasts need them.

    `mean` (..., L); `covariance` of levels over units (..., L, L); `units` U. With groups, the covariance over groups
    of levels' means, `between_groups`, and that of what units and groups leave, `within` (both (..., L, L)).
    """

    mean: Floats
    covariance: Floats
    units: int
    between_groups: Floats | None = None
    within: Floats | None = None
    groups: int = 0

    @classmethod
    def from_values(cls, values: Floats) -> Self:
        """From values (..., U, L)."""
        mean = values.mean(axis=-2)
        return cls(mean, _covariance(values - mean[..., None, :], values.shape[-2] - 1), values.shape[-2])

    @classmethod
    def from_crossed(cls, values: Floats) -> Self:
        """From values (..., U, L, G): every unit measured on every group."""
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
        """The variance (...) of one unit at one level, the unit's own level taken out: the mean over levels."""
        levels = self.mean.shape[-1]
        trace = np.trace(self.covariance, axis1=-2, axis2=-1)
        return np.asarray((trace - self.covariance.sum(axis=(-2, -1)) / levels) / (levels - 1))

    def level_variances(self) -> Floats:
        """Residual variances (..., L) of single levels, freed of the bias that centring units brings; none negative."""
        levels = self.mean.shape[-1]
        rows = self.covariance.mean(axis=-1)
        diagonal = np.diagonal(self.covariance, axis1=-2, axis2=-1)
        centred = diagonal - 2 * rows + rows.mean(axis=-1, keepdims=True)
        unbiased = (centred - self.residual_variance[..., None] / levels) / (1 - 2 / levels)
        return np.asarray(np.maximum(unbiased, 0.0))

    def over_units(self, weights: Floats) -> ContrastEstimates:
        """Contrasts by `weights` (C, L), with what another training of every unit could change."""
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
        """Contrasts by `weights` (C, L), with what other people in the test set could change as well."""
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
    """Unit-norm contrasts (C, L) that rise to each place where the best may lie, and as many that fall from it.

    A place is a run of inner levels, from one to all. Weights rise by equal steps from the first level to the run and
    stay; from the run to the last level they fall by equal steps.
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
    """Weights less their mean, of unit norm."""
    centred = weights - weights.mean()
    return np.asarray(centred / np.linalg.norm(centred))


def _covariance(deviations: Floats, df: int) -> Floats:
    """Products of deviations (..., n, L), summed over n and divided by `df`."""
    return np.asarray(np.swapaxes(deviations, -1, -2) @ deviations / df)


def _quadratic(covariance: Floats, weights: Floats) -> Floats:
    """The variance (..., C) that `covariance` (..., L, L) gives to contrasts by `weights` (C, L)."""
    products = (weights[:, :, None] * weights[:, None, :]).reshape(len(weights), -1)
    return np.asarray(np.maximum(covariance.reshape(*covariance.shape[:-2], -1) @ products.T, 0.0))
