"""Both implementations of a step agree with torch's AdamW, member by member."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from tcray.training.optimizer import AdamW

LR, DECAY = [1e-3, 0.1, 3e-2], [0.0, 0.1, 10.0]
WIDTH, DECAYING = 21, 14
Step = Callable[[AdamW, Sequence[bool]], None]


def one_by_one(optimizer: AdamW, active: Sequence[bool]) -> None:
    """Take a step as on the CPU."""
    optimizer._by_member(active)


def at_once(optimizer: AdamW, active: Sequence[bool]) -> None:
    """Take a step as on an accelerator."""
    optimizer._at_once(torch.tensor(active))


STEPS = pytest.mark.parametrize("step", [one_by_one, at_once])


def numbers(seed: int) -> Tensor:
    """Return numbers (K, P) in float64."""
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((len(LR), WIDTH)))


def started(parameters: Tensor) -> AdamW:
    """Return an optimizer of rows that have not moved yet."""
    zeros = torch.zeros_like(parameters)
    return AdamW(
        parameters.clone(),
        zeros.clone(),
        zeros.clone(),
        torch.zeros(len(LR)),
        lr=LR,
        weight_decay=DECAY,
        num_decayed=DECAYING,
    )


@STEPS
def test_members_move_as_torch_would_move_each(step: Step) -> None:
    """After 20 steps every row agrees with `torch.optim.AdamW` at its own rate and decay; biases do not decay."""
    start = numbers(0)
    optimizer = started(start)
    plain = []
    for k, (lr, decay) in enumerate(zip(LR, DECAY, strict=True)):
        weights, biases = (p.clone().requires_grad_() for p in (start[k, :DECAYING], start[k, DECAYING:]))
        groups = [{"params": [weights], "weight_decay": decay}, {"params": [biases], "weight_decay": 0.0}]
        plain.append((weights, biases, torch.optim.AdamW(groups, lr=lr)))
    for i in range(20):
        gradients = numbers(1 + i) * 10.0 ** (i % 5 - 3)
        optimizer.gradients.copy_(gradients)
        step(optimizer, [True] * len(LR))
        for gradient, (weights, biases, reference) in zip(gradients, plain, strict=True):
            weights.grad, biases.grad = gradient[:DECAYING].clone(), gradient[DECAYING:].clone()
            reference.step()
    expected = torch.stack([torch.cat([weights, biases]).detach() for weights, biases, _ in plain])
    torch.testing.assert_close(optimizer.parameters, expected, rtol=0, atol=1e-12)
    assert optimizer.steps.tolist() == [20.0] * len(LR)


@STEPS
def test_inactive_members_stay_where_they_are(step: Step) -> None:
    """An inactive member keeps its parameters, moments and step count, even if its gradient is NaN."""
    optimizer = started(numbers(0))
    optimizer.gradients.copy_(numbers(1))
    step(optimizer, [True] * len(LR))
    rows = (optimizer.parameters, optimizer.first, optimizer.second)
    before = [tensor.clone() for tensor in rows]
    optimizer.gradients.copy_(numbers(2))
    optimizer.gradients[1] = math.nan
    step(optimizer, [True, False, False])
    assert [torch.equal(a[1:], b[1:]) for a, b in zip(before, rows, strict=True)] == [True] * 3
    assert not any(torch.equal(a[0], b[0]) for a, b in zip(before, rows, strict=True))
    assert all(tensor.isfinite().all() for tensor in rows)
    assert optimizer.steps.tolist() == [2.0, 1.0, 1.0]


@STEPS
def test_bias_correction_uses_each_members_own_steps(step: Step) -> None:
    """Bias correction follows each member's own steps; a pause does not change it."""
    together, resting = started(numbers(0)), started(numbers(0))
    for i in range(3):
        together.gradients.copy_(numbers(1 + i))
        step(together, [True] * len(LR))
    for i, active in ((0, True), (9, False), (1, True), (2, True)):
        resting.gradients.copy_(numbers(1 + i))
        step(resting, [True, active, True])
    assert torch.equal(resting.parameters[1], together.parameters[1])


def test_on_the_cpu_a_step_is_one_by_one() -> None:
    """On the CPU `step` uses the path whose bits do not depend on the pack."""
    chosen, direct = started(numbers(0)), started(numbers(0))
    for optimizer in (chosen, direct):
        optimizer.gradients.copy_(numbers(1))
    chosen.step([True, True, False])
    one_by_one(direct, [True, True, False])
    assert torch.equal(chosen.parameters, direct.parameters)
