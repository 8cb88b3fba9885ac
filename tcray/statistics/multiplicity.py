"""Correction of p-values for multiple testing."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return Holm's (1979) adjusted p-values in the order given.

    The k-th smallest of m p-values is multiplied by m - k + 1 and raised to the adjusted value before it. An entry that
    is None (not testable) stays None and does not count.

    Raises:
        ValueError: if a p-value lies outside [0, 1].
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (p, place) in enumerate(known):
        if not 0 <= p <= 1:
            raise ValueError(f"a p-value must lie between 0 and 1, not {p!r}")
        least = max(least, min(1.0, (len(known) - rank) * p))
        adjusted[place] = least
    return adjusted
