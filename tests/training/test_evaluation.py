"""Evaluation of trained members under missing modalities, noise and attacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tcray.config.run import Run
from tcray.data.dataset import standardize_features
from tcray.models.architecture import Architecture, ParameterLayout, initialize_parameters
from tcray.models.random_streams import RandomStreams
from tcray.models.stacked import StackedModel
from tcray.store.outcome import Outcome
from tcray.training import evaluation
from tcray.training.draws import Member
from tcray.training.evaluation import NOISE_LEVELS, measure_latents, predict, predict_conditions
from tcray.training.packed_dataset import PackedDataset
from tests.factories import make_dataset
from tests.training.factories import MODALITIES, bits, run, train_fully
from tests.training.reference import mmd_rbf

SUBSETS = ["+".join(subset) for size in (1, 2, 3) for subset in combinations(MODALITIES, size)]


def at_start(packed: PackedDataset, runs: Sequence[Run]) -> tuple[StackedModel, list[Member], Tensor]:
    """Return the members of these runs before training, in float64, and the fold of each."""
    architecture = Architecture.from_configuration(runs[0].configuration, packed.modalities)
    members = [
        Member(one.configuration, fold, RandomStreams.from_run(one, fold))
        for one in runs
        for fold in range(packed.folds)
    ]
    drawn = [
        ParameterLayout.from_architecture(architecture).flatten(
            initialize_parameters(architecture, m.configuration, m.streams)
        )
        for m in members
    ]
    present = torch.tensor([[m.uses(name) for name in packed.modalities] for m in members])
    model = StackedModel(architecture, torch.from_numpy(np.stack(drawn)), present)
    return model, members, torch.tensor([m.fold for m in members])


@cache
def fitted(fusion: str = "lmf") -> Outcome:
    """Return the outcome of a trained confirm run."""
    [result] = train_fully(
        PackedDataset.from_dataset(make_dataset()), [run(epochs=8, lr=1e-2, fusion=fusion)], confirm=True
    )
    return result.outcome


def test_a_confirm_run_is_evaluated_under_every_condition() -> None:
    """Conditions are clean, every non-empty subset missing, noise per modality and level, and each attack."""
    expected = ["clean", *(f"missing:{subset}" for subset in SUBSETS)]
    expected += [f"noise:{m}:{level}" for m in MODALITIES for level in NOISE_LEVELS]
    expected += [f"{attack}:{level}" for attack in ("fgsm", "pgd") for level in (0.03, 0.1, 0.3)]
    found = [e.condition for e in fitted().evaluations]
    assert sorted(expected) == sorted(found)
    assert len(found) == 1 + 7 + 9 + 6


def test_predictions_are_kept_for_clean_and_missing_conditions() -> None:
    """Predictions are stored for clean and missing conditions, one per test example in dataset order."""
    for e in fitted().evaluations:
        kept = e.condition == "clean" or e.condition.startswith("missing:")
        assert len(e.predictions) == (70 if kept else 0), e.condition


def test_the_clean_evaluation_equals_the_test_metrics() -> None:
    """The clean evaluation equals the run's `test.*` metrics."""
    [clean] = [e for e in fitted().evaluations if e.condition == "clean"]
    expected = {name.removeprefix("test."): v for name, v in fitted().metrics.items() if name.startswith("test.")}
    assert expected == clean.metrics


@pytest.mark.parametrize("fusion", ["lmf", "tensor", "concat"])
def test_with_every_modality_missing_one_constant_is_left(fusion: str) -> None:
    """With all latents at the prior's mean the output is constant; with one modality left it is not."""
    predictions = {e.condition: set(e.predictions) for e in fitted(fusion).evaluations if e.predictions}
    assert len(predictions["missing:text+audio+video"]) == 1
    assert all(len(values) > 1 for name, values in predictions.items() if name != "missing:text+audio+video")


def test_noise_grows_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """σ = 0 gives the clean prediction, a tiny σ changes it a little, and σ = 1 by far more."""
    monkeypatch.setattr(evaluation, "NOISE_LEVELS", (0.0, 1e-6, 1.0))
    packed = PackedDataset.from_dataset(make_dataset(), dtype=torch.float64)
    found = predict_conditions(*_arguments(packed, [run(), run(seed=1)]))
    for m in MODALITIES:
        zero, tiny, large = (np.abs(found[f"noise:{m}:{s}"] - found["clean"]).max() for s in (0.0, 1e-6, 1.0))
        assert zero == 0
        assert 0 < tiny < 1e-4
        assert large > 1e3 * tiny


def _arguments(packed: PackedDataset, runs: Sequence[Run]) -> tuple[StackedModel, PackedDataset, list[Member], Tensor]:
    model, members, folds = at_start(packed, runs)
    return model, packed, members, folds


@pytest.mark.parametrize("values", [{}, {"conditioning": "jwae"}, {"fusion": "tensor"}, {"fusion": "concat"}])
def test_the_input_of_an_absent_modality_has_no_influence(values: dict[str, Any]) -> None:
    """Shuffling an unused modality between examples changes no bit of the result."""
    dataset = make_dataset()
    shuffled = dict(dataset.features) | {"audio": dataset.features["audio"].roll(1, 0)}
    one = run(modalities=("text", "video"), dropout=0.2, **values)
    [mine] = train_fully(dataset, [one], confirm=True)
    [theirs] = train_fully(replace(dataset, features=shuffled), [one], confirm=True)
    assert bits(mine) == bits(theirs)
    by_name = {e.condition: repr(e.metrics) for e in mine.outcome.evaluations}
    assert by_name["missing:audio"] == by_name["noise:audio:1.0"] == by_name["clean"]
    assert not any(name.endswith(".audio") for name in mine.outcome.metrics)


def test_each_member_predicts_its_own_folds_split() -> None:
    """A member predicts its fold's rows, standardized by its fold's train rows."""
    dataset = make_dataset(sizes=(60, 20, 20), folds=3)
    packed, features = PackedDataset.from_dataset(dataset, dtype=torch.float64), standardize_features(dataset)
    model, _, folds = at_start(packed, [run(), run(seed=1)])
    outputs = predict(model, packed, "test", folds)
    for k, fold in enumerate(folds.tolist()):
        rows = dataset.splits[fold].test
        alone = StackedModel(model.architecture, model.rows[k : k + 1], model.present[k : k + 1])
        inputs = [torch.nn.functional.pad(x[fold, rows].double(), (0, -x.shape[2] % 16)) for x in features.values()]
        expected = alone.fuse(alone.encode([x[None] for x in inputs]))[0]
        assert outputs[k, : len(rows)] == pytest.approx(expected.numpy(), abs=1e-12)


@pytest.mark.parametrize("folds", [1, 3])
def test_the_manipulation_check_is_measured_on_the_whole_validation_split(folds: int) -> None:
    """MMD², mean ‖z‖²/ℓ and reconstruction error are computed on all validation rows at once."""
    dataset = make_dataset(sizes=(100, 90, 20), folds=folds)
    packed, features = PackedDataset.from_dataset(dataset, dtype=torch.float64), standardize_features(dataset)
    model, _, of_member = at_start(packed, [run(conditioning="jwae", latent_dim=10)])
    found = measure_latents(model, packed, of_member)
    for k, fold in enumerate(of_member.tolist()):
        rows = dataset.splits[fold].valid
        alone = StackedModel(model.architecture, model.rows[k : k + 1], model.present[k : k + 1])
        padded = [torch.nn.functional.pad(x[fold, rows].double(), (0, -x.shape[2] % 16)) for x in features.values()]
        latents = alone.encode([x[None] for x in padded])
        for m, z, y, x in zip(MODALITIES, latents, alone.decode(latents), padded, strict=True):
            latent, error = z[0, :, :10], (y[0] - x)[:, : packed.modalities[m]]
            assert found[f"mmd2.{m}"][k] == pytest.approx(mmd_rbf(latent).item(), abs=1e-12)
            assert found[f"norm.{m}"][k] == pytest.approx(latent.square().mean().item())
            assert found[f"reconstruction.{m}"][k] == pytest.approx(error.square().mean().item())
