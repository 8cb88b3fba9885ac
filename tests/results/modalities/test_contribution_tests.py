"""Component tests of modal asymmetry: different shares, and combinations that beat each of their parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tcray.claims.verdicts import ComponentTest
from tcray.results.modalities.coalition_values import compute_retrained_game
from tcray.results.modalities.contribution_tests import measure_combination_gain, measure_share_differences
from tests.results.modalities.factories import (
    ALL_USEFUL,
    SUBSETS,
    THREE_MODALITIES,
    conclude_component,
    load_dataset_runs,
    name_maes,
)

ALIKE = dict.fromkeys(SUBSETS, 1.0)
"""Every single modality is as good as all together."""
TEXT_ALONE = name_maes(0.6, 1.2, 1.3, 0.6, 0.6, 1.2, 0.6)
"""Each combination is as good as its best part."""


def measure_shares(folder: Path, maes: dict[str, float], **changes: Any) -> ComponentTest:
    """Return the component `shares-differ` for these MAEs."""
    found = load_dataset_runs(folder, maes, **changes)
    return measure_share_differences(found, {}, compute_retrained_game(found, {}), 0.05)


def measure_combinations(folder: Path, maes: dict[str, float], **changes: Any) -> ComponentTest:
    """Return the component `combination-beats-parts` for these MAEs."""
    return measure_combination_gain(load_dataset_runs(folder, maes, **changes), {}, 0.05)


def test_different_shares_are_found(tmp_path: Path) -> None:
    """The sentence names the most significant pair and every share; shares sum to 2.0 - 0.5."""
    component = measure_shares(tmp_path, ALL_USEFUL)
    verdict, sentence = conclude_component(component)
    assert verdict == "supported"
    assert sentence.endswith(
        "Shapley values for test MAE: text 0.898, audio 0.328 and video 0.273; the fusion is 1.500 better than a "
        "constant."
    )
    assert component.details["parts"]["text over audio"]["estimate"] == pytest.approx(0.57)
    assert list(component.details["parts"]) == ["text over audio", "text over video", "audio over video"]


def test_equal_shares_contradict_the_claim(tmp_path: Path) -> None:
    """All pairs differ by less than the margin."""
    verdict, sentence = conclude_component(measure_shares(tmp_path, ALIKE))
    assert verdict == "contradicted"
    assert sentence.startswith("All modalities are worth the same test MAE to within 0.02; the nearest is ")


def test_noisy_shares_are_inconclusive(tmp_path: Path) -> None:
    """With much noise, shares are neither significantly different nor negligibly different."""
    assert conclude_component(measure_shares(tmp_path, ALIKE, spread=0.2))[0] == "inconclusive"


def test_a_combination_that_beats_all_its_parts_is_found(tmp_path: Path) -> None:
    """The effect is the difference to the part with the largest p-value, which is the best part."""
    component = measure_combinations(tmp_path, ALL_USEFUL)
    assert conclude_component(component)[0] == "supported"
    assert list(component.details["parts"]) == ["text+audio", "text+video", "audio+video", "text+audio+video"]
    effects = {name: part["estimate"] for name, part in component.details["parts"].items()}
    assert effects == pytest.approx(dict(zip(effects, (-0.05, -0.04, -0.1, -0.1), strict=True)))


def test_combinations_as_good_as_their_best_part_contradict_the_claim(tmp_path: Path) -> None:
    """Large differences to the other parts do not count."""
    verdict, sentence = conclude_component(measure_combinations(tmp_path, TEXT_ALONE))
    assert verdict == "contradicted"
    assert sentence.startswith(
        "No combination has a lower test MAE than the best of its parts by 0.02 or more; the nearest"
    )


def test_a_combination_must_beat_every_part(tmp_path: Path) -> None:
    """A combination that beats audio by 0.6 but is equal to text has the p-value of the comparison with text."""
    component = measure_combinations(tmp_path, TEXT_ALONE, spread=0.01)
    assert component.p_supports == 1


def test_a_dataset_with_one_modality_is_not_testable(tmp_path: Path) -> None:
    """Both components have a reason if the dataset has a single modality."""
    lone = load_dataset_runs(tmp_path, {"text": 0.6}, card=replace(THREE_MODALITIES, modalities={"text": 4}))
    reason = "mosi has only one modality, text: use a dataset that has at least two."
    assert measure_share_differences(lone, {}, compute_retrained_game(lone, {}), 0.05).reason == reason
    assert measure_combination_gain(lone, {}, 0.05).reason == reason


def test_a_missing_subset_makes_both_components_untestable(tmp_path: Path) -> None:
    """The reason names the missing subset."""
    some = {name: mae for name, mae in ALL_USEFUL.items() if name != "audio+video"}
    reason = (
        "No confirm run on mosi with audio+video for modalities is complete: set modalities to subsets, and run the "
        "sweep to its end."
    )
    assert measure_shares(tmp_path / "differ", some).reason == reason
    assert measure_combinations(tmp_path / "combined", some).reason == reason


def test_a_single_repeat_is_not_testable(tmp_path: Path) -> None:
    """Uncertainty needs at least two repeats."""
    for component in (
        measure_shares(tmp_path / "d", ALL_USEFUL, repeats=1),
        measure_combinations(tmp_path / "c", ALL_USEFUL, repeats=1),
    ):
        assert component.reason.startswith("Only one repeat has a result")
