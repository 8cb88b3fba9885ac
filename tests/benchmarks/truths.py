"""Known truths for simulated sweeps: curves over levels, in standard deviations of a unit's residual, and noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]
Noise = Callable[[np.random.Generator, tuple[int, int, int]], Floats]


def _first_step(x: Floats) -> Floats:
    return np.where(x > 0, 1.0, 0.0)


def _early_peak(x: Floats) -> Floats:
    return np.where(x > 0, (x[1] - x) / (1 - x[1]), -1.0)


PEAKLESS: dict[str, Curve] = {
    "linear": lambda x: x,
    "concave": np.sqrt,
    "saturating": lambda x: np.minimum(x / 0.4, 1),
    "step after the first": _first_step,
    "step before the last": lambda x: 1 - _first_step(1 - x),
    "exponential": lambda x: np.expm1(3 * x) / np.expm1(3),
    "valley": lambda x: np.abs(2 * x - 1),
}
"""From 0 to 1 over levels scaled to [0, 1]; reversing the order of levels changes no result here."""

PEAKED: dict[str, Curve] = {
    "inverted U": lambda x: -((2 * x - 1) ** 2),
    "early peak": _early_peak,
    "late peak": lambda x: _early_peak(1 - x[::-1])[::-1],
}
"""0 at the peak, -1 at both ends."""

SIZES = (0.7, 2.0, 5.0)
"""Sizes of peakless truths from first to last level, in standard deviations, in addition to the flat truth."""

DROPS = (0.7, 1.0, 1.5)
"""Drops of peaked truths from the peak to either end, in standard deviations."""


def peakless(levels: int, sizes: tuple[float, ...] = SIZES) -> dict[str, Floats]:
    """Return truths (L,) without an inner peak, by name: the flat one, and every curve in every size."""
    x = np.linspace(0, 1, levels)
    curves = {f"{name}, {size:g} SD": size * curve(x) for name, curve in PEAKLESS.items() for size in sizes}
    return {"flat": np.zeros(levels), **curves}


def normal(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    """Return standard normal noise (S, U, L)."""
    return rng.standard_normal(shape)


def student(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    """Return Student's t noise on 3 degrees of freedom, scaled to a standard deviation of 1."""
    return np.asarray(rng.standard_t(3, shape) / np.sqrt(3))


def scaled(first: float, last: float) -> Noise:
    """Return normal noise whose standard deviation changes linearly from `first` to `last` over the levels."""
    return lambda rng, shape: normal(rng, shape) * np.linspace(first, last, shape[-1])


def loud_first(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    """Return normal noise with five times the standard deviation at the first level."""
    noise = normal(rng, shape)
    noise[..., 0] *= 5
    return noise


def autoregressive(rho: float) -> Noise:
    """Return normal noise with correlation `rho` between neighboring levels."""

    def draw(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
        noise = normal(rng, shape)
        for level in range(1, shape[-1]):
            noise[..., level] = rho * noise[..., level - 1] + np.sqrt(1 - rho**2) * noise[..., level]
        return noise

    return draw


def configured(sd: float, *, repeats: bool) -> Noise:
    """Return seed noise plus tuning noise: per repeat and level, or per level only.

    The latter is what happens if seeds of one configuration are used as units.
    """

    def draw(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
        units = shape[1] if repeats else 1
        return normal(rng, shape) + sd * rng.standard_normal((shape[0], units, shape[2]))

    return draw


PROMISED: dict[str, Noise] = {"normal": normal, "t3": student}

ROBUSTNESS: dict[str, Noise] = {
    "SD grows with level, .5 to 1.5": scaled(0.5, 1.5),
    "SD falls with level, 1.5 to .5": scaled(1.5, 0.5),
    "first level with 5 times the SD": loud_first,
    "AR(1) over levels, ρ = .4": autoregressive(0.4),
    "AR(1) over levels, ρ = .7": autoregressive(0.7),
    "configuration noise .5 SD, repeats": configured(0.5, repeats=True),
    "configuration noise 1 SD, repeats": configured(1.0, repeats=True),
    "configuration noise .5 SD, seeds as units": configured(0.5, repeats=False),
    "configuration noise 1 SD, seeds as units": configured(1.0, repeats=False),
}
