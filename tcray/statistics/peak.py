"""Is there a peak within: do the values rise to some inner place, and fall from it?

For every place where the best may lie, a run of inner levels, there is a contrast that rises to it and one that falls
from it; what speaks for a peak there is the smaller of their z. The place is chosen by the larger of the two, which
says little about the smaller, and every other place pays a toll for being looked at as well; the statistic is the
largest that is left. (The largest over places without toll asks for a higher critical value and finds fewer peaks; the
chosen place alone goes wrong where a steep rise picks a place on the way to the peak.)

Where the truth has no inner peak it only rises, only falls, or falls first and rises then. At every place one of the
two contrasts then has an expectation of zero or less: to the left of the lowest level the rising one, to the right the
falling one. That is an intersection-union test (Berger 1982, Technometrics 24:295) at each place, as Lind & Mehlum
(2010, Oxford Bulletin of Economics and Statistics 72:109) use it for a turning point.

Least favourable is a rise in one step, to the second level, and nothing after it: every inner place is then as good as
the last level. How high a step is worst cannot be said beforehand. A low one hides the rise, a boundless one chooses
the place without a look at the fall and leaves the others to their toll. So the p-value is the largest over steps from
one standard error of a difference to no end. Hundreds of random truths, monotone and valley-shaped, were not worse.
"""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np

from tcray.statistics.contrasts import ContrastEstimates, Floats, rise_and_fall_contrasts
from tcray.statistics.flat import simulate_flat_sweeps

PLACE_PENALTY = 0.5
"""What a place other than the chosen one pays, in z."""

STEPS = (1.0, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0, 1000.0)
"""Heights of the step under the null hypothesis, in standard errors of the difference between two levels."""


@functools.cache
def peak_contrasts(levels: int) -> Floats:
    """The contrasts (2 C, L) of every place: C rising, then C falling."""
    return np.concatenate(rise_and_fall_contrasts(levels))


def peak_statistic(contrasted: ContrastEstimates) -> Floats:
    """The evidence (...) for the best supported peak, as a z, from all of `peak_contrasts`."""
    rising, falling = np.split(contrasted.z(), 2, axis=-1)
    lesser = np.minimum(rising, falling)
    chosen = np.maximum(rising, falling).argmax(axis=-1)[..., None]
    return np.asarray(np.maximum(np.take_along_axis(lesser, chosen, -1)[..., 0], lesser.max(axis=-1) - PLACE_PENALTY))


@functools.cache
def simulate_peak_nulls(units: int, levels: int) -> Floats:
    """The statistic under a step to the second level (steps, N), ascending, for each of `STEPS`."""
    weights = peak_contrasts(levels)
    step = weights @ (np.arange(levels) > 0)
    statistics = []
    for sample in simulate_flat_sweeps(units, levels):
        flat = sample.over_units(weights)
        error = np.sqrt(2 / sample.units)
        statistics.append(
            [peak_statistic(replace(flat, estimate=flat.estimate + height * error * step)) for height in STEPS]
        )
    return np.sort(np.concatenate(statistics, axis=1), axis=1)
