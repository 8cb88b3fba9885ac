"""The rank that a trained fusion uses: energies of its rank factors, and spectra of its unfolded tensor.

The fusion tensor of an LMF is T = Σ_i w_i ⊗_m W_m^{(i)} (Liu et al. 2018, eq. 4), each factor in R^{ℓ+1} with its
constant last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tcray.models.architecture import Architecture, Floats


def factor_matrices(architecture: Architecture, member: Mapping[str, Floats], used: Sequence[str]) -> list[Floats]:
    """Return the factor matrices (ℓ + 1, R) of the modalities used, the constant as last row, without padding."""
    latent = architecture.latent
    return [
        np.concatenate([member[f"fusion.{m}.factor"][:latent], member[f"fusion.{m}.constant"]]).astype(np.float64)
        for m in architecture.modalities
        if m in used
    ]


def compute_spectra(
    architecture: Architecture, member: Mapping[str, Floats], used: Sequence[str], rank: int
) -> dict[str, list[float]]:
    """Return the spectra of one member by kind: `factor energy`, `unfolded:m` and `effective rank`.

    Factor energies are |w_i| Π_m ‖W_m^{(i)}‖, descending. `unfolded:m` are the singular values of the fusion tensor
    unfolded along modality m, descending. The effective rank is one number: that of the factor energies, or of the
    first unfolding if the fusion is a full tensor. Concatenation has no fusion tensor and no spectra.
    """
    if architecture.fusion == "concat":
        return {}
    names = [m for m in architecture.modalities if m in used]
    if architecture.fusion == "lmf":
        columns = factor_matrices(architecture, member, used)
        weight = member["fusion.weight"][0].astype(np.float64)
        energy = (np.abs(weight) * np.prod([np.linalg.norm(c, axis=0) for c in columns], axis=0))[:rank]
        found = {f"unfolded:{m}": _unfolded(columns, weight, axis) for axis, m in enumerate(names)}
        found["factor energy"] = sorted(map(float, energy), reverse=True)
    else:
        cube = _subcube(architecture, member, used)
        found = {f"unfolded:{m}": _singular_values(np.moveaxis(cube, axis, 0)) for axis, m in enumerate(names)}
        energy = np.array(found[f"unfolded:{names[0]}"])
    return {**found, "effective rank": [effective_rank(energy)]}


def effective_rank(energy: Floats) -> float:
    """Return exp of the entropy of the normalized energies (Roy & Vetterli 2007, section 2): r for r equal energies."""
    total = energy.sum()
    if not total > 0:
        return 0.0
    share = energy[energy > 0] / total
    return float(np.exp(-(share * np.log(share)).sum()))


def _unfolded(columns: Sequence[Floats], weight: Floats, axis: int) -> list[float]:
    """Return the singular values of Σ_i w_i ⊗_m columns_m[:, i] unfolded along `axis`, without forming the tensor.

    The unfolding is A diag(w) Kᵀ with K the Khatri-Rao product of the other columns, and KᵀK is the entrywise product
    of their Gram matrices: the eigenvalues of A diag(w) KᵀK diag(w) Aᵀ are the squares (Kolda & Bader 2009, sec. 2.6).
    """
    gram = np.ones((weight.size, weight.size))
    for other, column in enumerate(columns):
        if other != axis:
            gram *= column.T @ column
    left = columns[axis] * weight
    squares = np.linalg.eigvalsh(left @ gram @ left.T)
    return [float(v) for v in np.sqrt(np.clip(squares[::-1], 0.0, None))]


def _singular_values(cube: Floats) -> list[float]:
    return [float(v) for v in np.linalg.svd(cube.reshape(cube.shape[0], -1), compute_uv=False)]


def _subcube(architecture: Architecture, member: Mapping[str, Floats], used: Sequence[str]) -> Floats:
    """Return the part of a full fusion tensor that a member reads: only the constant of modalities it does not use."""
    side = member["fusion.tensor"].shape[0]
    order = len(architecture.modalities)
    cube = member["fusion.tensor"][:, : architecture.columns].astype(np.float64).reshape((side,) * order)
    kept = [*range(architecture.latent), side - 1]
    index = tuple(np.array(kept) if m in used else np.array([side - 1]) for m in architecture.modalities)
    sub: Floats = cube[np.ix_(*index)]
    return sub.reshape([len(kept) for m in architecture.modalities if m in used])
