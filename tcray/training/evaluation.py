"""Predictions of trained members: clean, with modalities missing, under noise, and under adversarial perturbations.

Models are in evaluation mode (no dropout); whole splits are computed in blocks of a fixed number of rows.
Shape legend: K members, F folds, n padded split length.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tcray.models.conditioning import mmd_rbf, pair_weights, reconstruction_loss, second_moment
from tcray.models.stacked import StackedModel
from tcray.training import attacks
from tcray.training.attacks import Attacker, Corruption
from tcray.training.draws import Member
from tcray.training.packed_dataset import PackedDataset, SplitName

NOISE_LEVELS = (0.1, 0.3, 1.0)
"""σ of Gaussian noise, in standard deviations of the train split."""

Values = NDArray[np.float64]


def predict(
    model: StackedModel,
    packed: PackedDataset,
    split: SplitName,
    folds: Tensor,
    *,
    missing: frozenset[str] = frozenset(),
    corrupt: Corruption | None = None,
) -> Values:
    """Return outputs (K, n) of every member on the split of its own fold.

    The latents of `missing` modalities are set to 0, the mean of the prior; `corrupt` perturbs the inputs.
    """
    outputs = []
    with torch.no_grad():
        for rows, inputs in packed.splits[split].blocks(folds):
            seen = corrupt(model, rows, inputs) if corrupt else inputs
            latents = model.encode(seen)
            names = model.architecture.modalities
            latents = [torch.zeros_like(z) if m in missing else z for m, z in zip(names, latents, strict=True)]
            outputs.append(model.fuse(latents))
    return torch.cat(outputs, 1).double().cpu().numpy()


def predict_conditions(
    model: StackedModel, packed: PackedDataset, members: Sequence[Member], folds: Tensor
) -> dict[str, Values]:
    """Return test outputs (K, n) under every condition in which a confirm run is evaluated.

    `clean`; `missing:a+b` for every non-empty subset of the modalities; `noise:m:σ`; `fgsm:ε` and `pgd:ε`.
    """
    names = tuple(packed.modalities)
    found = {"clean": predict(model, packed, "test", folds)}
    for size in range(1, len(names) + 1):
        for subset in combinations(names, size):
            condition = "missing:" + "+".join(subset)
            found[condition] = predict(model, packed, "test", folds, missing=frozenset(subset))
    for k, m in enumerate(names):
        for level, corrupt in _make_noises(k, m, packed, members, model).items():
            found[f"noise:{m}:{level}"] = predict(model, packed, "test", folds, corrupt=corrupt)
    attacker = Attacker.from_members(packed, members, folds)
    for level in attacks.EPSILONS:
        found[f"fgsm:{level}"] = predict(model, packed, "test", folds, corrupt=attacker.fgsm(level))
        found[f"pgd:{level}"] = predict(model, packed, "test", folds, corrupt=attacker.pgd(level))
    return found


def _make_noises(
    position: int, modality: str, packed: PackedDataset, members: Sequence[Member], model: StackedModel
) -> dict[float, Corruption]:
    """Return Gaussian noise on one modality by level; every level scales the same draw."""
    length, width = packed.splits["test"].inputs[0].shape[1], packed.modalities[modality]
    drawn = [m.streams.generator("noise", modality).standard_normal((length, width), np.float32) for m in members]
    noise = torch.from_numpy(np.stack(drawn)).to(model.present.device)

    def at(level: float) -> Corruption:
        def corrupt(_: StackedModel, rows: slice, inputs: list[Tensor]) -> list[Tensor]:
            noisy = inputs[position].clone()
            noisy[..., :width] += level * noise[:, rows]
            return [noisy if k == position else x for k, x in enumerate(inputs)]

        return corrupt

    return {level: at(level) for level in NOISE_LEVELS}


def measure_latents(model: StackedModel, packed: PackedDataset, folds: Tensor) -> dict[str, Values]:
    """Return the manipulation check on the validation split, (K,) each.

    By modality m: `mmd2.m`, `norm.m` (‖z‖²/ℓ) and, if the model has decoders, `reconstruction.m`.
    """
    table, dim = packed.splits["valid"], model.architecture.latent
    counted = torch.from_numpy(table.mask()).to(packed.labels)[folds]
    latents: list[list[Tensor]] = []
    errors: list[list[Tensor]] = []
    with torch.no_grad():
        for rows, inputs in table.blocks(folds):
            block = model.encode(inputs)
            latents.append(block)
            if model.architecture.has_decoders:
                decoded = zip(model.decode(block), inputs, packed.modalities.values(), strict=True)
                totals = [reconstruction_loss(y, x, counted[:, rows], width) for y, x, width in decoded]
                errors.append([total * counted[:, rows].sum(1) for total in totals])
        pairs = pair_weights(counted)
        found: dict[str, Tensor] = {}
        for k, m in enumerate(packed.modalities):
            z = torch.cat([block[k] for block in latents], 1)
            found[f"mmd2.{m}"] = mmd_rbf(z, counted, pairs, dim)
            found[f"norm.{m}"] = second_moment(z, counted, dim)
            if errors:
                found[f"reconstruction.{m}"] = torch.stack([e[k] for e in errors]).sum(0) / counted.sum(1)
    return {name: value.double().cpu().numpy() for name, value in found.items()}
