"""Stacked models compute the outputs that define their fusions."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tcray.config.run import Configuration
from tcray.models.architecture import Architecture, Floats, unfold
from tests.models.factories import WIDTHS, configured, drawn, model

LATENT = 5
SUBSETS = [subset for size in (1, 2, 3) for subset in combinations(WIDTHS, size)]


def latents(members: int, rows: int = 7) -> list[Tensor]:
    """Return z_m (K, B, ℓ) for every modality, with padded units 0."""
    drawn = np.random.default_rng(0).standard_normal((len(WIDTHS), members, rows, LATENT))
    return list(torch.nn.functional.pad(torch.from_numpy(drawn), (0, 16 - LATENT)))


def fusion_tensor(member: dict[str, Floats], used: tuple[str, ...]) -> Floats:
    """Return Σ_i w_i ⊗_m W_m^{(i)}; the factor of an absent modality is its constant alone: [0, …, 0, 1]."""
    absent = np.zeros((LATENT + 1, member["fusion.weight"].size))
    absent[-1] = 1
    factors = [
        np.vstack([member[f"fusion.{m}.factor"][:LATENT], member[f"fusion.{m}.constant"]]) if m in used else absent
        for m in WIDTHS
    ]
    return np.einsum("r,ir,jr,kr->ijk", member["fusion.weight"][0], *factors)


@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_tensor_fusion_of_an_unfolded_lmf_is_that_lmf(subset: tuple[str, ...]) -> None:
    """The full tensor Σ_i w_i ⊗_m W_m^{(i)} gives the low-rank outputs, for every subset of modalities."""
    low = configured(rank=3, latent_dim=LATENT, modalities=subset)
    full = configured(fusion="tensor", latent_dim=LATENT, modalities=subset)
    members = [drawn(low, seed) for seed in range(4)]
    unfolded = [
        drawn(full)
        | {"fusion.tensor": unfold(Architecture.from_configuration(full, WIDTHS), fusion_tensor(member, subset))}
        for member in members
    ]
    z = latents(4)
    expected = model(low, members).fuse(z)
    torch.testing.assert_close(model(full, unfolded).fuse(z), expected, rtol=0, atol=1e-12)


FUSIONS = [pytest.param({"fusion": fusion}, id=fusion) for fusion in ("lmf", "tensor", "concat")]


@pytest.mark.parametrize("values", FUSIONS)
def test_an_absent_modality_has_no_influence(values: dict[str, Any]) -> None:
    """The latent of an unused modality influences neither outputs nor gradients."""
    configuration = configured(**values, latent_dim=LATENT, modalities=("text", "video"))
    members = model(configuration, [drawn(configuration, seed) for seed in range(3)])
    z = latents(3)
    other = [z[0], 1e6 * z[1], z[2]]
    assert torch.equal(members.fuse(z), members.fuse(other))
    z[1].requires_grad_()
    leaves = [p.requires_grad_() for name, p in members.parameters.items() if name.startswith("fusion.audio")]
    gradients = torch.autograd.grad(members.fuse(z).sum(), [z[1], *leaves], allow_unused=True)
    assert not any(g is not None and g.any() for g in gradients)


def test_a_dropped_modality_contributes_the_constant_of_its_factors() -> None:
    """At z_m = 0, the mean of the prior, an LMF multiplies by W_m^{(i)} [0; 1]: a dropped modality is not an absent
    one.
    """
    configuration = configured(rank=3, latent_dim=LATENT)
    member = drawn(configuration)
    constants = [member[f"fusion.{m}.constant"][0] for m in WIDTHS]
    expected = float(np.sum(member["fusion.weight"][0] * np.prod(constants, axis=0)))
    outputs = model(configuration, [member]).fuse([torch.zeros(1, 2, 16, dtype=torch.float64) for _ in WIDTHS])
    assert outputs.tolist() == [pytest.approx([expected, expected], abs=1e-15)]


@pytest.mark.parametrize("values", FUSIONS)
def test_members_compute_independently(values: dict[str, Any]) -> None:
    """Each member of a stack gives the outputs of that member alone."""
    configuration = configured(**values, latent_dim=LATENT, conditioning="jwae")
    members = [drawn(configuration, seed) for seed in range(3)]
    inputs = [torch.from_numpy(np.random.default_rng(1).standard_normal((3, 4, 16))) for _ in WIDTHS]
    outputs, decoded = _through(configuration, members, inputs)
    for k, member in enumerate(members):
        alone, alone_decoded = _through(configuration, [member], [x[k : k + 1] for x in inputs])
        torch.testing.assert_close(outputs[k : k + 1], alone, rtol=0, atol=1e-12)
        torch.testing.assert_close([y[k : k + 1] for y in decoded], alone_decoded, rtol=0, atol=1e-12)


def _through(
    configuration: Configuration, members: list[dict[str, Floats]], inputs: list[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    together = model(configuration, members)
    encoded = together.encode(inputs)
    return together.fuse(encoded), together.decode(encoded)
