"""On a GPU the result of a run equals that of the CPU to a stated tolerance."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.factories import make_dataset
from tests.training.factories import run, train_fully

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize(
    "values",
    [
        {"conditioning": "jwae", "dropout": 0.3, "audio_dropout": 0.3, "weight_decay": 0.1},
        {"conditioning": "jwae", "prior_kernel": "imq"},
        {"fusion": "tensor", "modalities": ("text", "video")},
        {"fusion": "concat"},
    ],
)
@pytest.mark.parametrize("data", [{}, {"task": "classification", "folds": 3}], ids=["regression", "folds"])
def test_cpu_and_gpu_agree(data: dict[str, Any], values: dict[str, Any]) -> None:
    """After three epochs losses differ by less than 1e-3 of their size, those under corruption by less than 1e-2."""
    dataset = make_dataset(**data)
    runs = [run(epochs=3, rank=rank, seed=rank, **values) for rank in (1, 4, 16)]
    on_cpu = train_fully(dataset, runs, confirm=True)
    on_gpu = train_fully(dataset, runs, confirm=True, device="cuda")
    for cpu, gpu in zip(on_cpu, on_gpu, strict=True):
        losses = [row["train.running_loss"] for row in cpu.outcome.curve]
        assert [row["train.running_loss"] for row in gpu.outcome.curve] == pytest.approx(losses, rel=1e-3)
        for name in ("valid.loss", "test.loss", "last.test.loss", "train.loss"):
            assert gpu.outcome.metrics[name] == pytest.approx(cpu.outcome.metrics[name], rel=1e-3)
        assert [e.condition for e in gpu.outcome.evaluations] == [e.condition for e in cpu.outcome.evaluations]
        on_gpu_losses = [e.metrics["loss"] for e in gpu.outcome.evaluations]
        assert [e.metrics["loss"] for e in cpu.outcome.evaluations] == pytest.approx(on_gpu_losses, rel=1e-2)


def test_a_member_that_diverges_on_a_gpu_leaves_its_neighbours() -> None:
    """A learning rate of 1e30 fails in the first epoch, and the other run of the pack is trained."""
    failed, neighbour = train_fully(make_dataset(), [run(lr=1e30), run()], device="cuda")
    assert (failed.outcome.reason, failed.outcome.epoch) == ("diverged", 1)
    assert neighbour.outcome.state == "TRAINED"
