"""The committed population curves have the shapes that the twins promise, and can be reproduced."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tcray.config.run import ENGINE_VERSION
from tcray.data.catalog import TWIN_ONLY
from tcray.data.recipe import HoldoutSplit, read_recipe
from tcray.data.twins import generate_twin
from tests.population import (
    SEEDS,
    PopulationCurve,
    enlarge_test_split,
    level_names,
    load_known_sweep,
    metric_of,
    train_units,
)


def from_reference(name: str) -> tuple[PopulationCurve, Mapping[int | str, tuple[float, float]]]:
    """Return a twin's curve, and by level the mean minus the reference's with its standard error, in SD."""
    curve = PopulationCurve.read(name)
    each = zip(curve.difference, curve.difference_standard_error, strict=True)
    by_level = [(mean / curve.residual_sd, error / curve.residual_sd) for mean, error in each]
    return curve, dict(zip(curve.levels, by_level, strict=True))


@pytest.mark.parametrize("name", TWIN_ONLY)
def test_a_curve_is_of_its_recipe_its_sweep_and_this_engine(name: str) -> None:
    """A curve belongs to the current recipe, sweep and engine; otherwise its own command measures it again."""
    curve, asked, recipe = PopulationCurve.read(name), load_known_sweep(name), read_recipe(name)
    assert curve.fingerprint == recipe.fingerprint, f"measure it anew: {curve.command}"
    assert curve.engine == ENGINE_VERSION, f"measure it anew: {curve.command}"
    assert dict(curve.configuration) == dict(asked.fixed)
    assert (curve.epochs, curve.metric, curve.levels) == (
        asked.training.epochs,
        metric_of(recipe),
        level_names(asked),
    )
    assert (curve.dataset, asked.datasets, asked.search) == (name, (name,), None)
    assert curve.seeds == SEEDS >= 200


@pytest.mark.parametrize("name", TWIN_ONLY)
def test_an_enlarged_test_split_changes_nothing_else(name: str) -> None:
    """Train, validation and the twin's own test examples are unchanged, bit for bit."""
    recipe = read_recipe(name)
    assert isinstance(recipe.split, HoldoutSplit)
    own, large = (
        generate_twin(recipe).examples,
        generate_twin(enlarge_test_split(recipe, recipe.split.examples[2] + 100)).examples,
    )
    count = len(own.ids)
    np.testing.assert_array_equal(own.labels, large.labels[:count])
    for modality, matrix in own.features.items():
        np.testing.assert_array_equal(matrix, large.features[modality][:count])
    for part in ("train", "valid"):
        np.testing.assert_array_equal(getattr(own.splits[0], part), getattr(large.splits[0], part))


@pytest.mark.parametrize("name", TWIN_ONLY)
def test_a_slice_of_a_curve_is_measured_again(name: str) -> None:
    """The means of four seeds on a tenth of the test examples lie within four standard errors of the curve."""
    curve = PopulationCurve.read(name)
    recipe = enlarge_test_split(read_recipe(name), curve.test_examples // 10)
    values = train_units(load_known_sweep(name), [(0, seed) for seed in range(4)], recipe)
    between = np.array(curve.standard_error) * np.sqrt(curve.seeds)
    np.testing.assert_array_less(np.abs(values.mean(axis=0) - curve.mean), 4 * between / np.sqrt(4))


def test_overfit_peaks_at_rank_2() -> None:
    """Every other rank is worse by more than two standard errors; rank 1 and the highest by at least one SD."""
    curve, by_level = from_reference("twin-overfit")
    assert curve.reference == 2
    assert all(mean > 2 * error for rank, (mean, error) in by_level.items() if rank != 2)
    assert min(by_level[1][0], by_level[16][0]) >= 1


def test_saturating_rises_and_stays() -> None:
    """No rank is worse than a lower one by more than two standard errors or .2 SD; rank 1 is, by more than 2 SD."""
    _, by_level = from_reference("twin-saturating")
    best_so_far = np.minimum.accumulate([mean for mean, _ in by_level.values()])
    for (mean, error), best in zip(by_level.values(), best_so_far, strict=True):
        assert mean - best <= max(2 * error, 0.2)
    assert by_level[1][0] > 2


def test_flat_is_flat() -> None:
    """All ranks are within a quarter of an SD."""
    _, by_level = from_reference("twin-flat")
    means = [mean for mean, _ in by_level.values()]
    assert max(means) - min(means) < 0.25


def test_harmful_is_better_without_audio() -> None:
    """Removing audio improves the metric by more than one SD; removing text or video makes it worse."""
    _, by_level = from_reference("twin-harmful")
    assert by_level["text+video"][0] < -1
    assert min(by_level["text+audio"][0], by_level["audio+video"][0]) > 1


def test_harmless_is_worse_without_any() -> None:
    """Removing any modality makes the metric worse, even the weak audio."""
    _, by_level = from_reference("twin-harmless")
    without = [by_level[subset] for subset in ("text+video", "text+audio", "audio+video")]
    assert all(mean > 2 * error for mean, error in without)
