"""The mean over units, or over units crossed with groups of people, and how far it may be off."""

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
    """An estimated mean whose error, divided by `standard_error`, has Student's t with `df` degrees of freedom."""

    estimate: float
    standard_error: float
    df: float

    def interval(self, level: float = 0.95) -> Interval:
        """The two-sided interval that covers the true mean in a fraction `level` of repetitions."""
        half = self.half_width(level)
        return Interval(self.estimate - half, self.estimate + half)

    def half_width(self, level: float = 0.95) -> float:
        """How far that interval reaches to either side."""
        if not 0 < level < 1:
            raise ValueError(f"an interval's level lies between 0 and 1, and {level!r} does not")
        from scipy.special import stdtrit

        return float(stdtrit(self.df, (1 + level) / 2)) * self.standard_error

    def p_value(self, null: float = 0.0, side: Side = "two-sided") -> float:
        """The chance, were the true mean `null`, of an estimate at least as far off it to the side named.

        Without a standard error the estimate is taken at its word: 0 where it lies off `null` to that side, else 1.
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
    """The mean over exchangeable units, with Student's t on one degree of freedom fewer than there are units.

    values  (U,) one number a unit

    Raises ValueError for fewer than two units, and for one that is not a finite number.
    """
    known = finite(values, axes=1)
    deviation = known - known[0]  # from the first, so that equal units differ by exactly nothing
    error = math.sqrt(float(deviation.var(ddof=1)) / known.size)
    return Mean(float(known[0] + deviation.mean()), error, float(known.size - 1))


def mean_over_units_and_groups(values: ArrayLike) -> Mean:
    """The mean over units crossed with groups, off by what other units and other groups would have given.

    values  (U, G) one number a unit and group

    Raises ValueError for fewer than two units or groups, and for a value that is not a finite number.
    """
    known = finite(values, axes=2)
    variance, df = crossed_variance(known)
    deviation = known - known[0, 0]
    return Mean(float(known[0, 0] + deviation.mean()), math.sqrt(float(variance)), float(df))


def crossed_variance(values: Floats) -> tuple[Floats, Floats]:
    """The variance of the grand mean of units crossed with groups, and its degrees of freedom; each of shape (...).

    values  (..., U, G), at least two of each

    With random effects of unit and group and one value a cell, the mean squares of rows, columns and what is left, each
    divided by U G, are V_unit, V_group and V_residual, and V_unit + V_group - V_residual estimates the variance of the
    grand mean (Cornfield & Tukey 1956; the two-way clustering of Cameron, Gelbach & Miller 2011). Where an effect's
    estimated variance is negative it is taken for 0, which leaves the larger of V_unit and V_group with its own degrees
    of freedom. Else they are Satterthwaite's (1946), but no fewer than those of the scarcer factor: only the
    subtraction could bring them lower. Without any variance they are U - 1.
    """
    units, groups = values.shape[-2:]
    shifted = values - values[..., :1, :1]  # so that equal values have exactly no variance
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
    """`values` as an array of `axes` axes, units and then groups, two or more along each, every number finite.

    Raises ValueError that tells what does not hold, and for which unit.
    """
    known = np.asarray(values, np.float64)
    if known.ndim != axes:
        shape = ("units,", "units, groups")[axes - 1]
        raise ValueError(f"values have shape ({shape}), and these have {known.shape}")
    for name, count in zip(("units", "groups"), known.shape, strict=False):
        if count < 2:
            raise ValueError(f"how {name} vary cannot be told from {count}: at least 2 are needed")
    if not np.isfinite(known).all():
        unit = int(np.argwhere(~np.isfinite(known))[0, 0])
        raise ValueError(f"the values of unit {unit} (from 0) are not all finite numbers")
    return known
