"""The result of a run depends neither on its pack, nor on interruptions, nor on members that diverge."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tcray.config.run import Run
from tcray.models.architecture import Architecture
from tcray.models.stacked import StackedModel
from tcray.training.checkpoint import Checkpoint
from tcray.training.evaluation import predict
from tcray.training.metrics import compute_metrics
from tcray.training.pack import train
from tcray.training.packed_dataset import PackedDataset, SplitName
from tests.factories import make_dataset
from tests.training.factories import bits, random_companions, run, train_fully

ODD: dict[str, Any] = {"conditioning": "jwae", "batch_size": 20, "latent_dim": 10, "hidden_dim": 24}
NARROW: dict[str, Any] = {"conditioning": "jwae", "batch_size": 7, "latent_dim": 5, "hidden_dim": 9}
KINDS: dict[str, dict[str, Any]] = {
    "lmf": {"conditioning": "none"},
    "jwae": {"conditioning": "jwae"},
    "imq": {"conditioning": "jwae", "prior_kernel": "imq"},
    "tensor": {"fusion": "tensor"},
    "concat": {"fusion": "concat"},
    "batches of 20": ODD,
    "batches of 7": NARROW,
}
SINGLE: dict[str, Any] = {"sizes": (107, 40, 70)}
FOLDED: dict[str, Any] = {"sizes": (50, 20, 30), "folds": 3}
CASES = [
    *(pytest.param(SINGLE, values, id=f"regression, {kind}") for kind, values in KINDS.items()),
    *(
        pytest.param({"task": "classification"} | SINGLE, values, id=f"classification, {kind}")
        for kind, values in KINDS.items()
    ),
    pytest.param(SINGLE, {"conditioning": "jwae", "rank": 32}, id="rank above 16"),
    pytest.param(SINGLE, {"conditioning": "jwae", "batch_size": 100}, id="batches of 100"),
    pytest.param({"task": "classification"} | FOLDED, ODD, id="uneven folds"),
    pytest.param(FOLDED, {"fusion": "tensor", "batch_size": 20}, id="uneven folds, tensor"),
]


@pytest.mark.parametrize(("data", "values"), CASES)
def test_a_run_ends_with_the_same_bits_in_any_pack(data: dict[str, Any], values: dict[str, Any]) -> None:
    """Results in packs of 2, 7 and 64 equal those of a run alone, bit for bit."""
    packed = PackedDataset.from_dataset(make_dataset(**data))
    chance = random.Random(0)
    chosen = random_companions(3, chance, **values)
    alone = [_in_two_segments(packed, [one]) for one in chosen]
    for size in (2, 7, 64):
        for begin in range(0, len(chosen), size - 1):
            mine = chosen[begin : begin + size - 1]
            runs = mine + random_companions(size - len(mine), chance, **values)
            places = chance.sample(range(size), size)
            together = _in_two_segments(packed, [runs[place] for place in places])
            for k in range(len(mine)):
                assert alone[begin + k][0] == together[places.index(k)], (size, begin + k)


def _in_two_segments(packed: PackedDataset, runs: list[Run]) -> list[tuple[object, ...]]:
    """Return the bits after the first epoch and after the second, which is trained in the opposite order."""
    first = train(packed, runs, start=0, stop=1, checkpoints=[None] * len(runs))
    checkpoints = [result.checkpoint for result in reversed(first)]
    second = train(packed, runs[::-1], start=1, stop=2, checkpoints=checkpoints, confirm=True)
    return [bits(a) + bits(b) for a, b in zip(first, reversed(second), strict=True)]


def test_runs_of_different_signatures_never_share_a_pack() -> None:
    """Runs whose tensors differ in shape are refused before training."""
    with pytest.raises(AssertionError, match="runs that share a pack share a signature and a number of epochs"):
        train_fully(PackedDataset.from_dataset(make_dataset()), [run(latent_dim=16), run(latent_dim=8)])


@pytest.mark.parametrize("kind", ["jwae", "imq", "tensor", "batches of 7"])
def test_a_resumed_run_equals_an_uninterrupted_one(kind: str) -> None:
    """Weights and metrics after epochs 1, 2-3 and 4, each from the previous checkpoint, equal those of 1-4 at once."""
    packed = PackedDataset.from_dataset(make_dataset())
    one = run(epochs=4, rank=3, dropout=0.3, audio_dropout=0.3, weight_decay=0.1, lr=3e-3, **KINDS[kind])
    [straight] = train_fully(packed, [one], confirm=True)
    state: bytes | None = None
    curve: list[Mapping[str, float]] = []
    for start, stop in ((0, 1), (1, 3), (3, 4)):
        [stopped] = train(packed, [one], start=start, stop=stop, checkpoints=[state], confirm=True)
        state = stopped.checkpoint
        curve += stopped.outcome.curve
    assert bits(straight) == bits(replace(stopped, outcome=replace(stopped.outcome, curve=curve)))


def test_a_member_that_diverges_leaves_its_neighbours_their_bits() -> None:
    """A learning rate of 1e30 fails in the first epoch; the other runs of the pack end as they would alone."""
    packed = PackedDataset.from_dataset(make_dataset())
    neighbours = random_companions(2, random.Random(1), conditioning="jwae")
    wild = run(conditioning="jwae", lr=1e30)
    before, failed, after = train_fully(packed, [neighbours[0], wild, neighbours[1]], confirm=True)
    assert (failed.outcome.state, failed.outcome.reason, failed.outcome.epoch) == ("FAILED", "diverged", 1)
    assert (failed.checkpoint, failed.weights, list(failed.outcome.curve)) == (None, None, [])
    for neighbour, beside in zip(neighbours, (before, after), strict=True):
        [alone] = train_fully(packed, [neighbour], confirm=True)
        assert bits(alone) == bits(beside)


def test_divergence_records_its_epoch() -> None:
    """Decay that multiplies three layers by -999 per step gives outputs of 1e36 after four steps, none after five."""
    packed = PackedDataset.from_dataset(make_dataset(sizes=(50, 20, 20)))
    values: dict[str, Any] = {"fusion": "concat", "modalities": ("text",), "batch_size": 64}
    growing = run(epochs=6, lr=1e-3, weight_decay=1e6, **values)
    calm = run(epochs=6, lr=1e-3, **values)
    failed, neighbour = train_fully(packed, [growing, calm])
    assert (failed.outcome.reason, failed.outcome.epoch) == ("diverged", 5)
    assert [row["epoch"] for row in failed.outcome.curve] == [1, 2, 3, 4]
    assert bits(train_fully(packed, [calm])[0]) == bits(neighbour)


def test_infinite_predictions_of_a_diverged_member_are_no_warning() -> None:
    """Outputs that overflow to infinity without a NaN fail their run only."""
    packed = PackedDataset.from_dataset(make_dataset(sizes=(50, 20, 20)))
    values: dict[str, Any] = {"fusion": "concat", "modalities": ("text",), "batch_size": 64, "latent_dim": 1}
    failed, neighbour = train_fully(packed, [run(epochs=5, weight_decay=1e6, **values), run(epochs=5, **values)])
    assert (failed.outcome.state, neighbour.outcome.state) == ("FAILED", "TRAINED")


def test_one_diverging_fold_fails_its_run() -> None:
    """A run with NaN in one of three folds fails in that epoch; the run beside it does not."""
    packed = PackedDataset.from_dataset(make_dataset(folds=3))
    runs = [run(epochs=3, seed=1), run(epochs=3, seed=2)]
    lost, sound = (result.checkpoint for result in train(packed, runs, start=0, stop=1, checkpoints=[None, None]))
    assert lost is not None
    state = Checkpoint.from_bytes(lost)
    state.weights[1] = np.nan
    failed, neighbour = train(packed, runs, start=1, stop=3, checkpoints=[state.to_bytes(), sound])
    assert (failed.outcome.state, failed.outcome.reason, failed.outcome.epoch) == ("FAILED", "diverged", 2)
    [alone] = train(packed, runs[1:], start=1, stop=3, checkpoints=[sound])
    assert bits(alone) == bits(neighbour)


@pytest.mark.parametrize(
    ("objective", "better"),
    [("valid.loss", min), ("valid.mae", min), ("valid.f1", max), ("valid.r", max)],
)
def test_metrics_are_those_of_the_epoch_with_the_best_objective(objective: str, better: Any) -> None:
    """`valid.*`, `test.*` and `train.loss_best` are of the best epoch; `last.*` and `train.loss` of the last one."""
    packed = PackedDataset.from_dataset(make_dataset(sizes=(60, 40, 40), noise=1.0))
    one = run(epochs=6, objective=objective, lr=0.05, batch_size=20, seed=1)
    [result] = train_fully(packed, [one], confirm=True)
    values = [row[objective] for row in result.outcome.curve]
    best = 1 + values.index(better(values))
    assert len(set(values)) > 1
    assert best < 6
    assert result.outcome.best_epoch == best
    assert result.outcome.value == values[-1]
    expected = _named("valid", packed, one, best) | _named("test", packed, one, best)
    expected |= _named("last.valid", packed, one, 6) | _named("last.test", packed, one, 6)
    expected |= {"train.loss": _measured("train", packed, one, 6)["loss"]}
    expected |= {"train.loss_best": _measured("train", packed, one, best)["loss"]}
    assert expected == {name: v for name, v in result.outcome.metrics.items() if not name.startswith("check.")}
    [clean] = [e for e in result.outcome.evaluations if e.condition == "clean"]
    assert _measured("test", packed, one, best) == clean.metrics


def test_the_best_epoch_survives_a_checkpoint() -> None:
    """A run that gets worse after a checkpoint ends with the metrics and weights of the earlier best epoch."""
    packed = PackedDataset.from_dataset(make_dataset(sizes=(60, 40, 40), noise=1.0))
    one = run(epochs=6, lr=0.05, batch_size=20, seed=1)
    [straight] = train_fully(packed, [one], confirm=True)
    [stopped] = train(packed, [one], start=0, stop=5, checkpoints=[None])
    [resumed] = train(packed, [one], start=5, stop=6, checkpoints=[stopped.checkpoint], confirm=True)
    assert straight.outcome.best_epoch == resumed.outcome.best_epoch < 5
    assert straight.outcome.metrics == resumed.outcome.metrics
    assert straight.weights == resumed.weights


def _named(prefix: str, packed: PackedDataset, one: Run, epoch: int) -> dict[str, float]:
    split: SplitName = "valid" if prefix.endswith("valid") else "test"
    return {f"{prefix}.{name}": value for name, value in _measured(split, packed, one, epoch).items()}


def _measured(split: SplitName, packed: PackedDataset, one: Run, epoch: int) -> dict[str, float]:
    """Return the metrics on a split of the weights that the run has after an epoch."""
    [result] = train(packed, [replace(one, epochs=epoch + 1)], start=0, stop=epoch, checkpoints=[None])
    assert result.checkpoint is not None
    architecture = Architecture.from_configuration(one.configuration, packed.modalities)
    weights = torch.from_numpy(Checkpoint.from_bytes(result.checkpoint).weights)
    model = StackedModel(architecture, weights, torch.ones(1, len(packed.modalities), dtype=torch.bool))
    [outputs] = predict(model, packed, split, torch.zeros(1, dtype=torch.long))
    labels = packed.splits[split].labels
    return compute_metrics(packed.task, outputs[: len(labels)], labels)


@pytest.mark.parametrize("objective", ["valid.loss", "valid.f1"])
def test_ties_go_to_the_earlier_epoch(objective: str) -> None:
    """If the learning rate is too small to change any prediction, the first epoch is best."""
    [result] = train_fully(PackedDataset.from_dataset(make_dataset()), [run(epochs=3, objective=objective, lr=1e-30)])
    assert len({row[objective] for row in result.outcome.curve}) == 1
    assert result.outcome.best_epoch == 1


@pytest.mark.parametrize("conditioning", ["none", "jwae"])
@pytest.mark.parametrize("fusion", ["lmf", "tensor", "concat"])
def test_padded_units_stay_exactly_zero(conditioning: str, fusion: str) -> None:
    """The number of non-zero weights and moments is that of the unpadded model's parameters."""
    dataset = make_dataset({"text": 30, "audio": 17, "video": 40})
    inputs, latent, hidden, rank = (30, 17, 40), 10, 24, 5
    one = run(
        epochs=3,
        conditioning=conditioning,
        fusion=fusion,
        rank=rank,
        latent_dim=latent,
        hidden_dim=hidden,
        dropout=0.3,
        weight_decay=0.1,
    )
    [result] = train(dataset, [one], start=0, stop=2, checkpoints=[None])
    encoders = sum((d + 1) * hidden + (hidden + 1) * latent for d in inputs)
    decoders = sum((latent + 1) * hidden + (hidden + 1) * d for d in inputs)
    fusions = {
        "lmf": len(inputs) * rank * (latent + 1) + rank + 1,
        "tensor": (latent + 1) ** len(inputs) + 1,
        "concat": len(inputs) * latent + 1,
    }
    expected = encoders + fusions[fusion] + (decoders if conditioning == "jwae" else 0)
    assert result.checkpoint is not None
    state = Checkpoint.from_bytes(result.checkpoint)
    assert [expected] * 3 == [np.count_nonzero(rows) for rows in (state.weights, state.first, state.second)]


def test_training_leaves_the_thread_count_as_it_was() -> None:
    """A pack computes on one thread and restores the previous number, also after an error."""
    packed = PackedDataset.from_dataset(make_dataset())
    torch.set_num_threads(3)
    train_fully(packed, [run(epochs=1)])
    assert torch.get_num_threads() == 3
    with pytest.raises(ValueError, match="pickled"):
        train(packed, [run()], start=1, stop=2, checkpoints=[b"no state"])
    assert torch.get_num_threads() == 3
