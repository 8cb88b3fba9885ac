"""Means over independent units, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Self

from tcray.statistics.mean import mean_over_units

LEVEL = 0.95
"""Confidence level of every interval."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and half the width of its 95 % interval; None if undefined."""

    mean: float | None
    half_width: float | None = None

    @classmethod
    def from_units(cls, units: Sequence[float | None]) -> Self:
        """Return the mean of `units` (n,) with Student's t interval on n - 1 degrees of freedom.

        If one unit is undefined, so is the mean; with a single unit there is no interval.
        """
        values = [unit for unit in units if unit is not None]
        if not values or len(values) < len(units):
            return cls(None)
        if len(values) == 1:
            return cls(values[0])
        mean = mean_over_units(values)
        return cls(mean.estimate, mean.half_width(LEVEL))


def to_finite(value: Any) -> float | None:
    """Return a stored value as a float; None if it is missing or not finite."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def mean_if_complete(values: Sequence[float | None]) -> float | None:
    """Return the mean; None if a value is missing or there are no values."""
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None
