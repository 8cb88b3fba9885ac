"""The delete-one-group jackknife: how much each group of examples contributes to a metric of all examples.

A metric of a whole test split, also a ratio or a correlation, becomes one number per unit and group. The mean over
groups is the unit's metric, and the spread shows how far other groups would have moved it (Tukey 1958; Miller 1974).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcray.statistics.mean import Floats

WithAndWithout = tuple[Floats, Floats]
"""A statistic of all examples (..., 1), and without each group (..., G); NaN if it is undefined."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The grouping of N examples into G groups, with the examples sorted by group."""

    names: tuple[str, ...]
    order: NDArray[np.intp]
    """(N,) indices of the examples, group by group."""
    starts: NDArray[np.intp]
    """(G,) the position in that order at which each group begins."""

    @classmethod
    def from_names(cls, group: Sequence[str]) -> Groups:
        """Return the grouping of examples with these group names (N,); groups are in alphabetical order."""
        names, index = np.unique(np.asarray(group, dtype=str), return_inverse=True)
        order = np.argsort(index, kind="stable")
        return cls(tuple(map(str, names)), order, np.searchsorted(index[order], np.arange(names.size)))

    def sum_by_group(self, values: NDArray[np.generic]) -> Floats:
        """Return the sums (..., G) over each group's examples of values (..., N) that are in the groups' order."""
        total: Floats = np.add.reduceat(values.astype(np.float64), self.starts, axis=-1)
        return total


def leave_one_out_sums(sums: Floats) -> WithAndWithout:
    """Return the total (..., 1) of the groups' sums (..., G), and the total without each group (..., G)."""
    total = sums.sum(-1, keepdims=True)
    return total, total - sums


def jackknife_pseudovalues(whole: Floats, without: Floats) -> Floats:
    """Return the pseudo-values (U, G) of a metric T; the mean of each row is that unit's metric.

    They are G T - (G - 1) T_g, with T_g the metric without group g, moved by a constant so that their mean is T. With
    groups of unequal size the uncorrected mean differs from T by the jackknife's estimate of bias, and T is reported.

    Args:
        whole: (U, 1) the metric of all examples.
        without: (U, G) the metric without each group.
    """
    groups = without.shape[-1]
    pseudo: Floats = whole - (groups - 1) * (without - without.mean(1, keepdims=True))
    return pseudo
