"""AdamW (Loshchilov & Hutter 2019) with a learning rate and a weight decay per member.

On the CPU each member's step is torch's own fused kernel on that member's row: one pass over memory, and by
construction the same bits in any pack. On an accelerator, a kernel launch per member would cost more than the
arithmetic, so the same update is written for all rows at once, with the rates as (K, 1) vectors.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class AdamW:
    """AdamW over stacked parameters (K, P), with their gradients and moments and the steps taken (K,)."""

    def __init__(
        self,
        parameters: Tensor,
        first: Tensor,
        second: Tensor,
        steps: Tensor,
        *,
        lr: Sequence[float],
        weight_decay: Sequence[float],
        num_decayed: int,
    ) -> None:
        """Start from the given moments; weight decay acts on the first `num_decayed` numbers of a row."""
        self.parameters, self.first, self.second, self.steps = parameters, first, second, steps
        self.gradients = torch.zeros_like(parameters)
        """Gradients (K, P); to be filled before each step."""
        self._lr, self._weight_decay, self._decaying = lr, weight_decay, num_decayed
        self._counts = steps.unbind(0)
        tensors = (parameters, self.gradients, first, second)
        self._decayed = [[[row] for row in t[:, :num_decayed].unbind(0)] for t in tensors]
        self._plain = [[[row] for row in t[:, num_decayed:].unbind(0)] for t in tensors]

    def step(self, active: Sequence[bool]) -> None:
        """Update the `active` members; the others stay unchanged, even if their gradients are not zero."""
        if self.steps.device.type == "cpu":
            self._by_member(active)
        else:
            self._at_once(torch.tensor(active, device=self.steps.device))

    def _by_member(self, active: Sequence[bool]) -> None:
        for k, moves in enumerate(active):
            if moves:
                self._counts[k].add_(1)
                self._fused(k, self._decayed, self._weight_decay[k])
                self._fused(k, self._plain, 0.0)

    def _fused(self, k: int, tensors: Sequence[Sequence[list[Tensor]]], decay: float) -> None:
        parameters, gradients, first, second = (rows[k] for rows in tensors)
        torch._fused_adamw_(  # torch.optim's own kernel, which it calls with one rate for all rows
            parameters,
            gradients,
            first,
            second,
            [],
            [self._counts[k]],
            lr=self._lr[k],
            beta1=BETA1,
            beta2=BETA2,
            weight_decay=decay,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def _at_once(self, active: Tensor) -> None:
        self.steps += active
        taken = self.steps.double().clamp(min=1)
        lr, decay = taken.new_tensor(self._lr), taken.new_tensor(self._weight_decay)
        moves = active.unsqueeze(1)

        def column(values: Tensor) -> Tensor:
            return values.unsqueeze(1).to(self.parameters.dtype)

        gradients = torch.where(moves, self.gradients, 0.0)
        self.first.copy_(torch.where(moves, torch.lerp(self.first, gradients, 1 - BETA1), self.first))
        self.second.copy_(torch.where(moves, BETA2 * self.second + (1 - BETA2) * gradients * gradients, self.second))
        denominator = self.second.sqrt() / column((1 - BETA2**taken).sqrt()) + EPSILON
        size = torch.where(active, lr / (1 - BETA1**taken), 0.0)
        self.parameters[:, : self._decaying] *= column(torch.where(active, 1 - lr * decay, 1.0))
        self.parameters -= torch.where(moves, column(size) * (self.first / denominator), 0.0)
