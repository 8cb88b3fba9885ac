"""Adversarial attacks stay in their ball and raise the loss."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from tcray.training.attacks import EPSILONS, Attacker, Corruption
from tcray.training.packed_dataset import PackedDataset
from tests.factories import make_dataset
from tests.training.factories import MODALITIES, run
from tests.training.test_evaluation import at_start, fitted

ATTACKS = [Attacker.fgsm, Attacker.pgd]


@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_an_attack_raises_the_loss_of_a_trained_model(attack: str) -> None:
    """The loss of a trained model increases with ε."""
    losses = {e.condition: e.metrics["loss"] for e in fitted().evaluations}
    found = [losses["clean"], *(losses[f"{attack}:{level}"] for level in EPSILONS)]
    assert found == sorted(found)
    assert len(set(found)) == len(found)


def test_pgd_reaches_at_least_the_loss_of_fgsm() -> None:
    """At the largest ε, for which the loss is least linear, PGD reaches at least the loss of FGSM."""
    losses = {e.condition: e.metrics["loss"] for e in fitted().evaluations}
    assert losses[f"pgd:{EPSILONS[-1]}"] >= losses[f"fgsm:{EPSILONS[-1]}"]


def test_fgsm_moves_every_used_input_by_epsilon() -> None:
    """FGSM moves inputs by ε along the sign of the gradient; padded columns and absent modalities stay unchanged."""
    packed = PackedDataset.from_dataset(make_dataset(), dtype=torch.float64)
    model, members, folds = at_start(packed, [run(), run(modalities=("text", "video"))])
    rows, inputs = next(packed.splits["test"].blocks(folds))
    moved = Attacker.from_members(packed, members, folds).fgsm(0.25)(model, rows, inputs)
    count = len(packed.splits["test"].indices[0][rows])
    labels = torch.from_numpy(packed.splits["test"].labels[rows])
    leaves = [x[:, :count].clone().requires_grad_() for x in inputs]
    loss = (model.fuse(model.encode(leaves)) - labels).abs().sum()
    for x, y, gradient, m in zip(inputs, moved, torch.autograd.grad(loss, leaves), MODALITIES, strict=True):
        torch.testing.assert_close((y - x)[:, :count], 0.25 * gradient.sign(), rtol=0, atol=1e-12)
        assert not (y - x)[..., packed.modalities[m] :].any()
    steps = [(y - x)[:, :count].abs().amax((1, 2)).tolist() for x, y in zip(inputs, moved, strict=True)]
    assert steps == [pytest.approx([0.25, 0.25]), pytest.approx([0.25, 0.0]), pytest.approx([0.25, 0.25])]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_input_leaves_the_ball(attack: Callable[[Attacker, float], Corruption]) -> None:
    """Every coordinate stays within ε, and padded columns stay unchanged."""
    packed = PackedDataset.from_dataset(make_dataset(), dtype=torch.float64)
    model, members, folds = at_start(packed, [run(), run(seed=1)])
    rows, inputs = next(packed.splits["test"].blocks(folds))
    moved = attack(Attacker.from_members(packed, members, folds), 0.3)(model, rows, inputs)
    for x, y, m in zip(inputs, moved, MODALITIES, strict=True):
        assert (y - x).abs().max() <= 0.3 + 1e-12
        assert not (y - x)[..., packed.modalities[m] :].any()


def test_pgd_without_a_gradient_stays_at_its_random_start() -> None:
    """Without a gradient PGD stays at its start: uniform in the ε-ball, and different for each seed."""
    packed = PackedDataset.from_dataset(make_dataset(), dtype=torch.float64)
    model, members, folds = at_start(packed, [run(modalities=("text",)), run(modalities=("text",), seed=1)])
    rows, inputs = next(packed.splits["test"].blocks(folds))
    moved = Attacker.from_members(packed, members, folds).pgd(0.3)(model, rows, inputs)
    width = packed.modalities["audio"]
    offsets = (moved[1] - inputs[1])[..., :width]
    assert offsets.abs().max() <= 0.3
    assert offsets.std().item() == pytest.approx(0.3 / 3**0.5, rel=0.1)
    assert not torch.equal(offsets[0], offsets[1])
