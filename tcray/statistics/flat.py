"""Simulated sweeps without differences between levels, from which critical values and p-values are computed.

Noise is standard normal and independent between levels, with a fixed seed. Every statistic here is a z, which depends
little on the number of units; more than `MAX_UNITS` units are treated as that many.

Null distributions are (R, N): N simulated values, ascending, under each of R truths of the null hypothesis. A p-value
is the largest over truths, and p ≤ alpha if the statistic reaches the critical value.
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
    """Yield `SWEEPS` simulated sweeps in batches of some thousands."""
    rng = np.random.default_rng([units, levels])
    for _ in range(SWEEPS // _CHUNK):
        yield SampleMoments.from_values(rng.standard_normal((_CHUNK, min(units, MAX_UNITS), levels)))


def p_value(nulls: Floats, statistic: Floats | float) -> Floats:
    """Return the share of a null distribution that reaches `statistic` (...), counting the statistic itself.

    Never zero.
    """
    sweeps = nulls.shape[1]
    fewest_below = np.min([np.searchsorted(null, statistic, side="left") for null in nulls], axis=0)
    return np.asarray((1 + sweeps - fewest_below) / (1 + sweeps))


def critical_value(nulls: Floats, alpha: float) -> float:
    """Return the smallest number with p ≤ `alpha`; infinity if the simulation is too short for that level."""
    sweeps = nulls.shape[1]
    reaching = math.floor(alpha * (1 + sweeps)) - 1
    return math.nextafter(nulls[:, sweeps - reaching - 1].max(), math.inf) if reaching >= 0 else math.inf
