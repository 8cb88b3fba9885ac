"""What the modalities of a dataset contribute, and the claims that rest on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tcray.claims.verdicts import conclude
from tcray.results.modalities.analysis import analyze_modalities
from tests.claims.factories import MOSI
from tests.results.modalities.factories import ALL_USEFUL, CONSTANT, load_sweep_runs

PAIR = {"text": 0.6, "audio": 1.2, "text+audio": 0.5}


def test_there_are_two_contributions_a_dataset(tmp_path: Path) -> None:
    """Retrained and at inference; the latter is reliance where no modality was dropped in training."""
    contributions, _ = analyze_modalities(load_sweep_runs(tmp_path, ALL_USEFUL))
    assert [(c.kind, c.name) for c in contributions] == [("retrained", "Shapley value"), ("inference", "reliance")]
    assert contributions[0].modalities == ("text", "audio", "video")


def test_training_with_dropout_makes_absence_familiar(tmp_path: Path) -> None:
    """Shares at inference are reliance no more where each modality was dropped at times."""
    both = {"modality_dropout.text": 0.2, "modality_dropout.audio": 0.2}
    for fixed, name in ((both, "Shapley value"), ({"modality_dropout.audio": 0.2}, "reliance")):
        contributions, _ = analyze_modalities(load_sweep_runs(tmp_path / name, PAIR, card=MOSI, fixed=fixed))
        assert contributions[1].name == name


def test_a_contribution_shows_the_metric_itself(tmp_path: Path) -> None:
    """By subset, the constant first; shares are turned so that helping is positive."""
    contribution = analyze_modalities(load_sweep_runs(tmp_path, PAIR, card=MOSI))[0][0]
    means = {"+".join(sorted(subset)): value.mean for subset, value in contribution.by_subset.items()}
    assert means == pytest.approx({"": CONSTANT, "text": 0.6, "audio": 1.2, "audio+text": 0.5})
    assert contribution.shapley.values == pytest.approx({"text": 1.05, "audio": 0.45})
    assert (contribution.metric, contribution.maximize, contribution.n_units) == ("test.mae", False, 6)


def test_both_claims_are_answered(tmp_path: Path) -> None:
    """Useful modalities of unequal worth: none is weak, shares differ, and some together beat each alone."""
    _, components = analyze_modalities(load_sweep_runs(tmp_path, ALL_USEFUL))
    verdicts = {
        (f.measured.claim, f.measured.component): f.verdict for f in conclude(components, alpha=0.05, beats_linear={})
    }
    assert verdicts == {
        ("weak-modality", "leaving-one-out"): "contradicted",
        ("weak-modality", "all"): "contradicted",
        ("modal-asymmetry", "shares-differ"): "supported",
        ("modal-asymmetry", "combination-beats-parts"): "supported",
        ("modal-asymmetry", "all"): "supported",
    }


def test_claims_that_are_not_made_are_not_answered(tmp_path: Path) -> None:
    """Contributions are shown all the same."""
    found = load_sweep_runs(tmp_path, PAIR, card=MOSI)
    contributions, components = analyze_modalities(replace(found, sweep=replace(found.sweep, claims=())))
    assert (len(contributions), components) == (2, [])


def test_a_sweep_of_one_subset_has_nothing_to_compare(tmp_path: Path) -> None:
    """Where modalities are no factor there are no contributions, and claims about them say so."""
    found = load_sweep_runs(tmp_path, PAIR, card=MOSI)
    contributions, components = analyze_modalities(replace(found, sweep=replace(found.sweep, factors={"rank": (2,)})))
    assert contributions == []
    assert {c.reason for c in components} == {"The sweep does not vary modalities: add levels under factors."}


def test_a_missing_subset_leaves_reliance_alone(tmp_path: Path) -> None:
    """Shares at inference need but the fusion of all."""
    some = {name: mae for name, mae in PAIR.items() if name != "audio"}
    assert [c.kind for c in analyze_modalities(load_sweep_runs(tmp_path, some, card=MOSI))[0]] == ["inference"]
