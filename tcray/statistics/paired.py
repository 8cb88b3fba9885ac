"""The mean difference of two conditions that were tried on the same units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from tcray.statistics.mean import Floats, Mean, mean_over_units, mean_over_units_and_groups


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The mean of a - b, how far it may be off, and what would have to be chance were there no difference.

    Where groups were given, everything from `standard_error` to `p_value` is over retraining and people: it tells what
    other units and other groups would have given. Else it is over retraining: what other units would have given.
    """

    estimate: float
    standard_error: float
    df: float
    ci_low: float
    """Of the 1 - alpha interval, two-sided."""
    ci_high: float
    p_value: float
    """That the mean difference is 0, two-sided."""
    n_units: int
    n_groups: int | None
    """None where no groups were given."""
    sd: float
    """Between units, of their mean differences: what `power.units_needed` asks for."""
    retraining: Mean
    """Over units, given these groups."""
    people: Mean | None
    """Over units and groups; None where no groups were given."""

    @classmethod
    def from_differences(cls, difference: Floats, *, alpha: float = 0.05) -> Self:
        """The paired difference whose units' (U,), or units' and groups' (U, G), differences are known."""
        crossed = difference.ndim == 2
        people = mean_over_units_and_groups(difference) if crossed else None
        retraining = mean_over_units(difference.mean(1) if crossed else difference)
        mean = people or retraining
        interval = mean.interval(1 - alpha)
        return cls(
            estimate=mean.estimate,
            standard_error=mean.standard_error,
            df=mean.df,
            ci_low=interval.low,
            ci_high=interval.high,
            p_value=mean.p_value(),
            n_units=difference.shape[0],
            n_groups=difference.shape[1] if crossed else None,
            sd=retraining.standard_error * difference.shape[0] ** 0.5,
            retraining=retraining,
            people=people,
        )


def paired_difference(a: ArrayLike, b: ArrayLike, *, alpha: float = 0.05) -> PairedDifference:
    """The mean of a - b over units that had both, by Student's t; over units crossed with groups where these are given.

    a, b  (U,) or (U, G): the same units, and the same groups, in the same order

    Raises ValueError where the shapes are not those or differ, for fewer than two units or groups, and for a number
    that is not finite.
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    for name, values in (("a", first), ("b", second)):
        if values.ndim not in {1, 2}:
            raise ValueError(f"{name} has shape {values.shape}, and not (units,) or (units, groups)")
        if not np.isfinite(values).all():
            unit = int(np.argwhere(~np.isfinite(values))[0, 0])
            raise ValueError(f"{name} holds a number that is not finite in unit {unit} (counted from 0)")
    if first.shape != second.shape:
        raise ValueError(f"a and b are not paired: a has shape {first.shape}, b {second.shape}")
    return PairedDifference.from_differences(first - second, alpha=alpha)
