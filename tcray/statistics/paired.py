"""The mean difference of two conditions that were measured on the same units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from tcray.statistics.mean import Floats, Mean, mean_over_units, mean_over_units_and_groups


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The mean of a - b with its standard error, interval and p-value.

    With groups, everything from `standard_error` to `p_value` is over retraining and people: it covers other units and
    other groups. Otherwise it is over retraining: it covers other units.
    """

    estimate: float
    standard_error: float
    df: float
    ci_low: float
    """Lower end of the two-sided 1 - alpha interval."""
    ci_high: float
    p_value: float
    """Two-sided p-value of a mean difference of 0."""
    n_units: int
    n_groups: int | None
    """Number of groups; None without groups."""
    sd: float
    """Standard deviation of the units' mean differences; an input of `power.units_needed`."""
    retraining: Mean
    """The mean over units, given these groups."""
    people: Mean | None
    """The mean over units and groups; None without groups."""

    @classmethod
    def from_differences(cls, difference: Floats, *, alpha: float = 0.05) -> Self:
        """Return the paired difference from differences by unit (U,), or by unit and group (U, G)."""
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
    """Return the mean of a - b over paired units by Student's t, or over units crossed with groups.

    Args:
        a: (U,) or (U, G) values of the first condition.
        b: values of the second condition, with the same units and groups in the same order.
        alpha: one minus the level of the interval.

    Raises:
        ValueError: if shapes are invalid or differ, if there are fewer than two units or groups, or if a value is not
            finite.
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    for name, values in (("a", first), ("b", second)):
        if values.ndim not in {1, 2}:
            raise ValueError(f"{name} must have shape (units,) or (units, groups), not {values.shape}")
        if not np.isfinite(values).all():
            unit = int(np.argwhere(~np.isfinite(values))[0, 0])
            raise ValueError(f"{name} has a value that is not finite in unit {unit} (counted from 0)")
    if first.shape != second.shape:
        raise ValueError(f"a and b are not paired: a has shape {first.shape}, b {second.shape}")
    return PairedDifference.from_differences(first - second, alpha=alpha)
