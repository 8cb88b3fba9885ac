"""Twins: synthetic datasets with a known truth, generated from recipes, identical on every machine."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import pi, prod, sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tcray.data.archive import write_atomically, write_examples
from tcray.data.catalog import Card, check_name
from tcray.data.examples import Examples, Partition, single_precision
from tcray.data.recipe import ModalityRecipe, Recipe, read_recipe
from tcray.errors import DataError

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Twin:
    """A twin and the hidden variables it was generated from.

    latents     s_m of each modality, (N, k)
    directions  v_im of each modality, (rank, k), orthonormal
    truth       f, (N,), before it is standardized and noise is added
    """

    examples: Examples
    latents: Mapping[str, Doubles]
    directions: Mapping[str, Doubles]
    truth: Doubles


def generate_twin(recipe: Recipe) -> Twin:
    """Generate the twin that `recipe` describes, with the truth planted in it."""
    group_of = np.asarray(recipe.assignment.group_of)
    count = group_of.size
    latents = {name: _make_latents(recipe, name, group_of) for name in recipe.modalities}
    directions = {name: _make_directions(recipe, name) for name in recipe.modalities}
    truth = compute_truth(recipe, latents, directions)
    ids = tuple(f"{recipe.name}-{i:04d}" for i in range(count))
    examples = Examples(
        name=recipe.name,
        task=recipe.task,
        primary_metric=recipe.primary_metric,
        features={name: _make_features(recipe, name, view, latents[name]) for name, view in recipe.modalities.items()},
        labels=_make_labels(recipe, truth),
        ids=ids,
        group=recipe.group,
        groups=tuple(f"{recipe.group}-{group:02d}" for group in group_of) if recipe.group else ids,
        splits=tuple(Partition.of(rows.train, rows.valid, rows.test) for rows in recipe.assignment.splits),
        notes=(recipe.note,),
    )
    return Twin(examples, latents, directions, truth)


def compute_truth(recipe: Recipe, latents: Mapping[str, Doubles], directions: Mapping[str, Doubles]) -> Doubles:
    """Return f = rank^-½ Σ_i Π_m (1 + t_m ⟨v_im, s_m⟩), (N,): a low-rank fusion of the latents themselves."""
    factors = [
        1 + view.strength * _multiply(latents[name], directions[name].T) for name, view in recipe.modalities.items()
    ]
    truth: Doubles = np.prod(factors, axis=0).sum(axis=1) / sqrt(recipe.rank)
    return truth


def truth_moments(recipe: Recipe) -> tuple[float, float]:
    """Return the mean √rank and the variance Π_m (1 + t_m²) - 1 of f over N(0, I) latents; Σ_m t_m² of it is linear."""
    return sqrt(recipe.rank), prod(1 + view.strength**2 for view in recipe.modalities.values()) - 1


def write_twin(name: str, folder: Path) -> Card:
    """Write the twin of dataset `name` into `folder` like an import, with its `<name>.recipe.json`; return its card."""
    check_name(name)
    recipe = read_recipe(name)
    card = write_examples(generate_twin(recipe).examples, folder, "twin", recipe.fingerprint)
    text = json.dumps(recipe.document(), indent=2) + "\n"
    try:
        write_atomically(folder / f"{name}.recipe.json", lambda file: file.write(text.encode()))
    except OSError as error:
        raise DataError(
            f"{folder}: cannot write the recipe: {error}", "Choose a folder that you can write to."
        ) from error
    return card


def _normal(recipe: Recipe, purpose: str, *shape: int) -> Doubles:
    """Return standard normal numbers from a stream of their own per purpose."""
    return _stream(recipe, purpose).standard_normal(shape)


def _stream(recipe: Recipe, purpose: str) -> np.random.RandomState:
    """Return numpy's legacy generator: its stream is frozen (NEP 19), so a recipe gives one twin in every version."""
    return np.random.RandomState([recipe.seed, zlib.crc32(purpose.encode())])


def _multiply(left: Doubles, right: Doubles) -> Doubles:
    """Return the product of two matrices with bits that do not depend on the number of threads."""
    product: Doubles = np.einsum("nk,kd->nd", left, right, optimize=False)
    return product


def _make_latents(recipe: Recipe, name: str, group_of: NDArray[np.int64]) -> Doubles:
    shared = _normal(recipe, f"{name} groups", int(group_of[-1]) + 1, recipe.latent_dim)[group_of]
    own = _normal(recipe, f"{name} latents", group_of.size, recipe.latent_dim)
    return sqrt(recipe.group_share) * shared + sqrt(1 - recipe.group_share) * own


def _make_directions(recipe: Recipe, name: str) -> Doubles:
    """Return orthonormal rows (Gram-Schmidt)."""
    rows: list[Doubles] = []
    for row in _normal(recipe, f"{name} directions", recipe.rank, recipe.latent_dim):
        rest = row - sum((earlier * (earlier * row).sum() for earlier in rows), np.zeros_like(row))
        rows.append(rest / np.sqrt((rest * rest).sum()))
    return np.stack(rows)


def _make_features(recipe: Recipe, name: str, view: ModalityRecipe, latents: Doubles) -> NDArray[np.float32]:
    """Return features: blurred and nuisance latents through one random linear map, plus grain.

    Columns have variance about 1.
    """
    count = latents.shape[0]
    blurred = latents + view.blur * _normal(recipe, f"{name} blur", *latents.shape)
    shown = np.hstack([blurred, _normal(recipe, f"{name} nuisance", count, recipe.nuisance_dim)])
    loadings = _normal(recipe, f"{name} loadings", shown.shape[1], view.width) / np.sqrt(shown.shape[1])
    grain = recipe.grain * _normal(recipe, f"{name} grain", count, view.width)
    return single_precision(_multiply(shown, loadings) + grain)


def _make_labels(recipe: Recipe, truth: Doubles) -> NDArray[np.float32]:
    mean, variance = truth_moments(recipe)
    signal = (truth - mean) / sqrt(variance)
    if recipe.task == "classification":
        noise = _stream(recipe, "label").logistic(scale=sqrt(3) / pi, size=truth.size)
    else:
        noise = _normal(recipe, "label", truth.size)
    label = recipe.location + recipe.spread * (sqrt(1 - recipe.noise) * signal + sqrt(recipe.noise) * noise)
    if recipe.task == "classification":
        return single_precision(label > 0)
    return single_precision(np.clip(np.rint(label / recipe.step) * recipe.step, -3, 3))
