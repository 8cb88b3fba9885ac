"""Where the best level lies: a confidence set that holds each level that is truly best with at least 1 - alpha.

A level is left out when some rival is better by more than chance explains: its largest z over rivals exceeds what
that is when all are equal, the least favourable case. This is Gupta's subset selection (1965, Technometrics 7:225), or
the constrained half of Hsu's comparisons with the best (1984, Annals of Statistics 12:1136), level by level: where
several levels tie for best, each of them is held with 1 - alpha.

Chance is judged by levels of equal noise. Where one is three times as noisy as another, up to .059 of truly best levels
had p ≤ .05; p-values are raised by a fifth for it, which costs less than a tenth of a level.

Tried, and not worth it (at most a tenth of a level narrower, of five to eight): leaving clearly worse rivals out of the
critical value (Romano, Shaikh & Wolf 2014), averages of neighbouring levels as further rivals.
"""

from __future__ import annotations

import functools

import numpy as np

from tcray.statistics.contrasts import ContrastEstimates, Floats, SampleMoments
from tcray.statistics.flat import p_value, simulate_flat_sweeps

P_VALUE_FACTOR = 1.2
"""What p-values are multiplied by."""


@functools.cache
def pairwise_contrasts(levels: int) -> Floats:
    """Every other level minus this one, as contrasts (L · (L - 1), L): rivals of the first level, of the second …"""
    identity = np.eye(levels)
    return np.array(
        [identity[other] - identity[own] for own in range(levels) for other in range(levels) if other != own]
    )


def optimum_p_values(sample: SampleMoments, *, people: bool = False) -> Floats:
    """For each level (..., L) how well it agrees with the values that none is better, larger values being better.

    Over retraining; over retraining and people where `people` is set, of a sample with groups.
    """
    levels = sample.mean.shape[-1]
    contrasted = (sample.over_units_and_groups if people else sample.over_units)(pairwise_contrasts(levels))
    largest = _by_level(contrasted, levels).max(axis=-1)
    return np.asarray(
        np.minimum(P_VALUE_FACTOR * p_value(simulate_rival_null(sample.units, levels, levels - 1), largest), 1.0)
    )


@functools.cache
def simulate_rival_null(units: int, levels: int, rivals: int) -> Floats:
    """The largest z of so many `rivals` over one level, where all levels are equal: a null distribution (1, N)."""
    weights = pairwise_contrasts(levels)
    samples = (_by_level(sample.over_units(weights), levels) for sample in simulate_flat_sweeps(units, levels))
    return np.sort(np.concatenate([z[..., :rivals].max(axis=-1) for z in samples]), axis=None)[None]


def _by_level(contrasted: ContrastEstimates, levels: int) -> Floats:
    """The z of all rivalries as (..., L, L - 1)."""
    z = contrasted.z()
    return z.reshape(*z.shape[:-1], levels, levels - 1)
