"""Independent random streams per purpose, so that no draw depends on earlier draws.

Each draw has its own generator, keyed by a digest of (sweep seed, seed index, dataset, fold, purpose, parameter,
epoch). Equal seeds therefore pair across cells, members of a pack never share a stream, and no generator state needs to
be saved.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from tcray.config.run import Run


@dataclass(frozen=True, slots=True)
class RandomStreams:
    """The random streams of one run, or of one of its folds."""

    sweep_seed: int
    seed: int
    dataset: str
    fold: int = 0

    @classmethod
    def from_run(cls, run: Run, fold: int = 0) -> RandomStreams:
        """Return the streams of a run; they are equal for equal seed indices on a dataset, for every configuration."""
        return cls(run.sweep_seed, run.seed, run.dataset, fold)

    def generator(self, purpose: str, parameter: str = "", epoch: int = 0) -> np.random.Generator:
        """Return a new generator for one purpose."""
        key = f"{self.sweep_seed}|{self.seed}|{self.dataset}|{self.fold}|{purpose}|{parameter}|{epoch}"
        seed = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=16).digest(), "little")
        return np.random.Generator(np.random.SFC64(seed))
