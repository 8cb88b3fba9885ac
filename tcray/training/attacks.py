"""Adversarial perturbations of the test inputs within an L∞ ball.

ε is in standard deviations of the train split and applies to all modalities at once.
Shape legend: K members, n padded split length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tcray.models.stacked import StackedModel
from tcray.training.draws import Member
from tcray.training.losses import task_loss
from tcray.training.packed_dataset import PackedDataset

EPSILONS = (0.03, 0.1, 0.3)
"""ε of both attacks."""
PGD_STEPS = 10
PGD_STEP = 0.25
"""Step length of PGD, as a fraction of ε."""

Corruption = Callable[[StackedModel, slice, list[Tensor]], list[Tensor]]
"""A function that perturbs the inputs (K, rows, d_m) of a slice of rows."""


@dataclass(frozen=True, slots=True)
class Attacker:
    """Attacks on the test split, with its labels and the random starts of PGD.

    labels  (K, n)
    starts  (K, n, d_m) per modality, uniform in [-1, 1]; 0 in padded columns
    """

    packed: PackedDataset
    labels: Tensor
    starts: tuple[Tensor, ...]

    @classmethod
    def from_members(cls, packed: PackedDataset, members: Sequence[Member], folds: Tensor) -> Attacker:
        """Return the attacker for the members, which belong to `folds` (K,)."""
        table = packed.splits["test"]
        length = table.inputs[0].shape[1]
        labels = packed.labels.new_zeros(len(table.indices), length)
        for fold, rows in enumerate(table.indices):
            labels[fold, : len(rows)] = packed.labels[torch.from_numpy(rows)]
        starts = []
        for (m, width), inputs in zip(packed.modalities.items(), table.inputs, strict=True):
            start = inputs.new_zeros(len(members), *inputs.shape[1:])
            for k, member in enumerate(members):
                drawn = member.streams.generator("pgd", m).uniform(-1, 1, (length, width)).astype(np.float32)
                start[k, :, :width] = torch.from_numpy(drawn)
            starts.append(start)
        return cls(packed, labels[folds], tuple(starts))

    def fgsm(self, level: float) -> Corruption:
        """Return the corruption x + ε sign(∂ task loss / ∂x) (Goodfellow et al. 2015, section 4)."""

        def corrupt(model: StackedModel, rows: slice, inputs: list[Tensor]) -> list[Tensor]:
            return [x + level * sign for x, sign in zip(inputs, self._gradient_signs(model, rows, inputs), strict=True)]

        return corrupt

    def pgd(self, level: float) -> Corruption:
        """Return projected gradient ascent from a random start in the ε-ball (Madry et al. 2018, section 2.1)."""

        def corrupt(model: StackedModel, rows: slice, inputs: list[Tensor]) -> list[Tensor]:
            offsets = [level * start[:, rows] for start in self.starts]
            for _ in range(PGD_STEPS):
                moved = [x + offset for x, offset in zip(inputs, offsets, strict=True)]
                uphill = self._gradient_signs(model, rows, moved)
                offsets = [
                    (offset + PGD_STEP * level * sign).clamp(-level, level)
                    for offset, sign in zip(offsets, uphill, strict=True)
                ]
            return [x + offset for x, offset in zip(inputs, offsets, strict=True)]

        return corrupt

    def _gradient_signs(self, model: StackedModel, rows: slice, inputs: list[Tensor]) -> list[Tensor]:
        """Return the signs of the gradient of the task loss; 0 if an input has no influence."""
        with torch.enable_grad():
            leaves = [x.clone().requires_grad_() for x in inputs]
            outputs = model.fuse(model.encode(leaves))
            wanted = self.labels[:, rows]
            loss = task_loss(self.packed.task, outputs, wanted, torch.ones_like(wanted))
            gradients = torch.autograd.grad(loss.sum(), leaves)
        return [gradient.sign() for gradient in gradients]
