"""Random draws that depend on what they are for, and on nothing drawn before them.

Each draw has a generator of its own, keyed by a digest of (sweep seed, seed index, dataset, fold, purpose, parameter,
epoch). So equal seeds pair across cells, members of a pack never share a stream, and no generator state is ever saved.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from tcray.config.run import Run


@dataclass(frozen=True, slots=True)
class RandomStreams:
    """The source of every draw of one run; of one fold of it, under a fold protocol."""

    sweep_seed: int
    seed: int
    dataset: str
    fold: int = 0

    @classmethod
    def from_run(cls, run: Run, fold: int = 0) -> RandomStreams:
        """The draws of a run: equal for equal seed indices on a dataset, whatever the configuration."""
        return cls(run.sweep_seed, run.seed, run.dataset, fold)

    def generator(self, purpose: str, parameter: str = "", epoch: int = 0) -> np.random.Generator:
        """A fresh generator for one purpose."""
        key = f"{self.sweep_seed}|{self.seed}|{self.dataset}|{self.fold}|{purpose}|{parameter}|{epoch}"
        seed = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=16).digest(), "little")
        return np.random.Generator(np.random.SFC64(seed))
