"""Checkpoints of runs as bytes: weights, moments, the best epoch so far. There is no generator state to save."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcray.models.architecture import Floats, ParameterLayout

ROW_FIELDS = ("weights", "first", "second", "best")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a run after an epoch. Shape legend: F folds, P numbers per member."""

    epoch: int
    best_epoch: int
    best_value: float
    steps: Sequence[int]
    """Optimizer steps taken, one entry per fold."""
    weights: Floats
    """(F, P), as are the next three."""
    first: Floats
    second: Floats
    best: Floats
    """Weights of the best epoch so far."""

    def to_bytes(self) -> bytes:
        """Return the checkpoint as an uncompressed `.npz`."""
        position = np.array([self.epoch, self.best_epoch, *self.steps])
        rows = {name: getattr(self, name) for name in ROW_FIELDS}
        return _archive(position=position, best_value=np.array(self.best_value), **rows)

    @classmethod
    def from_bytes(cls, blob: bytes) -> Checkpoint:
        """Return the checkpoint in `blob`; the inverse of `to_bytes`."""
        with np.load(io.BytesIO(blob), allow_pickle=False) as arrays:
            epoch, best_epoch, *steps = (int(v) for v in arrays["position"])
            return cls(epoch, best_epoch, float(arrays["best_value"]), steps, *(arrays[name] for name in ROW_FIELDS))


def weights_to_bytes(layout: ParameterLayout, rows: Floats) -> bytes:
    """Return a run's weights (F, P) as an uncompressed `.npz`: one array (F, …) per parameter name.

    The store keeps these bytes as `weights/<run id>`.
    """
    members = [layout.unflatten(row) for row in rows]
    return _archive(**{p.name: np.stack([member[p.name] for member in members]) for p in layout.parameters})


def _archive(**arrays: NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for its own keyword
    return buffer.getvalue()
