"""Whether modalities are worth different amounts, and whether some together beat each of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tcray.claims.verdicts import ComponentTest
from tcray.results.modalities.coalition_values import compute_retrained_game
from tcray.results.modalities.contribution_tests import measure_combination_gain, measure_share_differences
from tests.results.modalities.factories import ALL_USEFUL, SUBSETS, THREE_MODALITIES, load_dataset_runs, name_maes
from tests.results.modalities.test_leave_one_out import verdict

ALIKE = dict.fromkeys(SUBSETS, 1.0)
"""Any one is as good as all together."""
TEXT_ALONE = name_maes(0.6, 1.2, 1.3, 0.6, 0.6, 1.2, 0.6)
"""The best of its parts is as good as a combination."""


def differ(folder: Path, maes: dict[str, float], **changes: Any) -> ComponentTest:
    """`shares-differ` of planted MAEs."""
    found = load_dataset_runs(folder, maes, **changes)
    return measure_share_differences(found, {}, compute_retrained_game(found, {}), 0.05)


def combined(folder: Path, maes: dict[str, float], **changes: Any) -> ComponentTest:
    """`combination-beats-parts` of planted MAEs."""
    return measure_combination_gain(load_dataset_runs(folder, maes, **changes), {}, 0.05)


def test_different_shares_are_found(tmp_path: Path) -> None:
    """The pair best borne out speaks, and the sentence tells every share: they sum to 2.0 - 0.5."""
    component = differ(tmp_path, ALL_USEFUL)
    said, sentence = verdict(component)
    assert said == "supported"
    assert sentence.endswith(
        "Shapley values for test MAE: text 0.898, audio 0.328 and video 0.273; the fusion is 1.500 better than a "
        "constant."
    )
    assert component.details["parts"]["text over audio"]["estimate"] == pytest.approx(0.57)
    assert list(component.details["parts"]) == ["text over audio", "text over video", "audio over video"]


def test_equal_shares_contradict_the_claim(tmp_path: Path) -> None:
    """All pairs lie within the margin of one another."""
    said, sentence = verdict(differ(tmp_path, ALIKE))
    assert said == "contradicted"
    assert sentence.startswith("All modalities are worth the same test MAE to within 0.02; the nearest is ")


def test_noisy_shares_leave_the_question_open(tmp_path: Path) -> None:
    """Neither different nor alike."""
    assert verdict(differ(tmp_path, ALIKE, spread=0.2))[0] == "inconclusive"


def test_a_combination_that_beats_all_its_parts_is_found(tmp_path: Path) -> None:
    """Its effect is over the part that it beats least surely: the best."""
    component = combined(tmp_path, ALL_USEFUL)
    assert verdict(component)[0] == "supported"
    assert list(component.details["parts"]) == ["text+audio", "text+video", "audio+video", "text+audio+video"]
    effects = {name: part["estimate"] for name, part in component.details["parts"].items()}
    assert effects == pytest.approx(dict(zip(effects, (-0.05, -0.04, -0.1, -0.1), strict=True)))


def test_combinations_as_good_as_their_best_part_contradict_the_claim(tmp_path: Path) -> None:
    """That they beat the others by far is no matter."""
    said, sentence = verdict(combined(tmp_path, TEXT_ALONE))
    assert said == "contradicted"
    assert sentence.startswith(
        "No combination has a lower test MAE than the best of its parts by 0.02 or more; the nearest"
    )


def test_a_combination_that_beats_only_one_part_does_not_hold(tmp_path: Path) -> None:
    """Beating audio by 0.6 while no better than text has the p-value of the latter."""
    component = combined(tmp_path, TEXT_ALONE, spread=0.01)
    assert component.p_supports == 1


def test_both_need_a_second_modality(tmp_path: Path) -> None:
    """Said of a dataset that has but one."""
    lone = load_dataset_runs(tmp_path, {"text": 0.6}, card=replace(THREE_MODALITIES, modalities={"text": 4}))
    reason = "mosi has only one modality, text: use a dataset that has at least two."
    assert measure_share_differences(lone, {}, compute_retrained_game(lone, {}), 0.05).reason == reason
    assert measure_combination_gain(lone, {}, 0.05).reason == reason


def test_both_need_every_subset(tmp_path: Path) -> None:
    """The missing one is named."""
    some = {name: mae for name, mae in ALL_USEFUL.items() if name != "audio+video"}
    reason = (
        "No confirm run on mosi with audio+video for modalities is complete: set modalities to subsets, and run the "
        "sweep to its end."
    )
    assert differ(tmp_path / "differ", some).reason == reason
    assert combined(tmp_path / "combined", some).reason == reason


def test_both_need_two_repeats(tmp_path: Path) -> None:
    """One tells nothing of how far it may be off."""
    for component in (differ(tmp_path / "d", ALL_USEFUL, repeats=1), combined(tmp_path / "c", ALL_USEFUL, repeats=1)):
        assert component.reason.startswith("Only one repeat has a result")
