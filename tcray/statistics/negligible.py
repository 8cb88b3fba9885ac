"""The test that any inner peak is negligible: at every inner level the rise or the fall is below a margin.

The rise to a level is its difference from the worst level before it, the fall its difference from the worst level
after it. Null hypothesis: at some inner level both reach the margin. It is rejected if at every inner level one of the
two is shown to be smaller; a rise is shown to be smaller if every difference of which it is the largest is. Tests that
must all reject need no correction (Berger 1982, Technometrics 24:295). But a level has two chances, its rise and its
fall. Therefore the critical value is that of the larger of two z that share a level, and the intervals that lie below
the margin are a little wider than the 90 % ones of two one-sided tests (Schuirmann 1987), which would err up to
2 alpha.
"""

from __future__ import annotations

import numpy as np

from tcray.statistics.contrasts import ContrastEstimates, Floats
from tcray.statistics.flat import p_value
from tcray.statistics.optimum import simulate_rival_null


def negligible_p_value(rivals: ContrastEstimates, margin: float, units: int, levels: int) -> Floats:
    """Return the p-value (...) of a peak of at least `margin` on both sides, from all `pairwise_contrasts`."""
    z = rivals.z(-margin).reshape(*rivals.estimate.shape[:-1], levels, levels - 1)
    smaller = [np.maximum(z[..., j, :j].min(axis=-1), z[..., j, j:].min(axis=-1)) for j in range(1, levels - 1)]
    return p_value(simulate_rival_null(units, levels, 2), np.min(smaller, axis=0))
