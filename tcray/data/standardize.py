"""Features on one scale: centred and scaled by the train rows alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcray.data.examples import Floats

CLIP = 8.0
"""Standardised features stay within this many standard deviations."""

CONSTANT = 1e-6
"""A column whose train standard deviation is below this carries nothing, and becomes 0."""


def by_train(matrix: Floats, train: NDArray[np.int64]) -> Floats:
    """`matrix`, (N, d), standardised column by column by its rows `train`, clipped, constant columns 0."""
    seen = matrix[train].astype(np.float64)
    deviation = seen.std(axis=0)
    scale = np.where(deviation < CONSTANT, np.inf, deviation)
    clipped: Floats = np.clip((matrix - seen.mean(axis=0)) / scale, -CLIP, CLIP).astype(np.float32)
    return clipped
