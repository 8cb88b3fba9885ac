"""Power of the paired t-test, and the number of units that reach it."""

from __future__ import annotations

import math

MIN_UNITS = 2
"""A t-test needs at least two units."""


def units_needed(sd: float, margin: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Return the fewest units with which a two-sided paired t-test at `alpha` finds a difference of `margin`.

    Finding it means rejecting on the side of the true difference.

    Args:
        sd: standard deviation of the units' differences, in the metric's units.
        margin: the smallest effect of interest, in the metric's units.
        alpha: level of the two-sided test.
        power: probability of finding the difference.

    Raises:
        ValueError: if the margin is not positive and finite, or if the standard deviation is negative or not finite.
    """
    if not 0 < margin < math.inf:
        raise ValueError(f"the margin must be positive and finite, not {margin!r}")
    if not 0 <= sd < math.inf:
        raise ValueError(f"the standard deviation must be 0 or positive, and finite, not {sd!r}")
    if margin > 100 * sd:  # two units are enough; the noncentral t distribution would overflow
        return MIN_UNITS
    effect = margin / sd
    most = MIN_UNITS
    while paired_t_power(effect, most, alpha=alpha) < power:
        most *= 2
    least = MIN_UNITS
    while least < most:
        middle = (least + most) // 2
        if paired_t_power(effect, middle, alpha=alpha) >= power:
            most = middle
        else:
            least = middle + 1
    return most


def paired_t_power(effect: float, units: int, *, alpha: float = 0.05) -> float:
    """Return the probability that a two-sided paired t-test rejects on the side of the true difference.

    With a true mean of `effect` standard deviations, the t statistic of n units has the noncentral t distribution with
    n - 1 degrees of freedom and noncentrality `effect` · √n (Cohen 1988, section 2.5). It is compared with the
    1 - alpha / 2 quantile of Student's t.

    Args:
        effect: true mean difference over the standard deviation of the differences; positive.
        units: number of paired units, at least 2.
        alpha: level of the two-sided test.
    """
    from scipy.special import nctdtr, stdtrit

    df = units - 1
    critical = float(stdtrit(df, 1 - alpha / 2))
    return 1 - float(nctdtr(df, effect * math.sqrt(units), critical))
