"""Losses that condition the latents on a shared prior: MMD to N(0, I), reconstruction, alignment between modalities.

WAE-MMD (Tolstikhin et al. 2018, algorithm 2) for each modality; the joint Wasserstein autoencoder (Mahajan et al. 2019)
adds the alignment. All functions return one number per member, (K,); `mask` (K, B) is 1 for the rows of a batch and 0
for its padding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

BANDWIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""σ² of the RBF mixture, in units of ℓ."""
IMQ_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""C of the inverse multiquadric mixture, in units of 2ℓ (Tolstikhin et al. 2018, section 4)."""


def mmd_rbf(z: Tensor, mask: Tensor, pairs: Tensor, dim: int) -> Tensor:
    """Return MMD² (K,) between latents z (K, B, ℓ) and N(0, I) in `dim` dimensions: the U-statistic over pairs of rows.

    The kernel is the mean of exp(-‖x - y‖²/2σ²) over `BANDWIDTHS`. Its expectations under the Gaussian are closed
    forms, E k(z, p) = (σ²/(σ²+1))^{ℓ/2} exp(-‖z‖²/2(σ²+1)) and E k(p, p') = (σ²/(σ²+2))^{ℓ/2}: no prior is sampled.
    `pairs` is `pair_weights(mask)`. Zero if a batch has fewer than two rows.
    """
    value: Tensor = _RbfToGaussian.apply(z, mask, pairs, dim)  # type: ignore[no-untyped-call]  # torch leaves `apply` untyped
    return value


class _RbfToGaussian(torch.autograd.Function):
    """The statistic and its gradient in one pass: both use every kernel value, and a member's value is one number."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, mask: Tensor, pairs: Tensor, dim: int) -> Tensor:
        variances = [width * dim for width in BANDWIDTHS]
        count = mask.sum(1, keepdim=True)
        own = torch.where(count > 1, 2 * mask / count.clamp(min=1), 0.0)
        pairs = pairs / len(variances)
        norm = (z * z).sum(2)
        power = _squared_distances(z, norm).mul_(-0.5 / variances[-1]).exp_()
        kernel, slope = power.clone(), power.clone()
        for k in range(1, len(variances)):  # σ² halves each time, so each kernel is the square of the previous one
            power.mul_(power)
            kernel.add_(power)
            slope.add_(power, alpha=2.0**k)
        value = (kernel.mul_(pairs)).sum((1, 2))
        slope.mul_(pairs).div_(-0.5 * variances[-1])  # each row occurs in a pair twice, as first and as second
        gradient = slope.sum(2, keepdim=True) * z - torch.bmm(slope, z)
        expected, pull = torch.zeros_like(norm), torch.zeros_like(norm)
        for variance in variances:
            term = torch.exp(norm * (-0.5 / (variance + 1))).mul_(
                (variance / (variance + 1)) ** (dim / 2) / len(variances)
            )
            expected.add_(term)
            pull.add_(term, alpha=1 / (variance + 1))
        between = sum((variance / (variance + 2)) ** (dim / 2) for variance in variances) / len(variances)
        ctx.save_for_backward(gradient.add_((pull * own).unsqueeze(2) * z))
        return torch.where(count[:, 0] > 1, value - (expected * own).sum(1) + between, 0.0)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * upstream[:, None, None], None, None, None


def pair_weights(mask: Tensor) -> Tensor:
    """Return weights (K, B, B) that average over ordered pairs of different rows; 0 if there are none."""
    count = mask.sum(1)[:, None, None]
    different = 1 - torch.eye(mask.shape[1], dtype=mask.dtype, device=mask.device)
    return mask.unsqueeze(2) * mask.unsqueeze(1) * different / (count * (count - 1)).clamp(min=1)


def mmd_imq(z: Tensor, mask: Tensor, pairs: Tensor, dim: int, prior: Tensor) -> Tensor:
    """Return MMD² (K,) between latents z (K, B, ℓ) and prior samples (K, B, ℓ), with the kernel C/(C + ‖x - y‖²).

    The kernel is the mean of these inverse multiquadrics over `IMQ_SCALES`; `pairs` is `pair_weights(mask)`. Zero if a
    batch has fewer than two rows.
    """
    norm, prior_norm = (z * z).sum(2), (prior * prior).sum(2)
    within, beside = _squared_distances(z, norm), _squared_distances(prior, prior_norm)
    across = norm.unsqueeze(2) + prior_norm.unsqueeze(1) - 2 * torch.bmm(z, prior.transpose(1, 2))
    count = mask.sum(1)
    everyone = mask.unsqueeze(2) * mask.unsqueeze(1) / (count * count).clamp(min=1)[:, None, None]
    total = torch.zeros_like(count)
    for scale in IMQ_SCALES:
        c = 2 * dim * scale
        total = total + ((c / (c + within) + c / (c + beside)) * pairs - 2 * c / (c + across) * everyone).sum((1, 2))
    return torch.where(count > 1, total / len(IMQ_SCALES), 0.0)


def _squared_distances(z: Tensor, norm: Tensor) -> Tensor:
    """Return ‖z_i - z_j‖² (K, B, B) for latents (K, B, ℓ) with squared norms (K, B)."""
    return (norm.unsqueeze(2) + norm.unsqueeze(1)).sub(torch.bmm(z, z.transpose(1, 2)), alpha=2).clamp(min=0)


def reconstruction_loss(decoded: Tensor, x: Tensor, mask: Tensor, width: int) -> Tensor:
    """Return the mean over rows of ‖x̂ - x‖²/d (K,) for (K, B, d) tensors whose true width is `width`."""
    value: Tensor = _MeanSquare.apply(decoded - x, row_weights(mask) / width)  # type: ignore[no-untyped-call]  # torch leaves `apply` untyped
    return value


def alignment_loss(a: Tensor, b: Tensor, mask: Tensor, dim: int) -> Tensor:
    """Return the mean over rows of ‖a - b‖²/ℓ (K,) for latents (K, B, ℓ) of two modalities."""
    value: Tensor = _MeanSquare.apply(a - b, row_weights(mask) / dim)  # type: ignore[no-untyped-call]  # torch leaves `apply` untyped
    return value


def second_moment(z: Tensor, mask: Tensor, dim: int) -> Tensor:
    """Return the mean over rows of ‖z‖²/ℓ (K,), which is 1 under the prior."""
    value: Tensor = _MeanSquare.apply(z, row_weights(mask) / dim)  # type: ignore[no-untyped-call]  # torch leaves `apply` untyped
    return value


class _MeanSquare(torch.autograd.Function):
    """Σ_b w_b ‖v_b‖² with the gradient 2 w_b v_b in one pass, of which autograd takes three."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(vectors, weights)
        return ((vectors * vectors).sum(2) * weights).sum(1)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        vectors, weights = ctx.saved_tensors
        return vectors * (2 * weights * upstream.unsqueeze(1)).unsqueeze(2), None


def row_weights(mask: Tensor) -> Tensor:
    """Return weights (K, B) that average over rows; 0 if there are none."""
    return mask / mask.sum(1, keepdim=True).clamp(min=1)
