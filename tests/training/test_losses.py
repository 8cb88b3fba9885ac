"""The task loss per member; the total loss is checked against the reference implementation."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from tcray.config.metrics import Task
from tcray.training.losses import task_loss


@pytest.mark.parametrize(
    ("task", "plain"), [("regression", l1_loss), ("classification", binary_cross_entropy_with_logits)]
)
def test_task_loss_is_the_mean_over_a_members_rows(task: Task, plain: torch.nn.Module) -> None:
    """Padding does not count, and a batch without rows has loss 0."""
    outputs = torch.tensor([[2.0, -1.0, 0.5], [0.3, 1e6, -7.0], [1.0, 2.0, 3.0]])
    labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    rows = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    expected = [plain(outputs[0], labels[0]).item(), plain(outputs[1, :1], labels[1, :1]).item(), 0.0]
    assert task_loss(task, outputs, labels, rows).tolist() == pytest.approx(expected)
