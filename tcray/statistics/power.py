"""How many units a question needs."""

from __future__ import annotations

import math

FEWEST = 2
"""A t test needs as many."""


def units_needed(sd: float, margin: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """The fewest units on which a paired t test at `alpha`, two-sided, finds a difference of `margin`, on its side.

    sd      of the units' differences, in the metric's units
    margin  the smallest effect of interest, in the same
    power   the probability of finding it

    Raises ValueError for a margin that is not positive and finite, and for a standard deviation that is negative or
    not finite.
    """
    if not 0 < margin < math.inf:
        raise ValueError(f"a margin is a positive number, and {margin!r} is not")
    if not 0 <= sd < math.inf:
        raise ValueError(f"a standard deviation is 0 or a positive number, and {sd!r} is not")
    if margin > sd * 100:  # so sure a thing that the noncentral t is past its range
        return FEWEST
    from statsmodels.stats.power import TTestPower

    # One side at alpha / 2: of the other, all but 0 here, scipy's noncentral t makes a NaN that misleads the solver.
    test = {"effect_size": margin / sd, "alpha": alpha / 2, "alternative": "larger"}
    if TTestPower().power(nobs=FEWEST, **test) >= power:
        return FEWEST
    return math.ceil(float(TTestPower().solve_power(power=power, **test)))
