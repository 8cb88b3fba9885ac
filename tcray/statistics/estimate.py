"""A mean over independent units, and how far it may be off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Self

from tcray.statistics.mean import mean_over_units

LEVEL = 0.95
"""Of every interval."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and half the width of its 95 % interval; None for either where it is not defined."""

    mean: float | None
    half_width: float | None = None

    @classmethod
    def from_units(cls, units: Sequence[float | None]) -> Self:
        """The mean of `units` (n,) with Student's t interval on n - 1 degrees of freedom.

        One undefined unit leaves the mean undefined; a single unit leaves it without an interval.
        """
        values = [unit for unit in units if unit is not None]
        if not values or len(values) < len(units):
            return cls(None)
        if len(values) == 1:
            return cls(values[0])
        mean = mean_over_units(values)
        return cls(mean.estimate, mean.half_width(LEVEL))


def to_finite(value: Any) -> float | None:
    """A number as stored; None where the store has none, or one that is not finite."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def mean_if_complete(values: Sequence[float | None]) -> float | None:
    """The mean; None where a value, or every value, is missing."""
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None
