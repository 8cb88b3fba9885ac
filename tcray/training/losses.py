"""The loss of a batch, one number per member: the task loss and the conditioning terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from tcray.config.metrics import Task
from tcray.config.run import Configuration
from tcray.models.conditioning import alignment_loss, mmd_imq, mmd_rbf, pair_weights, reconstruction_loss
from tcray.models.stacked import StackedModel
from tcray.training.draws import Batch


@dataclass(frozen=True, slots=True)
class Objective:
    """The objective that all members of a pack minimize, each with its own strengths (K,)."""

    task: Task
    terms: tuple[bool, bool, bool]
    """Presence of the prior, reconstruction and alignment terms; the same for all members."""
    kernel: str
    prior: Tensor
    reconstruction: Tensor
    alignment: Tensor

    @classmethod
    def from_configurations(cls, task: Task, members: Sequence[Configuration], like: Tensor) -> Objective:
        """Return the objective of members that share a signature."""
        first = members[0]

        def strengths(name: str) -> Tensor:
            return like.new_tensor([getattr(c, name) for c in members])

        names = ("prior_strength", "reconstruction_strength", "alignment_strength")
        return cls(task, first.terms, first.prior_kernel, *map(strengths, names))

    def __call__(
        self, model: StackedModel, inputs: Sequence[Tensor], labels: Tensor, batch: Batch
    ) -> tuple[Tensor, Tensor]:
        """Return task loss and total loss, (K,) each, for inputs (K, B, d_m) and labels (K, B)."""
        names = tuple(model.architecture.modalities)
        latents = model.encode(inputs, batch.masks)
        seen = [
            z * batch.modality_kept[m].unsqueeze(2) if m in batch.modality_kept else z
            for m, z in zip(names, latents, strict=True)
        ]
        task = task_loss(self.task, model.fuse(seen), labels, batch.row_mask)
        total = task
        has_prior, has_reconstruction, has_alignment = self.terms
        if has_prior:
            total = total + self.prior * self._mmd(model, latents, batch)
        if has_reconstruction:
            total = total + self.reconstruction * self._reconstruction(model, latents, inputs, batch)
        if has_alignment:
            total = total + self.alignment * self._alignment(model, latents, batch)
        return task, total

    def _mmd(self, model: StackedModel, latents: Sequence[Tensor], batch: Batch) -> Tensor:
        dim, pairs = model.architecture.latent, pair_weights(batch.row_mask)
        total = torch.zeros_like(self.prior)
        for k, (m, z) in enumerate(zip(model.architecture.modalities, latents, strict=True)):
            if self.kernel == "rbf":
                distance = mmd_rbf(z, batch.row_mask, pairs, dim)
            else:
                distance = mmd_imq(z, batch.row_mask, pairs, dim, batch.prior[m])
            total = total + torch.where(model.present[:, k], distance, 0.0)
        return total

    def _reconstruction(
        self, model: StackedModel, latents: Sequence[Tensor], inputs: Sequence[Tensor], batch: Batch
    ) -> Tensor:
        decoded = model.decode(latents, batch.masks)
        total = torch.zeros_like(self.reconstruction)
        for k, (width, x, y) in enumerate(zip(model.architecture.modalities.values(), inputs, decoded, strict=True)):
            total = total + torch.where(model.present[:, k], reconstruction_loss(y, x, batch.row_mask, width), 0.0)
        return total

    def _alignment(self, model: StackedModel, latents: Sequence[Tensor], batch: Batch) -> Tensor:
        total = torch.zeros_like(self.alignment)
        for a, b in combinations(range(len(latents)), 2):
            both = model.present[:, a] & model.present[:, b]
            gap = alignment_loss(latents[a], latents[b], batch.row_mask, model.architecture.latent)
            total = total + torch.where(both, gap, 0.0)
        return total


def task_loss(task: Task, outputs: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
    """Return the mean over rows (K,) of L1 for regression, of binary cross-entropy with logits for classification."""
    if task == "regression":
        each = (outputs - labels).abs()
    else:
        each = binary_cross_entropy_with_logits(outputs, labels, reduction="none")
    return (each * rows).sum(1) / rows.sum(1).clamp(min=1)
