"""Whether a fusion is better off without one of its modalities."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tcray.claims.verdicts import ComponentTest, conclude
from tcray.results.modalities.leave_one_out import measure_leave_one_out
from tests.results.modalities.factories import ALL_USEFUL, THREE_MODALITIES, load_dataset_runs

HARMFUL = {**ALL_USEFUL, "text+audio": 0.45}
"""Without video the fusion is better by 0.05."""
IDLE = {**ALL_USEFUL, "text+audio": 0.5, "text+video": 0.51}
"""Without video it is the same, without audio hardly worse."""


def verdict(component: ComponentTest) -> tuple[str, str]:
    """Of the component alone, and its sentence."""
    finding = conclude([component], alpha=0.05, beats_linear={})[-1]
    return finding.verdict, finding.sentence


def test_a_harmful_modality_is_found(tmp_path: Path) -> None:
    """The claim is supported by the modality without which the fusion is better."""
    component = measure_leave_one_out(load_dataset_runs(tmp_path, HARMFUL), {}, 0.05)
    said, sentence = verdict(component)
    assert said == "supported"
    assert sentence.startswith("Leaving video out lowers test MAE by 0.050 (95 % interval 0.0")
    assert component.estimate == pytest.approx(-0.05)
    assert component.details["chosen"] == "video"


def test_p_values_are_paid_for(tmp_path: Path) -> None:
    """The best of three has three times its own p-value."""
    component = measure_leave_one_out(load_dataset_runs(tmp_path, HARMFUL, spread=0.02), {}, 0.05)
    parts = component.details["parts"]
    assert component.p_supports == pytest.approx(3 * parts["video"]["p_value"])
    assert list(parts) == list(THREE_MODALITIES.modalities)


def test_useful_modalities_contradict_the_claim(tmp_path: Path) -> None:
    """Every one is missed."""
    said, sentence = verdict(measure_leave_one_out(load_dataset_runs(tmp_path, ALL_USEFUL), {}, 0.05))
    assert said == "contradicted"
    assert sentence.startswith(
        "Leaving any one modality out raises test MAE, or lowers it by less than 0.02; the nearest is video: the "
        "effect is +0.050 (95 % interval"
    )


def test_an_idle_modality_contradicts_it_too(tmp_path: Path) -> None:
    """Without video nothing is gained that anyone would care about."""
    component = measure_leave_one_out(load_dataset_runs(tmp_path, IDLE), {}, 0.05)
    assert verdict(component)[0] == "contradicted"
    assert component.negligible


def test_noise_leaves_the_question_open(tmp_path: Path) -> None:
    """The modality that it is open for is named, and how many repeats would settle it."""
    component = measure_leave_one_out(load_dataset_runs(tmp_path, IDLE, spread=0.05), {}, 0.05)
    said, sentence = verdict(component)
    assert said == "inconclusive"
    assert sentence.startswith(
        "It is open whether leaving one modality out lowers test MAE; the nearest is video: the effect is 0.000 ("
    )
    assert sentence.endswith("repeats would show an effect of 0.02 in MAE with 80 % power.")


def test_a_lone_modality_cannot_be_left_out(tmp_path: Path) -> None:
    """Said of a dataset that has but one."""
    lone = load_dataset_runs(tmp_path, {"text": 0.6}, card=replace(THREE_MODALITIES, modalities={"text": 4}))
    assert measure_leave_one_out(lone, {}, 0.05).reason == (
        "mosi has one modality: leaving it out leaves nothing to fuse."
    )


def test_a_missing_subset_is_named(tmp_path: Path) -> None:
    """All but one of three modalities are needed, and no single one."""
    some = {name: ALL_USEFUL[name] for name in ("text+audio", "text+video", "text+audio+video")}
    assert measure_leave_one_out(load_dataset_runs(tmp_path, some), {}, 0.05).reason == (
        "No confirm run on mosi with audio+video for modalities is complete: set modalities to subsets, and run the "
        "sweep to its end."
    )


def test_one_repeat_is_too_few(tmp_path: Path) -> None:
    """The remedy is to raise confirm.repeats."""
    component = measure_leave_one_out(load_dataset_runs(tmp_path, ALL_USEFUL, repeats=1), {}, 0.05)
    assert component.reason.endswith("raise confirm.repeats.")


def test_units_that_are_all_alike_test_nothing(tmp_path: Path) -> None:
    """A metric without any spread is a sign that runs do not differ, and not of certainty."""
    component = measure_leave_one_out(load_dataset_runs(tmp_path, ALL_USEFUL, spread=0.0), {}, 0.05)
    assert "in every repeat" in component.reason
