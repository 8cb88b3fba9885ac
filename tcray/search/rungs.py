"""ASHA's rungs: at which epochs runs are compared, and the rule by which one goes on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

NEVER_AS_GOOD = -math.inf
"""The worth of a run that diverged, or has no number to show."""


@dataclass(frozen=True, slots=True)
class Rungs:
    """The epochs at which the runs of a search are compared; none of them, where nothing is pruned.

    `at` are the distinct ceil(min_epochs·η^k) below `epochs`: bracket 0 of ASHA (Li et al. 2020), as in Ray Tune.
    """

    epochs: int
    at: tuple[int, ...] = ()
    reduction_factor: float = math.inf

    @classmethod
    def asha(cls, epochs: int, min_epochs: int, reduction_factor: float) -> Rungs:
        """The rungs of a training of `epochs` under ASHA."""
        at: list[int] = []
        milestone: float = min_epochs
        while milestone < epochs:
            at.append(math.ceil(milestone))
            milestone = min_epochs * reduction_factor ** (len(at))
        return cls(epochs, tuple(dict.fromkeys(rung for rung in at if rung < epochs)), reduction_factor)

    def stop_after(self, start: int) -> int:
        """The epoch to which a run that has trained `start` epochs is trained next."""
        return next((rung for rung in self.at if rung > start), self.epochs)

    def goes_on(self, worth: float, others: Sequence[float]) -> bool:
        """Whether a run goes on from a rung where it is worth `worth` (larger is better) and others are worth `others`.

        Ray Tune's rule: yes if there are no others, or if it reaches their (1 - 1/η) quantile.
        """
        return not others or worth >= quantile(others, (1 - 1 / self.reduction_factor) * 100)

    def share(self, epoch: int) -> float:
        """The share of a search's runs that is expected to train past `epoch`, if every rung keeps one in η."""
        return float(self.reduction_factor ** -sum(rung <= epoch for rung in self.at))

    def expected_epochs(self, start: int = 0) -> float:
        """The epochs that a run which has trained `start` epochs, and goes on, is still expected to train."""
        bounds = [start, *(rung for rung in self.at if rung > start), self.epochs]
        kept = self.share(start)
        return sum(self.share(low) / kept * (high - low) for low, high in pairwise(bounds))


def quantile(values: Sequence[float], percent: float) -> float:
    """The percentile of `values`, linearly interpolated, to the bit as `numpy.percentile` has it for finite values.

    Between -∞ and a number lies -∞, the limit of the interpolation, where numpy has NaN: a diverged neighbour
    lowers what is asked of a run, and never takes the comparison away.
    """
    ordered = sorted(values)
    position = (len(ordered) - 1) * (percent / 100)
    below = math.floor(position)
    low, high, t = ordered[below], ordered[min(below + 1, len(ordered) - 1)], position - below
    if t == 0 or low == high:
        return low
    if low == -math.inf:
        return low
    # Written from whichever end is nearer, as numpy writes it: the last bit decides a tie.
    return high - (high - low) * (1 - t) if t >= 0.5 else low + (high - low) * t
