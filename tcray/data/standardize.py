"""Standardization of features by the train rows alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tcray.data.examples import Floats

CLIP = 8.0
"""Standardized features are clipped at this many standard deviations."""

CONSTANT = 1e-6
"""A column whose train standard deviation is below this is treated as constant and becomes 0."""


def compute_moments(matrix: Floats, train: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and scale (d,) of the rows `train` of `matrix` (N, d); the scale of a constant column is infinite."""
    seen = matrix[train].astype(np.float64)
    deviation = seen.std(axis=0)
    return seen.mean(axis=0), np.where(deviation < CONSTANT, np.inf, deviation)


def standardize(matrix: Floats, train: NDArray[np.int64]) -> Floats:
    """Return `matrix` (N, d) standardized column by column by its rows `train`, clipped; constant columns become 0."""
    mean, scale = compute_moments(matrix, train)
    clipped: Floats = np.clip((matrix - mean) / scale, -CLIP, CLIP).astype(np.float32)
    return clipped
