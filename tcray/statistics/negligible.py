"""Is any peak within too small to matter: at every inner level the rise to it, or the fall from it, below a margin?

The rise to a level is how much better it is than the worst level before it, the fall how much better than the worst
after it. To be refuted: at some inner level both reach the margin. It is refuted when at every inner level one of the
two is shown to be smaller, and a rise is shown to be smaller when every difference it is the largest of is: tests that
must all reject need no correction (Berger 1982, Technometrics 24:295). But a level has two chances, its rise and its
fall; so the critical value is that of the larger of two z that share a level, and the intervals that lie below the
margin are a little wider than the 90 % ones of two one-sided tests (Schuirmann 1987), which would err up to twice
alpha.
"""

from __future__ import annotations

import numpy as np

from tcray.statistics.contrasts import ContrastEstimates, Floats
from tcray.statistics.flat import p_value
from tcray.statistics.optimum import simulate_rival_null


def negligible_p_value(rivals: ContrastEstimates, margin: float, units: int, levels: int) -> Floats:
    """How well a peak of at least `margin` on both sides agrees with the values (...), from all `rivalries`."""
    z = rivals.z(-margin).reshape(*rivals.estimate.shape[:-1], levels, levels - 1)
    smaller = [np.maximum(z[..., j, :j].min(axis=-1), z[..., j, j:].min(axis=-1)) for j in range(1, levels - 1)]
    return p_value(simulate_rival_null(units, levels, 2), np.min(smaller, axis=0))
