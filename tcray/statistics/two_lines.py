"""Simonsohn's two-lines test of an inverted U (2018, AMPPS 1:538), as a published benchmark for our own test.

One line is fitted to the low levels and one to the high levels; the values turn if the first rises, the second falls,
and both slopes are significant. The Robin Hood procedure sets the breakpoint: it starts from the median of the flat top
(the levels at which a smooth curve is within a standard error of its maximum, without the ends) and moves it within the
flat top so that the line with the weaker slope gains observations from the stronger: to the z2 / (z1 + z2) quantile.

As published: interrupted regression (a level on the breakpoint belongs to both lines), HC3 standard errors, normal
deviates, two-sided p. Small departures: the smoother is the natural cubic smoothing spline through level means with its
weight set by generalized cross-validation, in place of mgcv's penalized spline; the direction is the claimed one, not
the one a quadratic suggests. The observations are values minus their unit's mean, for all levels of all units:
differences between units are not part of the question, and without centering they would hide every slope.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcray.statistics.contrasts import Floats

_ROUGHNESS_WEIGHTS = np.logspace(-6, 3, 28)
"""Candidates for cross-validation, for levels scaled to [0, 1]: from interpolation to a straight line."""


@dataclass(frozen=True, slots=True)
class TwoLines:
    """Two fitted lines: breakpoint, z of both slopes, and the larger of their p (1 unless they rise, then fall)."""

    breakpoint: float
    z_rise: float
    z_fall: float
    p_value: float


def two_lines(levels: Floats, values: Floats) -> TwoLines:
    """Return the two-lines test of `values` (U, L) that rise, then fall, over ascending numbers `levels` (L,)."""
    from scipy.special import ndtr

    point, rise, fall = (float(number) for number in two_lines_z(levels, values))
    turns = rise > 0 and fall < 0
    return TwoLines(point, rise, fall, float(2 * ndtr(-min(rise, -fall))) if turns else 1.0)


def two_lines_z(levels: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return breakpoint, z of the slope before it and z of the slope after it, each (...).

    Args:
        levels: (L,) ascending numbers.
        values: (..., U, L).
    """
    units, count = values.shape[-2:]
    centred = values - values.mean(axis=-1, keepdims=True)
    mean, variance = centred.mean(axis=-2), centred.var(axis=-2)

    def slope_z(part: slice) -> Floats:
        return _slope_z(levels[part], mean[..., part], variance[..., part], units)

    up_to = np.stack([slope_z(slice(last + 1)) for last in range(1, count)], axis=-1)
    onward = np.stack([slope_z(slice(first, None)) for first in range(count - 1)], axis=-1)

    def at(point: Floats) -> tuple[Floats, Floats]:
        last = np.searchsorted(levels, point, side="right") - 1
        first = np.searchsorted(levels, point, side="left")
        pick = np.take_along_axis
        return pick(up_to, last[..., None] - 1, -1)[..., 0], pick(onward, first[..., None], -1)[..., 0]

    flat = _flat_top(levels, mean, variance, units)
    before, after = np.abs(at(_quantile(levels, flat, units, np.full(flat.shape[:-1], 0.5))))
    both = before + after
    share = np.divide(after, both, out=np.full_like(both, 0.5), where=both > 0)
    point = _quantile(levels, flat, units, share)
    return point, *at(point)


def _slope_z(levels: Floats, mean: Floats, variance: Floats, units: int) -> Floats:
    """Return the slope over its HC3 standard error (...), from `units` observations per level.

    Args:
        levels: (L,) numbers.
        mean: (..., L) mean of each level's observations.
        variance: (..., L) variance of each level's observations.
        units: number of observations per level.
    """
    x = levels - levels.mean()
    spread = units * (x @ x)
    slope = units * (mean @ x) / spread
    misfit = mean - mean.mean(axis=-1, keepdims=True) - slope[..., None] * x
    leverage = 1 / (units * len(x)) + x**2 / spread
    squares = units * (variance + misfit**2)
    error = squares @ (x / (1 - leverage)) ** 2 / spread**2
    return np.asarray(slope / np.sqrt(np.maximum(error, np.finfo(float).tiny)))


def _flat_top(levels: Floats, mean: Floats, variance: Floats, units: int) -> NDArray[np.bool_]:
    """Return the levels (..., L) that a smooth curve puts within an error of its top.

    Only levels within the middle 80 % of observations count.
    """
    observations = units * len(levels)
    smoothers = np.linalg.inv(np.eye(len(levels)) + _ROUGHNESS_WEIGHTS[:, None, None] * _roughness(levels))
    fits = np.einsum("wij,...j->w...i", smoothers, mean)
    left = observations - np.trace(smoothers, axis1=1, axis2=2).reshape(-1, *[1] * (mean.ndim - 1))
    squares = units * (variance + (mean - fits) ** 2).sum(axis=-1)
    best = np.argmin(squares / left**2, axis=0)
    fit = np.take_along_axis(fits, best[None, ..., None], axis=0)[0]
    noise = np.take_along_axis(squares / left, best[None, ...], axis=0)[0]
    error = np.sqrt(noise[..., None] * np.diagonal(smoothers, axis1=1, axis2=2)[best] / units)
    low, high = np.quantile(np.repeat(levels, units), [0.1, 0.9])
    middle = (levels > low) & (levels < high)
    top = np.where(middle, fit, -np.inf).max(axis=-1, keepdims=True)
    return np.asarray(middle & (fit + error >= top))


def _roughness(levels: Floats) -> Floats:
    """Return the integrated squared second derivative (L, L) of the natural cubic spline (Green & Silverman 1994, eq.

    2.3).
    """
    gaps = np.diff(levels) / (levels[-1] - levels[0])
    inner = len(gaps) - 1
    second = np.zeros((len(levels), inner))
    band = np.zeros((inner, inner))
    for i in range(inner):
        second[i : i + 3, i] = 1 / gaps[i], -1 / gaps[i] - 1 / gaps[i + 1], 1 / gaps[i + 1]
        band[i, i] = (gaps[i] + gaps[i + 1]) / 3
        if i:
            band[i, i - 1] = band[i - 1, i] = gaps[i] / 6
    return np.asarray(second @ np.linalg.solve(band, second.T))


def _quantile(levels: Floats, within: NDArray[np.bool_], units: int, share: Floats) -> Floats:
    """Return the `share` quantile (...) of the observations, `units` per level, of the levels `within` (..., L)."""
    ordered = np.argsort(~within, axis=-1, kind="stable")
    last = units * within.sum(axis=-1) - 1
    position = share * last
    below = np.floor(position).astype(int)
    above = np.minimum(below + 1, last)
    low, high = (levels[np.take_along_axis(ordered, (i // units)[..., None], -1)[..., 0]] for i in (below, above))
    return np.asarray(low + (position - below) * (high - low))
