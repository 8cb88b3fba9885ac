"""Curves of the test metric over severities, and the sentence on the cost of perturbations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tcray.claims.sweep_runs import SweepRuns
from tcray.claims.verdicts import ComponentTest
from tcray.results.robustness.analysis import Robustness, analyze_robustness
from tests.claims.factories import (
    MOSI,
    MUSTARD,
    RunOutcome,
    SyntheticDataset,
    make_labels,
    make_predictions,
    make_recorded_store,
    make_sweep,
)

LABEL = make_labels(MOSI)
STEEPNESS = {"none": 0.5, "jwae": 0.2}
"""Increase in MAE per ε of an attack."""


def make_outcome(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
    """Return a run with MAE 0.5 + 0.01 per repeat; without text 0.9 (prior: 0.8), audio 0.6, or both 1.5."""
    clean, prior = 0.5 + 0.01 * repeat, levels.get("conditioning", "none")
    slope = STEEPNESS[prior]
    missing = {"text": 0.9 if prior == "none" else 0.8, "audio": 0.6, "text+audio": 1.5}
    return RunOutcome(
        make_predictions(LABEL, clean),
        also={f"missing:{name}": make_predictions(LABEL, mae) for name, mae in missing.items()},
        evaluations={
            **{f"pgd:{epsilon}": {"mae": clean + slope * epsilon} for epsilon in (0.1, 0.3)},
            "noise:text:1.0": {"mae": clean + 0.05},
            "noise:audio:1.0": {"mae": clean + 0.02},
        },
    )


def analyze_runs(
    folder: Path, outcome_of: Any = make_outcome, **factors: Any
) -> tuple[list[Robustness], list[ComponentTest]]:
    """Return the analysis of a sweep of these factors on MOSI with the claim on robustness."""
    sweep = make_sweep(factors=factors, claims=("robustness",))
    return analyze_robustness(SweepRuns.load(make_recorded_store(folder, sweep, SyntheticDataset.of(MOSI, outcome_of))))


def find_curve(parts: list[Robustness], corruption: str, **stratum: Any) -> Robustness:
    """Return the curve of a corruption in a stratum."""
    (found,) = [p for p in parts if p.corruption == corruption and stratum.items() <= p.stratum.items()]
    return found


def test_every_corruption_has_a_curve(tmp_path: Path) -> None:
    """Only evaluated corruptions have curves: there is no FGSM here."""
    parts, _ = analyze_runs(tmp_path, rank=(2,))
    assert [part.corruption for part in parts] == ["noise:text", "noise:audio", "pgd", "missing", "dropout"]


def test_a_curve_begins_with_clean_data_and_is_a_mean_over_units(tmp_path: Path) -> None:
    """Repeats of 0.50, 0.51 and 0.52 have a mean of 0.51 and a t interval of ±0.025."""
    pgd = find_curve(analyze_runs(tmp_path, rank=(2,))[0], "pgd")
    assert pgd.severities == (0.0, 0.1, 0.3)
    assert [value.mean for value in pgd.values] == pytest.approx([0.51, 0.56, 0.66])
    assert pgd.values[0].half_width == pytest.approx(4.302653 * 0.01 / 3**0.5)
    assert (pgd.unit, pgd.n_units) == ("repeat", 3)


def test_relative_robustness_is_the_mean_height(tmp_path: Path) -> None:
    """A straight line from 0.51 to 0.66 has a mean height of 0.585 for any severities."""
    assert find_curve(analyze_runs(tmp_path, rank=(2,))[0], "pgd").area.mean == pytest.approx(0.585)


def test_effective_robustness_is_the_difference_to_the_baseline(tmp_path: Path) -> None:
    """Up to ε = 0.3, lines of slopes 0.5 and 0.2 from the same point differ by 0.045 on average; positive is better."""
    parts, _ = analyze_runs(tmp_path, conditioning=("none", "jwae"))
    effective = find_curve(parts, "pgd", conditioning="jwae").effective
    assert effective is not None
    assert effective.mean == pytest.approx(0.045)
    assert find_curve(parts, "pgd", conditioning="none").effective is None


def test_effective_robustness_ignores_differences_in_clean_performance(tmp_path: Path) -> None:
    """A fusion that is worse by the same amount at every severity has an effective robustness of 0."""

    def worse(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
        step = 0.2 if levels["conditioning"] == "jwae" else 0.0
        pgd = {f"pgd:{epsilon}": {"mae": 0.5 + step + epsilon} for epsilon in (0.1, 0.3)}
        return RunOutcome(make_predictions(LABEL, 0.5 + step), evaluations=pgd)

    parts, _ = analyze_runs(tmp_path, worse, conditioning=("none", "jwae"))
    effective = find_curve(parts, "pgd", conditioning="jwae").effective
    assert effective is not None
    assert effective.mean == pytest.approx(0.0)


def test_without_a_baseline_there_is_no_effective_robustness(tmp_path: Path) -> None:
    """A sweep that does not vary conditioning has no baseline."""
    assert {part.effective for part in analyze_runs(tmp_path, rank=(2,))[0]} == {None}


def test_missing_modalities_have_labels_and_no_area(tmp_path: Path) -> None:
    """Patterns of missing modalities are unordered, so there is no area under a curve."""
    missing = find_curve(analyze_runs(tmp_path, rank=(2,))[0], "missing")
    assert missing.labels == ("nothing", "text", "audio", "text+audio")
    assert [value.mean for value in missing.values] == pytest.approx([0.51, 0.9, 0.6, 1.5])
    assert (missing.severities, missing.area.mean, missing.effective) == ((), None, None)


def test_dropout_mixes_the_missing_modalities(tmp_path: Path) -> None:
    """At a rate of 0.5 all four patterns have equal weight; the mean over rates weights by the number missing."""
    dropout = find_curve(analyze_runs(tmp_path, rank=(2,))[0], "dropout")
    assert dropout.values[5].mean == pytest.approx((0.51 + 0.9 + 0.6 + 1.5) / 4)
    assert [dropout.values[k].mean for k in (0, 10)] == pytest.approx([0.51, 1.5])


def test_only_used_modalities_are_corrupted(tmp_path: Path) -> None:
    """A cell that uses only text has no noise on audio, and only text can be missing."""
    parts, _ = analyze_runs(tmp_path, modalities=(("text",), ("text", "audio")))
    alone = [part for part in parts if part.stratum == {"modalities": "text"}]
    assert [part.corruption for part in alone] == ["noise:text", "pgd", "missing", "dropout"]
    assert find_curve(alone, "missing").labels == ("nothing", "text")


def test_the_sentence_names_the_largest_costs(tmp_path: Path) -> None:
    """The sentence names missing text, noise on text, and the attack, each at its largest cost."""
    _, (component,) = analyze_runs(tmp_path, conditioning=("none", "jwae"))
    assert component.sentences["descriptive"] == (
        "Test MAE is 0.510 when clean, averaged over 2 cells; removing text costs 0.340 (95 % interval 0.315 to "
        "0.365), noise of 1 SD on text costs 0.050 (95 % interval 0.050 to 0.050) and PGD at ε = 0.1 costs 0.035 "
        "(95 % interval 0.035 to 0.035). Removing text costs least at conditioning jwae (0.290) and most at "
        "conditioning none (0.390)."
    )


def test_the_component_is_descriptive(tmp_path: Path) -> None:
    """The component has no p-value and lists the cost of each condition in each cell."""
    _, (component,) = analyze_runs(tmp_path, conditioning=("none", "jwae"))
    assert (component.claim, component.component, component.p_supports) == ("robustness", "costs", None)
    assert component.details["costs"]["pgd:0.3"] == pytest.approx(
        {"conditioning none": 0.15, "conditioning jwae": 0.06}
    )


def test_the_cost_of_a_maximized_metric_is_its_decrease(tmp_path: Path) -> None:
    """If all predictions are correct on clean data and all wrong without text, the cost is an F1 of 1."""
    label = make_labels(MUSTARD)

    def flips(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
        return RunOutcome(label - 0.5, also={"missing:text": 0.5 - label})

    sweep = make_sweep(datasets=("mustard",), factors={"rank": (2,)}, claims=("robustness",))
    store = make_recorded_store(tmp_path, sweep, SyntheticDataset.of(MUSTARD, flips), baselines={"mustard": ()})
    _, (component,) = analyze_robustness(SweepRuns.load(store))
    assert component.details["costs"]["missing:text"] == {"rank 2": 1.0}


def test_a_sweep_without_evaluations_has_a_reason(tmp_path: Path) -> None:
    """Without evaluations there are no curves, and the component has a reason with a remedy."""
    parts, (component,) = analyze_runs(
        tmp_path, lambda levels, repeat, seed: RunOutcome(make_predictions(LABEL, 0.5)), rank=(2,)
    )
    assert parts == []
    assert component.reason == (
        "No repeat of a fusion of all modalities was evaluated under perturbations in every cell: run the sweep to its "
        "end."
    )


def test_a_sweep_without_confirm_runs_has_a_reason(tmp_path: Path) -> None:
    """The reason is the common one for a dataset without complete confirm runs."""
    parts, (component,) = analyze_runs(tmp_path, lambda levels, repeat, seed: None, rank=(2,))
    assert parts == []
    assert component.reason == "No confirm run on mosi is complete: run the sweep to its end."


def test_a_claim_that_is_not_made_has_no_component(tmp_path: Path) -> None:
    """Without the claim there are still curves."""
    sweep = make_sweep(factors={"rank": (2,)})
    sweep_runs = SweepRuns.load(make_recorded_store(tmp_path, sweep, SyntheticDataset.of(MOSI, make_outcome)))
    parts, components = analyze_robustness(replace(sweep_runs, sweep=sweep))
    assert (len(parts), components) == (5, [])
