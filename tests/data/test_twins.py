"""The truth planted in a twin can be recovered from it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tcray.data.catalog import TWIN_ONLY, dataset_names, find_card
from tcray.data.dataset import load_dataset, to_dataset
from tcray.data.loading import load_examples
from tcray.data.recipe import GENERATOR, HoldoutSplit, ModalityRecipe, Recipe, read_recipe
from tcray.data.twins import Twin, generate_twin, truth_moments, write_twin
from tcray.training.baselines import fit_linear, standardized_folds
from tests.data.conftest import ErrorMessage


@pytest.fixture(scope="module", params=dataset_names())
def planted(request: pytest.FixtureRequest) -> tuple[Recipe, Twin]:
    """Each recipe and its twin."""
    recipe = read_recipe(request.param)
    return recipe, generate_twin(recipe)


def test_the_truth_is_multilinear_in_the_latents(planted: tuple[Recipe, Twin]) -> None:
    """The truth is a full tensor of the stated rank, contracted with [1, s_m] of every modality."""
    recipe, twin = planted
    rows = [
        np.column_stack([np.ones(recipe.rank), view.strength * twin.directions[name]])
        for name, view in recipe.modalities.items()
    ]
    letters = "abc"[: len(rows)]
    tensor = np.einsum(",".join(f"r{x}" for x in letters) + f"->{letters}", *rows) / np.sqrt(recipe.rank)
    extended = [np.column_stack([np.ones(len(s)), s]) for s in twin.latents.values()]
    contracted = np.einsum(f"{letters}," + ",".join(f"n{x}" for x in letters) + "->n", tensor, *extended)
    np.testing.assert_allclose(twin.truth, contracted, rtol=0, atol=1e-10)
    assert np.linalg.matrix_rank(tensor.reshape(len(tensor), -1)) == recipe.rank


def test_directions_are_orthonormal(planted: tuple[Recipe, Twin]) -> None:
    """Directions are orthonormal, so every term of the truth adds variance of its own."""
    recipe, twin = planted
    for directions in twin.directions.values():
        np.testing.assert_allclose(directions @ directions.T, np.eye(recipe.rank), atol=1e-12)


def test_a_twin_is_reproduced_bit_for_bit(planted: tuple[Recipe, Twin]) -> None:
    """A twin is reproduced bit for bit from its recipe; another seed gives another twin."""
    recipe, twin = planted
    assert generate_twin(recipe).examples.digest == twin.examples.digest
    assert generate_twin(replace(recipe, seed=recipe.seed + 1)).examples.digest != twin.examples.digest


def test_modalities_are_drawn_independently(planted: tuple[Recipe, Twin]) -> None:
    """Removing a modality changes no feature of the others."""
    recipe, twin = planted
    first = next(iter(recipe.modalities))
    alone = generate_twin(replace(recipe, modalities={first: recipe.modalities[first]}))
    np.testing.assert_array_equal(alone.examples.features[first], twin.examples.features[first])


def test_without_noise_the_label_is_the_truth() -> None:
    """Without noise the label is the truth, shifted, scaled, rounded and clipped; for a class, its sign."""
    recipe = replace(read_recipe("mosi"), noise=0.0)
    twin = generate_twin(recipe)
    mean, variance = truth_moments(recipe)
    sentiment = recipe.location + recipe.spread * (twin.truth - mean) / np.sqrt(variance)
    inside = np.abs(sentiment) < 3 - recipe.step
    assert np.abs(twin.examples.labels - sentiment)[inside].max() <= recipe.step / 2 + 1e-6
    assert np.abs(twin.examples.labels).max() == 3
    recipe = replace(read_recipe("hateful_memes"), noise=0.0, location=0.0)
    twin = generate_twin(recipe)
    np.testing.assert_array_equal(twin.examples.labels, twin.truth > truth_moments(recipe)[0])


def test_the_moments_of_the_truth_are_those_of_its_closed_form() -> None:
    """Mean √r and variance Π (1 + t²) - 1, within four standard errors on 100,000 examples."""
    recipe = replace(
        read_recipe("mosi"),
        group_share=0.0,
        split=HoldoutSplit((99_998, 1, 1), (99_998, 1, 1)),
        modalities=_narrow("mosi"),
    )
    truth = generate_twin(recipe).truth
    mean, variance = truth_moments(recipe)
    error = truth.std() / np.sqrt(truth.size)
    assert abs(truth.mean() - mean) < 4 * error
    squares = (truth - mean) ** 2
    assert abs(squares.mean() - variance) < 4 * squares.std() / np.sqrt(truth.size)


def test_a_class_follows_a_logistic_regression_on_the_truth() -> None:
    """In each tenth of the truth, the share of positives is the logistic function's, within four standard errors."""
    recipe = replace(
        read_recipe("mustard"), split=HoldoutSplit((49_998, 1, 1), (49_998, 1, 1)), modalities=_narrow("mustard")
    )
    twin = generate_twin(recipe)
    mean, variance = truth_moments(recipe)
    liability = recipe.location + np.sqrt(1 - recipe.noise) * (twin.truth - mean) / np.sqrt(variance)
    chance = 1 / (1 + np.exp(-liability / np.sqrt(recipe.noise) * np.pi / np.sqrt(3)))
    for part in np.array_split(np.argsort(chance), 10):
        error = np.sqrt((chance[part] * (1 - chance[part])).sum()) / part.size
        assert abs(twin.examples.labels[part].mean() - chance[part].mean()) < 4 * error


@pytest.mark.parametrize("name", [name for name in dataset_names() if name not in TWIN_ONLY])
def test_the_stronger_a_modality_the_better_it_predicts_alone(name: str) -> None:
    """Linear models on single modalities rank them by strength, on enough examples."""
    sections = HoldoutSplit((3000, 500, 3000), (300, 50, 300))
    recipe = replace(read_recipe(name), split=sections, modalities=_narrow(name, 40))
    examples = generate_twin(recipe).examples
    folds = standardized_folds(to_dataset(examples.card("twin", ""), examples))

    def agreement(modality: str) -> float:
        predicted = fit_linear(recipe.task, folds, (modality,)).test
        return float(np.corrcoef(predicted, folds[0].labels.test)[0, 1])

    by_strength = sorted(recipe.modalities, key=lambda name: recipe.modalities[name].strength)
    assert sorted(recipe.modalities, key=agreement) == by_strength


def _narrow(name: str, width: int = 1) -> dict[str, ModalityRecipe]:
    return {modality: replace(view, width=width) for modality, view in read_recipe(name).modalities.items()}


def test_labels_are_what_the_task_allows(planted: tuple[Recipe, Twin]) -> None:
    """Sentiments cover [-3, 3], clipped; classes are between a third and two thirds positive."""
    recipe, twin = planted
    labels = twin.examples.labels
    if recipe.task == "regression":
        assert (labels.min(), labels.max()) == (-3, 3)
        assert 0.7 < labels.std() / recipe.spread < 1
    else:
        assert set(labels.tolist()) == {0.0, 1.0}
        assert 1 / 3 < labels.mean() < 2 / 3


def test_generating_the_largest_twin_is_fast() -> None:
    """Generating 1.8 million features takes less than two seconds of processor time."""
    start = time.process_time()
    generate_twin(read_recipe("mustard"))
    assert time.process_time() - start < 2


def test_recipes_have_the_current_generator_version(planted: tuple[Recipe, Twin]) -> None:
    """Shipped recipes have the current generator version, which their fingerprints include."""
    assert planted[0].generator == GENERATOR


def test_a_written_twin_equals_the_generated_one(tmp_path: Path) -> None:
    """A twin written to disk has the same card and arrays as the generated one, with its recipe beside it."""
    card = write_twin("mustard", tmp_path)
    assert card == find_card("mustard", tmp_path, "error") == find_card("mustard", "nowhere")
    document = json.loads((tmp_path / "mustard.recipe.json").read_text(encoding="utf-8"))
    assert Recipe.from_document(document) == read_recipe("mustard")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mustard.json", "mustard.npz", "mustard.recipe.json"]


def test_a_twin_of_another_recipe_is_read_from_disk(tmp_path: Path) -> None:
    """A twin on disk with another fingerprint, as written by an earlier version, is read from disk."""
    write_twin("mosi-heldout", tmp_path)
    document = json.loads((tmp_path / "mosi-heldout.json").read_text(encoding="utf-8"))
    (tmp_path / "mosi-heldout.json").write_text(json.dumps({**document, "fingerprint": "earlier"}), encoding="utf-8")
    card = find_card("mosi-heldout", tmp_path)
    assert (card.source, card.fingerprint) == ("twin", "earlier")
    assert load_examples(card, tmp_path).digest == document["content"]
    assert load_dataset(card, tmp_path).card == card


def test_a_twin_of_an_unknown_dataset_is_refused(tmp_path: Path, error_of: ErrorMessage) -> None:
    """An unknown name is refused with the nearest."""
    assert error_of(lambda: write_twin("mustart", tmp_path)) == 'no such dataset "mustart": did you mean "mustard"?'
