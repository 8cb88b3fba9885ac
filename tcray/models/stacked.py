"""K models of one architecture as one tensor program: every parameter carries a leading member axis.

A linear layer of K members is one (K, in, out) tensor and one batched product; a single model is a stack of one. All
numbers of a member lie in one row, so that the optimizer and checkpoints handle rows instead of layers. Differences
between members are data, not shapes: rank (padding), modality subset (`present`), dropout (masks).
Shape legend: K members, B rows, M modalities, d input, H hidden, ℓ latent, R rank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from tcray.models.architecture import Architecture, ParameterLayout

Masks = Mapping[str, Tensor]
"""Dropout factors (K, B, H) by layer name, such as `encoder.text`: 0 for dropped units, 1/(1 - rate) for kept ones."""

NO_MASKS: Masks = {}


class StackedModel:
    """K stacked models, one row of numbers each, and their forward computations."""

    def __init__(self, architecture: Architecture, rows: Tensor, present: Tensor) -> None:
        """Stack members whose numbers are `rows` (K, P), laid out as in `ParameterLayout`.

        present  (K, M) bool; a modality that a member does not use is replaced by the multiplicative identity
        """
        self.architecture = architecture
        self.rows = rows
        self.present = present
        self.parameters = {
            p.name: rows[:, place].view(-1, *p.shape)
            for p, place in ParameterLayout.from_architecture(architecture).slices()
        }
        """Tensors (K, …) by name: views of `rows`."""

    def encode(self, inputs: Sequence[Tensor], masks: Masks = NO_MASKS) -> list[Tensor]:
        """Return latents z_m (K, B, ℓ) of inputs x_m (K, B, d_m): Linear, ReLU, dropout, Linear."""
        names = self.architecture.modalities
        return [self._perceptron(f"encoder.{m}", x, masks) for m, x in zip(names, inputs, strict=True)]

    def decode(self, latents: Sequence[Tensor], masks: Masks = NO_MASKS) -> list[Tensor]:
        """Return reconstructions x̂_m (K, B, d_m) of latents through the mirrored perceptrons."""
        names = self.architecture.modalities
        return [self._perceptron(f"decoder.{m}", z, masks) for m, z in zip(names, latents, strict=True)]

    def _perceptron(self, name: str, x: Tensor, masks: Masks) -> Tensor:
        p = self.parameters
        hidden = torch.baddbmm(p[f"{name}.0.bias"], x, p[f"{name}.0.weight"]).relu()
        if name in masks:
            hidden = hidden * masks[name]
        return torch.baddbmm(p[f"{name}.1.bias"], hidden, p[f"{name}.1.weight"])

    def fuse(self, latents: Sequence[Tensor]) -> Tensor:
        """Return outputs (K, B): the sentiment, or the logit of the positive class."""
        fusion = {"lmf": self._low_rank, "tensor": self._full_tensor, "concat": self._concatenation}
        return fusion[self.architecture.fusion](latents) + self.parameters["fusion.bias"][:, 0]

    def _low_rank(self, latents: Sequence[Tensor]) -> Tensor:
        """Return Σ_{i≤r} w_i Π_m W_m^{(i)} [z_m; 1] (Liu et al. 2018, eq. 6); padded ranks have w_i = 0."""
        p = self.parameters
        product = p["fusion.weight"]
        for k, (m, z) in enumerate(zip(self.architecture.modalities, latents, strict=True)):
            factor = torch.baddbmm(p[f"fusion.{m}.constant"], z, p[f"fusion.{m}.factor"])
            product = product * torch.where(self._present(k), factor, 1.0)
        return product.sum(2)

    def _full_tensor(self, latents: Sequence[Tensor]) -> Tensor:
        """Return ⟨T, ⊗_m [z_m; 1]⟩ (Zadeh et al. 2017, section 4.2), modality by modality; z_m = 0 if absent."""
        tensor, side = self.parameters["fusion.tensor"], latents[0].shape[2] + 1
        first, *others = [torch.where(self._present(k), z, 0.0) for k, z in enumerate(latents)]
        contracted = torch.baddbmm(tensor[:, -1:], first, tensor[:, :-1])[..., : self.architecture.columns]
        for z in others:
            contracted = contracted.reshape(*contracted.shape[:2], side, -1)
            contracted = (z.unsqueeze(3) * contracted[:, :, :-1]).sum(2) + contracted[:, :, -1]
        return contracted[..., 0]

    def _concatenation(self, latents: Sequence[Tensor]) -> Tensor:
        """Return Σ_m v_m · z_m: a linear read-out of the concatenated latents, with no interactions."""
        terms = [
            (torch.where(self._present(k), z, 0.0) * self.parameters[f"fusion.{m}.weight"]).sum(2)
            for k, (m, z) in enumerate(zip(self.architecture.modalities, latents, strict=True))
        ]
        return torch.stack(terms).sum(0)

    def _present(self, modality: int) -> Tensor:
        return self.present[:, modality, None, None]
