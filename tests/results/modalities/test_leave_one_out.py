"""Leave-one-out tests: the effect of removing one modality from the fusion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tcray.results.modalities.leave_one_out import measure_leave_one_out
from tests.results.modalities.factories import ALL_USEFUL, THREE_MODALITIES, conclude_component, load_dataset_runs

HARMFUL = {**ALL_USEFUL, "text+audio": 0.45}
"""Without video the fusion is better by 0.05."""
IDLE = {**ALL_USEFUL, "text+audio": 0.5, "text+video": 0.51}
"""Without video the fusion is equal, without audio slightly worse."""


def test_a_harmful_modality_is_found(tmp_path: Path) -> None:
    """The claim is supported by the modality without which the fusion is better."""
    component = measure_leave_one_out(load_dataset_runs(tmp_path, HARMFUL), {}, 0.05)
    verdict, sentence = conclude_component(component)
    assert verdict == "supported"
    assert sentence.startswith("Leaving video out lowers test MAE by 0.050 (95 % interval 0.0")
    assert component.estimate == pytest.approx(-0.05)
    assert component.details["chosen"] == "video"


def test_p_values_are_corrected_for_the_number_of_modalities(tmp_path: Path) -> None:
    """The smallest of three p-values is multiplied by three."""
    component = measure_leave_one_out(load_dataset_runs(tmp_path, HARMFUL, spread=0.02), {}, 0.05)
    parts = component.details["parts"]
    assert component.p_supports == pytest.approx(3 * parts["video"]["p_value"])
    assert list(parts) == list(THREE_MODALITIES.modalities)


def test_useful_modalities_contradict_the_claim(tmp_path: Path) -> None:
    """The fusion is worse without any of the modalities."""
    verdict, sentence = conclude_component(measure_leave_one_out(load_dataset_runs(tmp_path, ALL_USEFUL), {}, 0.05))
    assert verdict == "contradicted"
    assert sentence.startswith(
        "Leaving any one modality out raises test MAE, or lowers it by less than 0.02; the nearest is video: the "
        "effect is +0.050 (95 % interval"
    )


def test_a_useless_modality_contradicts_the_claim(tmp_path: Path) -> None:
    """Removing video changes the error by less than the margin."""
    component = measure_leave_one_out(load_dataset_runs(tmp_path, IDLE), {}, 0.05)
    assert conclude_component(component)[0] == "contradicted"
    assert component.negligible


def test_noise_makes_the_claim_inconclusive(tmp_path: Path) -> None:
    """The sentence names the inconclusive modality and the number of repeats needed."""
    component = measure_leave_one_out(load_dataset_runs(tmp_path, IDLE, spread=0.05), {}, 0.05)
    verdict, sentence = conclude_component(component)
    assert verdict == "inconclusive"
    assert sentence.startswith(
        "It is open whether leaving one modality out lowers test MAE; the nearest is video: the effect is 0.000 ("
    )
    assert sentence.endswith("repeats would show an effect of 0.02 in MAE with 80 % power.")


def test_a_lone_modality_cannot_be_left_out(tmp_path: Path) -> None:
    """The component has a reason if the dataset has a single modality."""
    lone = load_dataset_runs(tmp_path, {"text": 0.6}, card=replace(THREE_MODALITIES, modalities={"text": 4}))
    assert measure_leave_one_out(lone, {}, 0.05).reason == (
        "mosi has one modality: leaving it out leaves nothing to fuse."
    )


def test_a_missing_subset_is_named(tmp_path: Path) -> None:
    """The subsets with one modality missing are required, and single modalities are not."""
    some = {name: ALL_USEFUL[name] for name in ("text+audio", "text+video", "text+audio+video")}
    assert measure_leave_one_out(load_dataset_runs(tmp_path, some), {}, 0.05).reason == (
        "No confirm run on mosi with audio+video for modalities is complete: set modalities to subsets, and run the "
        "sweep to its end."
    )


def test_one_repeat_is_too_few(tmp_path: Path) -> None:
    """The remedy is to raise confirm.repeats."""
    component = measure_leave_one_out(load_dataset_runs(tmp_path, ALL_USEFUL, repeats=1), {}, 0.05)
    assert component.reason.endswith("raise confirm.repeats.")


def test_identical_units_are_not_testable(tmp_path: Path) -> None:
    """A metric without variation between units gives no p-value."""
    component = measure_leave_one_out(load_dataset_runs(tmp_path, ALL_USEFUL, spread=0.0), {}, 0.05)
    assert "in every repeat" in component.reason
