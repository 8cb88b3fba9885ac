"""All random draws of one epoch of a pack: data order, dropout, modality dropout, prior samples.

Every member draws blocks of a fixed size from its own generators, so its epoch is the same in any pack.
Shape legend: S steps, K members, B rows (padded), H hidden, M modalities, ℓ latent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tcray.config.run import Configuration
from tcray.models.architecture import Architecture, round_up_to_block
from tcray.models.random_streams import RandomStreams
from tcray.training.packed_dataset import PackedDataset

ROW_MULTIPLE = 32
"""Batches are padded to a multiple of this: two vectors of the widest CPU. Below it, element-wise loops have scalar
tails, whose exponentials and logarithms differ in the last bits.
"""
DROPOUT_LEVELS = 1 << 16
"""Dropout compares 16 random bits per unit with the rate, which is therefore resolved to 1/65536."""


@dataclass(frozen=True, slots=True)
class Member:
    """One model of a pack: a run's configuration on one fold, and its random streams."""

    configuration: Configuration
    fold: int
    streams: RandomStreams

    def uses(self, modality: str) -> bool:
        """True if the member uses this modality."""
        return modality in self.configuration.modalities

    def rate(self, modality: str) -> float:
        """Return the dropout rate of a modality; 0 if the member does not use it."""
        rates = dict(zip(self.configuration.modalities, self.configuration.modality_dropout, strict=True))
        return rates.get(modality, 0.0)


@dataclass(frozen=True, slots=True)
class Batch:
    """The draws of one step of all members."""

    index: Tensor
    """(K, B) rows of `PackedDataset.inputs`."""
    row_mask: Tensor
    """(K, B) 1 for a row, 0 for padding."""
    masks: Mapping[str, Tensor]
    """Dropout factors (K, B, H) by layer."""
    modality_kept: Mapping[str, Tensor]
    """(K, B) bool by modality: True if the row's latent is kept; modalities that are never dropped are left out."""
    prior: Mapping[str, Tensor]
    """Prior samples (K, B, ℓ) by modality, if the kernel needs them."""


class EpochDraws:
    """The draws of one epoch of all members, step by step."""

    def __init__(
        self,
        members: Sequence[Member],
        architecture: Architecture,
        packed: PackedDataset,
        epoch: int,
        dtype: torch.dtype,
    ) -> None:
        """Draw the whole epoch, in blocks whose size does not depend on the pack."""
        first = members[0].configuration
        self._device, self._dtype = packed.labels.device, dtype
        self._width = -(-first.batch_size // ROW_MULTIPLE) * ROW_MULTIPLE
        self._hidden = round_up_to_block(architecture.hidden)
        train = packed.splits["train"].indices
        self.steps_of = [-(-len(train[m.fold]) // first.batch_size) for m in members]
        self.steps = max(self.steps_of)
        self._members, self._epoch = members, epoch
        self._order(packed, first.batch_size)
        names = [f"encoder.{m}" for m in architecture.modalities]
        names += [f"decoder.{m}" for m in architecture.modalities if architecture.has_decoders]
        dropping = any(m.configuration.dropout > 0 for m in members)
        self._bits = {name: self._dropout_bits(name) for name in names if dropping}
        rates = torch.tensor([m.configuration.dropout for m in members], dtype=torch.float64)
        threshold = (rates * DROPOUT_LEVELS - DROPOUT_LEVELS // 2).round().clamp(max=DROPOUT_LEVELS // 2 - 1)
        self._threshold = threshold.to(self._device, torch.int16).view(-1, 1, 1)
        self._scale = (1 / (1 - rates)).to(self._device, dtype).view(-1, 1, 1)
        self._kept = {m: self._kept_rows(m) for m in architecture.modalities if any(k.rate(m) > 0 for k in members)}
        self._prior: dict[str, Tensor] = {}
        if first.prior_kernel == "imq" and first.prior_strength > 0:
            self._prior = {m: self._prior_samples(m, architecture.latent) for m in architecture.modalities}

    def batch(self, step: int) -> Batch:
        """Return the draws of one step."""
        masks = {name: (bits[step] >= self._threshold) * self._scale for name, bits in self._bits.items()}
        return Batch(
            index=self._index[step],
            row_mask=self._row_mask[step],
            masks=masks,
            modality_kept={m: kept[step] for m, kept in self._kept.items()},
            prior={m: samples[step] for m, samples in self._prior.items()},
        )

    def _order(self, packed: PackedDataset, batch_size: int) -> None:
        """Permute each member's train split and cut it into batches; the last batch is padded and masked."""
        shape = (self.steps, len(self._members), self._width)
        index, rows = np.zeros(shape, np.int64), np.zeros(shape, np.float64)
        for k, member in enumerate(self._members):
            train = packed.splits["train"].indices[member.fold]
            order = train[member.streams.generator("order", epoch=self._epoch).permutation(len(train))]
            for step in range(self.steps_of[k]):
                chosen = order[step * batch_size : (step + 1) * batch_size]
                index[step, k, : len(chosen)] = chosen + member.fold * packed.examples
                index[step, k, len(chosen) :] = chosen[0] + member.fold * packed.examples
                rows[step, k, : len(chosen)] = 1
        self._index = torch.from_numpy(index).to(self._device)
        self._row_mask = torch.from_numpy(rows).to(self._device, self._dtype)

    def _dropout_bits(self, layer: str) -> Tensor:
        """Return (S, K, B, H) int16, uniform over all its values; zeros for members without dropout."""
        bits = np.zeros((self.steps, len(self._members), self._width, self._hidden), np.int16)
        for k, member in enumerate(self._members):
            if member.configuration.dropout > 0:
                shape = (self.steps_of[k], self._width, self._hidden)
                drawn = member.streams.generator("dropout", layer, self._epoch).bytes(2 * int(np.prod(shape)))
                bits[: self.steps_of[k], k] = np.frombuffer(drawn, np.int16).reshape(shape)
        return torch.from_numpy(bits).to(self._device)

    def _kept_rows(self, modality: str) -> Tensor:
        """Return (S, K, B) bool: each row keeps its latent with probability 1 - rate."""
        kept = np.ones((self.steps, len(self._members), self._width), np.bool_)
        for k, member in enumerate(self._members):
            rate = member.rate(modality)
            if rate > 0:
                generator = member.streams.generator("modality dropout", modality, self._epoch)
                kept[: self.steps_of[k], k] = generator.random((self.steps_of[k], self._width)) >= rate
        return torch.from_numpy(kept).to(self._device)

    def _prior_samples(self, modality: str, dim: int) -> Tensor:
        """Return (S, K, B, ℓ) standard normal samples, zero on padded latent units."""
        samples = np.zeros((self.steps, len(self._members), self._width, round_up_to_block(dim)))
        for k, member in enumerate(self._members):
            shape = (self.steps_of[k], self._width, dim)
            generator = member.streams.generator("prior", modality, self._epoch)
            samples[: self.steps_of[k], k, :, :dim] = generator.standard_normal(shape)
        return torch.from_numpy(samples).to(self._device, self._dtype)
