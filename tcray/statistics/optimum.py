"""A confidence set for the best level: it contains each level that is truly best with probability at least 1 - alpha.

A level is excluded if some rival is better by more than chance explains: its largest z over rivals exceeds the value
expected if all levels are equal, the least favorable case. This is Gupta's subset selection (1965, Technometrics
7:225), or the constrained half of Hsu's comparisons with the best (1984, Annals of Statistics 12:1136), level by level:
if several levels tie for best, each of them is contained with 1 - alpha.

The null distribution assumes levels of equal noise. If one level is three times as noisy as another, up to .059 of
truly best levels had p ≤ .05; p-values are therefore raised by a fifth, which costs less than a tenth of a level.

Tried and not worth it (at most a tenth of a level narrower, of five to eight): omitting clearly worse rivals from the
critical value (Romano, Shaikh & Wolf 2014), averages of neighboring levels as additional rivals.
"""

from __future__ import annotations

import functools

import numpy as np

from tcray.statistics.contrasts import ContrastEstimates, Floats, SampleMoments
from tcray.statistics.flat import p_value, simulate_flat_sweeps

P_VALUE_FACTOR = 1.2
"""Factor by which p-values are multiplied."""


@functools.cache
def pairwise_contrasts(levels: int) -> Floats:
    """Return every other level minus this one (L · (L - 1), L): rivals of the first level, of the second …"""
    identity = np.eye(levels)
    return np.array(
        [identity[other] - identity[own] for own in range(levels) for other in range(levels) if other != own]
    )


def optimum_p_values(sample: SampleMoments, *, people: bool = False) -> Floats:
    """Return the p-value (..., L) of each level being best, larger values being better.

    The p-values are over retraining; with `people`, over retraining and people, for a sample with groups.
    """
    levels = sample.mean.shape[-1]
    contrasted = (sample.over_units_and_groups if people else sample.over_units)(pairwise_contrasts(levels))
    largest = _by_level(contrasted, levels).max(axis=-1)
    return np.asarray(
        np.minimum(P_VALUE_FACTOR * p_value(simulate_rival_null(sample.units, levels, levels - 1), largest), 1.0)
    )


@functools.cache
def simulate_rival_null(units: int, levels: int, rivals: int) -> Floats:
    """Return the null distribution (1, N) of the largest z of `rivals` rivals over one level; all levels are equal."""
    weights = pairwise_contrasts(levels)
    samples = (_by_level(sample.over_units(weights), levels) for sample in simulate_flat_sweeps(units, levels))
    return np.sort(np.concatenate([z[..., :rivals].max(axis=-1) for z in samples]), axis=None)[None]


def _by_level(contrasted: ContrastEstimates, levels: int) -> Floats:
    """Return the z of all pairwise contrasts as (..., L, L - 1)."""
    z = contrasted.z()
    return z.reshape(*z.shape[:-1], levels, levels - 1)
