"""Sweeps in which no level is better than another: where critical values and p-values come from.

Standard normal noise, independent between levels, a fixed seed. Every statistic here is a z, on which units leave
little trace; beyond `MOST_UNITS` they are taken for that many.

Null distributions are (R, N): N simulated values, ascending, under each of R truths of the null hypothesis. A p-value
is the largest over truths, and p ≤ alpha where the critical value is reached.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tcray.statistics.contrasts import Floats, SampleMoments

SWEEPS = 40_000
MAX_UNITS = 40

_CHUNK = 2_000


def simulate_flat_sweeps(units: int, levels: int) -> Iterator[SampleMoments]:
    """`SWEEPS` simulated sweeps, some thousands at a time."""
    rng = np.random.default_rng([units, levels])
    for _ in range(SWEEPS // _CHUNK):
        yield SampleMoments.from_values(rng.standard_normal((_CHUNK, min(units, MAX_UNITS), levels)))


def p_value(nulls: Floats, statistic: Floats | float) -> Floats:
    """The share of a null distribution that reaches `statistic` (...), the statistic itself counted in: never zero."""
    sweeps = nulls.shape[1]
    fewest_below = np.min([np.searchsorted(null, statistic, side="left") for null in nulls], axis=0)
    return np.asarray((1 + sweeps - fewest_below) / (1 + sweeps))


def critical_value(nulls: Floats, alpha: float) -> float:
    """The smallest number at which p ≤ `alpha`; infinite where the simulation is too short for one."""
    sweeps = nulls.shape[1]
    reaching = math.floor(alpha * (1 + sweeps)) - 1
    return math.nextafter(nulls[:, sweeps - reaching - 1].max(), math.inf) if reaching >= 0 else math.inf
