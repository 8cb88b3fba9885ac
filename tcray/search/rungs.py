"""ASHA's rungs: the epochs at which runs are compared, and the rule by which a run is promoted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

WORST_SCORE = -math.inf
"""The score of a run that diverged, or whose objective is not a finite number."""


@dataclass(frozen=True, slots=True)
class Rungs:
    """The epochs at which the runs of a search are compared; none if the search does not prune.

    `milestones` are the distinct ceil(min_epochs·η^k) below `epochs`: bracket 0 of ASHA (Li et al. 2020), as in Ray
    Tune.
    """

    epochs: int
    milestones: tuple[int, ...] = ()
    reduction_factor: float = math.inf

    @classmethod
    def asha(cls, epochs: int, min_epochs: int, reduction_factor: float) -> Rungs:
        """Return the rungs of a training of `epochs` under ASHA."""
        milestones: list[int] = []
        milestone: float = min_epochs
        while milestone < epochs:
            milestones.append(math.ceil(milestone))
            milestone = min_epochs * reduction_factor ** len(milestones)
        return cls(epochs, tuple(dict.fromkeys(rung for rung in milestones if rung < epochs)), reduction_factor)

    def next_stop(self, start: int) -> int:
        """Return the epoch to which a run that has trained `start` epochs is trained next."""
        return next((rung for rung in self.milestones if rung > start), self.epochs)

    def is_promoted(self, score: float, others: Sequence[float]) -> bool:
        """True if a run with this score is promoted from a rung at which other runs have these (larger is better).

        Ray Tune's rule: promote if there are no others, or if the score reaches their (1 - 1/η) quantile.
        """
        return not others or score >= quantile(others, (1 - 1 / self.reduction_factor) * 100)

    def expected_share(self, epoch: int) -> float:
        """Return the share of a search's runs that is expected to train past `epoch`, if every rung keeps one in η."""
        return float(self.reduction_factor ** -sum(rung <= epoch for rung in self.milestones))

    def expected_epochs(self, start: int = 0) -> float:
        """Return the epochs that a run which has trained `start` epochs, and continues, is still expected to train."""
        bounds = [start, *(rung for rung in self.milestones if rung > start), self.epochs]
        kept = self.expected_share(start)
        return sum(self.expected_share(low) / kept * (high - low) for low, high in pairwise(bounds))


def quantile(values: Sequence[float], percent: float) -> float:
    """Return the percentile of `values`, linearly interpolated.

    For finite values it equals `numpy.percentile` to the bit. Between -∞ and a number the result is -∞, the limit of
    the interpolation, for which numpy returns NaN: a diverged run lowers the threshold for the others, and never makes
    the comparison undefined.
    """
    ordered = sorted(values)
    position = (len(ordered) - 1) * (percent / 100)
    below = math.floor(position)
    low, high, t = ordered[below], ordered[min(below + 1, len(ordered) - 1)], position - below
    if t == 0 or low == high:
        return low
    if low == -math.inf:
        return low
    # Interpolated from the nearer end, as in numpy: the last bit decides a tie.
    return high - (high - low) * (1 - t) if t >= 0.5 else low + (high - low) * t
