"""The mean over units, or over units crossed with groups of people, with its standard error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Side = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True, slots=True)
class Interval:
    """The values from `low` to `high`, both included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Mean:
    """An estimated mean; its error over `standard_error` has Student's t distribution with `df` degrees of freedom."""

    estimate: float
    standard_error: float
    df: float

    def interval(self, level: float = 0.95) -> Interval:
        """Return the two-sided interval that covers the true mean in a fraction `level` of repetitions."""
        half = self.half_width(level)
        return Interval(self.estimate - half, self.estimate + half)

    def half_width(self, level: float = 0.95) -> float:
        """Return half the width of the two-sided interval at `level`."""
        if not 0 < level < 1:
            raise ValueError(f"the level of an interval must lie between 0 and 1, not {level!r}")
        from scipy.special import stdtrit

        return float(stdtrit(self.df, (1 + level) / 2)) * self.standard_error

    def p_value(self, null: float = 0.0, side: Side = "two-sided") -> float:
        """Return the probability, if the true mean is `null`, of an estimate at least as far from it on the given side.

        Without a standard error the p-value is 0 if the estimate lies off `null` on that side, and otherwise 1.
        """
        excess = self.estimate - null
        if side != "two-sided":
            excess = excess if side == "greater" else -excess
        if not self.standard_error:
            return float(excess == 0 if side == "two-sided" else excess <= 0)
        from scipy.special import stdtr

        if side == "two-sided":
            return float(2 * stdtr(self.df, -abs(excess) / self.standard_error))
        return float(stdtr(self.df, -excess / self.standard_error))


def mean_over_units(values: ArrayLike) -> Mean:
    """Return the mean over exchangeable units, with Student's t on U - 1 degrees of freedom.

    Args:
        values: (U,) one number per unit.

    Raises:
        ValueError: if there are fewer than two units, or if a value is not finite.
    """
    known = finite(values, axes=1)
    deviation = known - known[0]  # subtracting the first makes equal units differ by exactly 0
    error = math.sqrt(float(deviation.var(ddof=1)) / known.size)
    return Mean(float(known[0] + deviation.mean()), error, float(known.size - 1))


def mean_over_units_and_groups(values: ArrayLike) -> Mean:
    """Return the mean over units crossed with groups; its error covers other units and other groups.

    Args:
        values: (U, G) one number per unit and group.

    Raises:
        ValueError: if there are fewer than two units or groups, or if a value is not finite.
    """
    known = finite(values, axes=2)
    variance, df = crossed_variance(known)
    deviation = known - known[0, 0]
    return Mean(float(known[0, 0] + deviation.mean()), math.sqrt(float(variance)), float(df))


def crossed_variance(values: Floats) -> tuple[Floats, Floats]:
    """Return the variance of the grand mean of units crossed with groups, and its degrees of freedom, each (...).

    With random effects of unit and group and one value per cell, the mean squares of rows, columns and residuals, each
    divided by U G, are V_unit, V_group and V_residual, and V_unit + V_group - V_residual estimates the variance of the
    grand mean (Cornfield & Tukey 1956; the two-way clustering of Cameron, Gelbach & Miller 2011). If the estimated
    variance of an effect is negative it is set to 0, which leaves the larger of V_unit and V_group with its own degrees
    of freedom. Otherwise the degrees of freedom are Satterthwaite's (1946), but no fewer than those of the factor with
    fewer levels, because only the subtraction could make them smaller. Without any variance they are U - 1.

    Args:
        values: (..., U, G) with at least two units and two groups.
    """
    units, groups = values.shape[-2:]
    shifted = values - values[..., :1, :1]  # equal values then have a variance of exactly 0
    row, column = shifted.mean(-1, keepdims=True), shifted.mean(-2, keepdims=True)
    grand = row.mean(-2, keepdims=True)
    of_unit, of_group, of_residual = units - 1, groups - 1, (units - 1) * (groups - 1)
    v_unit = np.square(row - grand).sum((-2, -1)) / of_unit / units
    v_group = np.square(column - grand).sum((-2, -1)) / of_group / groups
    v_residual = np.square(shifted - row - column + grand).sum((-2, -1)) / of_residual / (units * groups)

    total, larger = v_unit + v_group - v_residual, np.maximum(v_unit, v_group)
    variance = np.maximum(total, larger)
    scale = np.where(variance > 0, variance, 1.0)  # ratios, not squares: small variances do not underflow
    satterthwaite = 1 / np.maximum(
        np.square(v_unit / scale) / of_unit
        + np.square(v_group / scale) / of_group
        + np.square(v_residual / scale) / of_residual,
        np.finfo(np.float64).tiny,
    )
    df = np.where(
        total > larger,
        np.maximum(satterthwaite, min(of_unit, of_group)),
        np.where(v_unit >= v_group, of_unit, of_group),
    )
    return variance, df.astype(np.float64)


def finite(values: ArrayLike, *, axes: int) -> Floats:
    """Return `values` as an array with `axes` axes (units, then groups), each of length two or more, all finite.

    Raises:
        ValueError: if this does not hold; the message names the first unit with a bad value.
    """
    known = np.asarray(values, np.float64)
    if known.ndim != axes:
        shape = ("units,", "units, groups")[axes - 1]
        raise ValueError(f"values must have shape ({shape}), not {known.shape}")
    for name, count in zip(("units", "groups"), known.shape, strict=False):
        if count < 2:
            raise ValueError(f"the variation between {name} needs at least 2 {name}, not {count}")
    if not np.isfinite(known).all():
        unit = int(np.argwhere(~np.isfinite(known))[0, 0])
        raise ValueError(f"the values of unit {unit} (from 0) are not all finite numbers")
    return known
