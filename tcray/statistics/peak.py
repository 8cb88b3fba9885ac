"""The test of an inner peak: values rise to some inner place and fall from it.

For every place of a possible optimum, a run of inner levels, one contrast rises to it and one falls from it; the
evidence for a peak there is the smaller of their z. One place is chosen by the larger of the two z, which is nearly
independent of the smaller, and every other place pays a penalty; the statistic is the largest that remains. (The
largest over places without a penalty needs a higher critical value and finds fewer peaks; the chosen place alone fails
if a steep rise selects a place on the way to the peak.)

If the truth has no inner peak, it only rises, only falls, or first falls and then rises. At every place one of the two
contrasts then has an expectation of zero or less: to the left of the lowest level the rising one, to the right the
falling one. That is an intersection-union test (Berger 1982, Technometrics 24:295) at each place, as Lind & Mehlum
(2010, Oxford Bulletin of Economics and Statistics 72:109) use it for a turning point.

The least favorable truth is a rise in one step, to the second level, and nothing after it: every inner place is then as
good as the last level. The worst height of the step cannot be derived. A low step hides the rise; a very high one
chooses the place without regard to the fall and leaves the others to their penalty. The p-value is therefore the
largest over steps from one standard error of a difference to 1,000. Hundreds of random truths, monotone and valley-
shaped, were not worse.
"""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np

from tcray.statistics.contrasts import ContrastEstimates, Floats, rise_and_fall_contrasts
from tcray.statistics.flat import simulate_flat_sweeps

PLACE_PENALTY = 0.5
"""Penalty of every place other than the chosen one, in z."""

STEPS = (1.0, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0, 1000.0)
"""Heights of the step under the null hypothesis, in standard errors of the difference between two levels."""


@functools.cache
def peak_contrasts(levels: int) -> Floats:
    """Return the contrasts (2 C, L) of every place: C rising, then C falling."""
    return np.concatenate(rise_and_fall_contrasts(levels))


def peak_statistic(contrasted: ContrastEstimates) -> Floats:
    """Return the evidence (...) for the best supported peak, as a z, from all `peak_contrasts`."""
    rising, falling = np.split(contrasted.z(), 2, axis=-1)
    lesser = np.minimum(rising, falling)
    chosen = np.maximum(rising, falling).argmax(axis=-1)[..., None]
    return np.asarray(np.maximum(np.take_along_axis(lesser, chosen, -1)[..., 0], lesser.max(axis=-1) - PLACE_PENALTY))


@functools.cache
def simulate_peak_nulls(units: int, levels: int) -> Floats:
    """Return the statistic under a step to the second level (steps, N), ascending, for each of `STEPS`."""
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
