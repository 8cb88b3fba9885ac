"""The sweep as a document."""

from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError

import pytest

from tcray.config.run import digest
from tcray.config.sweep import Sweep
from tests.config.conftest import Load

MORE = """\
question: Why?
claims: [robustness]
factors: {rank: [1, 2], modalities: [[text], [text, audio]]}
tune: {lr: {log_uniform: [1e-4, 1e-2]}, hidden_dim: {choice: [16, 32]}}
fixed: {dropout: 0.1, modality_dropout.audio: 0.5}
search: {trials: 4, wave: 2, pruner: {asha: {min_epochs: 3}}}
resources: {gpu: 0.25}
"""


@pytest.mark.parametrize("more", ["", MORE, "factors: {modalities: subsets}\nfixed: {modality_dropout.text: 1}\n"])
def test_a_sweep_comes_back_from_its_document(more: str, load: Load) -> None:
    """It does so through JSON with keys in any order."""
    sweep = load(more)
    back = Sweep.from_document(json.loads(json.dumps(sweep.to_document(), sort_keys=True)))
    assert sweep == back
    assert list(sweep.factors) == list(back.factors)
    assert list(sweep.tune) == list(back.tune)
    assert sweep == pickle.loads(pickle.dumps(sweep))


def test_a_sweep_is_frozen(load: Load) -> None:
    """Its fields cannot be assigned."""
    with pytest.raises(FrozenInstanceError):
        load().seed = 3  # type: ignore[misc]  # the very point


@pytest.mark.parametrize(
    "override",
    [
        "resources.pack=7",
        "resources.device=cpu",
        "data.missing=error",
        "data.root=other",
        "claims=null",
        "question=What?",
    ],
)
def test_keys_that_change_no_result_are_not_part_of_the_question(override: str, load: Load) -> None:
    """These are resources, data, claims and the wording of the question."""
    assert load(MORE) != load(MORE, override)
    assert load(MORE).to_question_document() == load(MORE, override).to_question_document()


@pytest.mark.parametrize(
    "override",
    [
        "datasets=[mustard]",
        "datasets=[mosi, mustard]",
        "factors.rank=[1, 3]",
        "factors.rank=[2, 1]",
        "factors.modalities=subsets",
        "tune.lr={log_uniform: [1e-4, 2e-2]}",
        "tune.lr={uniform: [1e-4, 1e-2]}",
        "tune.hidden_dim=null",
        "fixed.dropout=0.2",
        "fixed.modality_dropout.audio=null",
        "training.epochs=10",
        "search.objective=valid.mae",
        "search.sampler=random",
        "search.trials=5",
        "search.wave=1",
        "search.pruner=null",
        "search.pruner.asha.reduction_factor=2",
        "confirm=null",
        "confirm.repeats=2",
        "confirm.seeds=3",
        "seed=1",
    ],
)
def test_all_other_keys_are_part_of_the_question(override: str, load: Load) -> None:
    """A change of any of them changes the digest."""
    assert digest(load(MORE).to_question_document()) != digest(load(MORE, override).to_question_document())


def test_the_order_of_factors_and_of_tuned_hyperparameters_is_part_of_the_question(load: Load) -> None:
    """It names the cells and orders the sampler's draws."""
    for section in ("factors: {rank: [1], fusion: [lmf]}\n", "tune: {lr: {choice: [1]}, dropout: {choice: [0]}}\n"):
        key, entries = section.removesuffix("}\n").split(": {", 1)
        first, second = entries.split(", ", 1)
        turned = f"{key}: {{{second}, {first}}}\n"
        assert digest(load(section).to_question_document()) != digest(load(turned).to_question_document())


def test_a_default_written_out_is_the_same_question(load: Load) -> None:
    """Two ways to write a number are the same question, too."""
    tuned = "tune: {lr: {log_uniform: [1e-4, 1e-2]}}\n"
    said = "tune: {lr: {log_uniform: [0.0001, 0.01]}}\nsearch: {sampler: tpe, trials: 12, wave: 4}\nseed: 0\n"
    assert digest(load(tuned).to_question_document()) == digest(load(said).to_question_document())
    assert load("factors: {dropout: [0]}\n") == load("factors: {dropout: [-0.0]}\n")
