"""The kernel statistics agree with samples, naive loops and numerical gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tcray.models.conditioning import (
    BANDWIDTHS,
    IMQ_SCALES,
    alignment_loss,
    mmd_imq,
    mmd_rbf,
    pair_weights,
    reconstruction_loss,
    row_weights,
    second_moment,
)

RAGGED = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]).double()
"""Masks of four members: a whole batch, a partial one, a single row, none."""


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Return standard normal numbers in float64."""
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def rbf(a: Tensor, b: Tensor, dim: int) -> Tensor:
    """Return the kernel between vectors (…, ℓ), written from its definition."""
    square = (a - b).square().sum(-1)
    return torch.stack([torch.exp(-square / (2 * width * dim)) for width in BANDWIDTHS]).mean(0)


@pytest.mark.parametrize("dim", [1, 5, 16])
@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (1.0, 0.5), (-0.5, 2.0), (0.0, 0.0)])
def test_closed_form_agrees_with_sampling_the_prior(dim: int, shift: float, scale: float) -> None:
    """The U-statistic lies within four standard errors of its estimate from 20,000 pairs of prior samples."""
    z = shift + scale * normal(12, dim)
    among = torch.stack([rbf(z[i], z[j], dim) for i in range(12) for j in range(12) if i != j]).mean()
    p, q = normal(20_000, dim, seed=1), normal(20_000, dim, seed=2)
    estimates = among - 2 * rbf(p[:, None], z, dim).mean(1) + rbf(p, q, dim)
    error = estimates.std() / math.sqrt(len(estimates))
    rows = torch.ones(1, 12).double()
    [value] = mmd_rbf(z[None], rows, pair_weights(rows), dim)
    assert error < 0.005
    assert abs(value - estimates.mean()) < 4 * error


@pytest.mark.parametrize("dim", [1, 4, 16])
def test_statistic_is_unbiased(dim: int) -> None:
    """Over 4,000 batches drawn from the prior, the mean is 0 within four standard errors."""
    rows = torch.ones(4000, 8).double()
    values = mmd_rbf(normal(4000, 8, dim), rows, pair_weights(rows), dim)
    assert abs(values.mean()) < 4 * values.std() / math.sqrt(len(values))


@pytest.mark.parametrize("dim", [1, 5])
def test_gradient_of_the_closed_form_is_the_numerical_one(dim: int) -> None:
    """The hand-written backward pass agrees with finite differences, also for padded rows and latent units."""
    z = (0.5 + normal(4, 6, 5)).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: mmd_rbf(z, RAGGED, pair_weights(RAGGED), dim), z)


def test_distances_below_two_rows_are_zero() -> None:
    """With fewer than two rows, both kernels give MMD² 0 and no gradient."""
    z = normal(4, 6, 5).requires_grad_()
    pairs = pair_weights(RAGGED)
    for value in (mmd_rbf(z, RAGGED, pairs, 5), mmd_imq(z, RAGGED, pairs, 5, normal(4, 6, 5, seed=1))):
        assert value[2:].tolist() == [0.0, 0.0]
        [gradient] = torch.autograd.grad(value.sum(), z)
        assert not gradient[2:].any()
        assert not gradient[1, 3:].any()


def test_padding_changes_no_value() -> None:
    """Rows past a batch's end and latent units past ℓ do not change the statistic."""
    z, padded = normal(1, 3, 5), torch.zeros(1, 6, 8).double()
    padded[:, :3, :5] = z
    padded[:, 3:, :5] = 100 * normal(1, 3, 5, seed=1)
    rows = torch.ones(1, 3).double()
    assert torch.equal(mmd_rbf(z, rows, pair_weights(rows), 5), mmd_rbf(padded[:, :3], rows, pair_weights(rows), 5))
    within = mmd_rbf(padded, RAGGED[1:2], pair_weights(RAGGED[1:2]), 5)
    assert within.item() == pytest.approx(mmd_rbf(z, rows, pair_weights(rows), 5).item(), abs=1e-14)


def test_imq_agrees_with_a_double_loop() -> None:
    """MMD² between latents and samples equals algorithm 2 of Tolstikhin et al., computed pair by pair."""
    z, prior, dim = normal(4, 6, 5), normal(4, 6, 5, seed=1), 5

    def kernel(x: Tensor, y: Tensor) -> float:
        square = float((x - y).square().sum())
        return sum(2 * dim * s / (2 * dim * s + square) for s in IMQ_SCALES) / len(IMQ_SCALES)

    def naive(z: Tensor, prior: Tensor) -> float:
        n, value = len(z), 0.0
        for i in range(n):
            for j in range(n):
                if i != j:
                    value += (kernel(z[i], z[j]) + kernel(prior[i], prior[j])) / (n * (n - 1))
                value -= 2 * kernel(z[i], prior[j]) / n**2
        return value

    expected = [naive(z[k, :n], prior[k, :n]) for k, n in ((0, 6), (1, 3))]
    assert mmd_imq(z, RAGGED, pair_weights(RAGGED), dim, prior)[:2].tolist() == pytest.approx(expected, abs=1e-14)


def test_weights_average_over_rows_and_over_pairs() -> None:
    """Row and pair weights sum to one if there is a row or a pair, and are zero on padding."""
    assert row_weights(RAGGED).sum(1).tolist() == pytest.approx([1, 1, 1, 0])
    pairs = pair_weights(RAGGED)
    assert pairs.sum((1, 2)).tolist() == pytest.approx([1, 1, 0, 0])
    assert not pairs.diagonal(dim1=1, dim2=2).any()
    assert not pairs[1, 3:].any()


def test_mean_squares_are_means_over_rows_and_units() -> None:
    """Reconstruction, alignment and second moment divide by the true width and the number of rows."""
    a, b = normal(4, 6, 5), normal(4, 6, 5, seed=1)
    gaps = [(a[k, :n] - b[k, :n]).square().mean().item() for k, n in ((0, 6), (1, 3), (2, 1))]
    assert reconstruction_loss(a, b, RAGGED, 5).tolist() == pytest.approx([*gaps, 0.0])
    assert alignment_loss(a, b, RAGGED, 5).tolist() == pytest.approx([*gaps, 0.0])
    norms = [a[k, :n].square().mean().item() for k, n in ((0, 6), (1, 3), (2, 1))]
    assert second_moment(a, RAGGED, 5).tolist() == pytest.approx([*norms, 0.0])


def test_gradient_of_mean_squares_is_the_numerical_one() -> None:
    """The hand-written backward pass agrees with finite differences."""
    a, b = normal(4, 6, 5).requires_grad_(), normal(4, 6, 5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: alignment_loss(a, b, RAGGED, 5), (a, b))
    assert torch.autograd.gradcheck(lambda a, b: reconstruction_loss(a, b, RAGGED, 3), (a, b))
