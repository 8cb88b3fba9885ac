"""p-values corrected for how many were looked at."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's (1979) adjusted p-values, in the order given; None, for what is not testable, stays and is not counted.

    The k-th smallest of m is multiplied by m - k + 1, and none is below a smaller one's. Those of statsmodels are the
    same; but its `multipletests` collects all of Python's garbage at every call, a tenth of a second each time.
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (p, place) in enumerate(known):
        if not 0 <= p <= 1:
            raise ValueError(f"a p-value lies between 0 and 1, and {p!r} does not")
        least = max(least, min(1.0, (len(known) - rank) * p))
        adjusted[place] = least
    return adjusted
