"""Configuration of a training with every hyperparameter resolved, and a run of it with one seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

ENGINE_VERSION = "2"
"""Version of the training and evaluation code, raised when results change; part of every run id and sweep id."""

BLOCK = 16
"""Output axes of matrix products are padded to multiples of this, so that bits do not depend on others' widths."""

PRESETS: Mapping[str, Mapping[str, float]] = {
    "none": {"prior_strength": 0.0, "reconstruction_strength": 0.0, "alignment_strength": 0.0},
    "autoencoder": {"prior_strength": 0.0, "reconstruction_strength": 0.1, "alignment_strength": 0.0},
    "prior": {"prior_strength": 10.0, "reconstruction_strength": 0.0, "alignment_strength": 0.0},
    "jwae": {"prior_strength": 10.0, "reconstruction_strength": 0.1, "alignment_strength": 0.1},
}
"""Strengths of each `conditioning` preset; a sweep may override any of them."""

MODALITY_DROPOUT = "modality_dropout."


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys and without spaces, so that equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any, length: int = 16) -> str:
    """Return the first `length` hexadecimal digits of the BLAKE2b digest of `canonical_json(value)`."""
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=32).hexdigest()[:length]


@dataclass(frozen=True, slots=True)
class Configuration:
    """All hyperparameters of a training; `modalities` and `modality_dropout` follow the dataset's order."""

    modalities: tuple[str, ...]
    modality_dropout: tuple[float, ...]
    """One rate in [0, 1] for each of `modalities`."""
    conditioning: str = "none"
    fusion: str = "lmf"
    rank: int = 4
    prior_strength: float = 0.0
    reconstruction_strength: float = 0.0
    alignment_strength: float = 0.0
    prior_kernel: str = "rbf"
    latent_dim: int = 16
    hidden_dim: int = 32
    dropout: float = 0.0
    lr: float = 1e-3
    weight_decay: float = 0.0
    batch_size: int = 32

    @classmethod
    def resolve(cls, values: Mapping[str, Any], modalities: tuple[str, ...]) -> Configuration:
        """Return the configuration of `values` (hyperparameters by name) on a dataset with `modalities`.

        Hyperparameters that `values` leaves out have their defaults, the strengths those of the `conditioning` preset;
        `modality_dropout.<m>` of a modality that is not used is ignored.
        """
        used = tuple(m for m in modalities if m in values.get("modalities", modalities))
        rates = tuple(float(values.get(MODALITY_DROPOUT + m, 0.0)) for m in used)
        known = {f.name for f in fields(cls)} - {"modalities", "modality_dropout"}
        preset = PRESETS[values.get("conditioning", "none")]
        given = {name: value for name, value in values.items() if name in known}
        return cls(modalities=used, modality_dropout=rates, **{**preset, **given})

    def to_flat(self) -> dict[str, Any]:
        """Return the hyperparameters by name, as in the store and in tables; `modalities` joined by `+`."""
        flat: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        rates = flat.pop("modality_dropout")
        flat["modalities"] = "+".join(self.modalities)
        flat.update({MODALITY_DROPOUT + m: rate for m, rate in zip(self.modalities, rates, strict=True)})
        return flat

    @classmethod
    def from_flat(cls, flat: Mapping[str, Any]) -> Configuration:
        """Return the configuration of flat hyperparameters, None for defaults; the inverse of `to_flat`."""
        given = {name: value for name, value in flat.items() if value is not None}
        used = tuple(flat["modalities"].split("+"))
        return cls.resolve({**given, "modalities": used}, used)

    @property
    def terms(self) -> tuple[bool, bool, bool]:
        """Return which auxiliary terms the loss has: prior, reconstruction (the only one with a decoder), alignment."""
        return self.prior_strength > 0, self.reconstruction_strength > 0, self.alignment_strength > 0


@dataclass(frozen=True)
class Run:
    """One training: a configuration on a dataset with a seed, identified by `run_id`."""

    dataset: str
    fingerprint: str
    configuration: Configuration
    epochs: int
    objective: str
    """The validation metric whose best epoch gives the run's metrics, as `valid.loss`."""
    sweep_seed: int
    seed: int
    """The seed index: equal indices mean equal draws (data order, initial weights) in every cell of a dataset."""

    @cached_property
    def run_id(self) -> str:
        """Return a digest of everything that determines the outcome of the training."""
        return digest(
            {
                "engine": ENGINE_VERSION,
                "data": self.fingerprint,
                "configuration": self.configuration.to_flat(),
                "epochs": self.epochs,
                "objective": self.objective,
                "seed": [self.sweep_seed, self.seed],
            }
        )

    @cached_property
    def signature(self) -> tuple[Any, ...]:
        """Return a key of the tensor shapes: runs of equal signature may share a pack."""
        c = self.configuration
        rank = -(-c.rank // BLOCK) * BLOCK if c.fusion == "lmf" else 0
        widths = (c.latent_dim, c.hidden_dim, c.batch_size)
        return (self.dataset, self.fingerprint, c.fusion, rank, *widths, c.prior_kernel, *c.terms, self.objective)
