"""Contributions of the modalities of a dataset, and the claims about them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tcray.claims.verdicts import conclude
from tcray.results.modalities.analysis import analyze_modalities
from tests.claims.factories import MOSI
from tests.results.modalities.factories import ALL_USEFUL, CONSTANT, load_sweep_runs

PAIR = {"text": 0.6, "audio": 1.2, "text+audio": 0.5}


def test_a_dataset_has_two_contributions(tmp_path: Path) -> None:
    """One is retrained and one at inference; the latter is named reliance if training had no modality dropout."""
    contributions, _ = analyze_modalities(load_sweep_runs(tmp_path, ALL_USEFUL))
    assert [(c.kind, c.name) for c in contributions] == [("retrained", "Shapley value"), ("inference", "reliance")]
    assert contributions[0].modalities == ("text", "audio", "video")


def test_training_with_dropout_gives_shapley_values_at_inference(tmp_path: Path) -> None:
    """Shares at inference are not named reliance if every modality was dropped during training."""
    both = {"modality_dropout.text": 0.2, "modality_dropout.audio": 0.2}
    for fixed, name in ((both, "Shapley value"), ({"modality_dropout.audio": 0.2}, "reliance")):
        contributions, _ = analyze_modalities(load_sweep_runs(tmp_path / name, PAIR, card=MOSI, fixed=fixed))
        assert contributions[1].name == name


def test_a_contribution_shows_the_metric_itself(tmp_path: Path) -> None:
    """Metrics are listed by subset, the constant first; shares are positive if a modality helps."""
    contribution = analyze_modalities(load_sweep_runs(tmp_path, PAIR, card=MOSI))[0][0]
    means = {"+".join(sorted(subset)): value.mean for subset, value in contribution.by_subset.items()}
    assert means == pytest.approx({"": CONSTANT, "text": 0.6, "audio": 1.2, "audio+text": 0.5})
    assert contribution.shapley.values == pytest.approx({"text": 1.05, "audio": 0.45})
    assert (contribution.metric, contribution.maximize, contribution.n_units) == ("test.mae", False, 6)


def test_both_claims_have_components(tmp_path: Path) -> None:
    """For useful modalities of unequal value none is weak, shares differ, and combinations beat their parts."""
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


def test_claims_that_are_not_made_have_no_components(tmp_path: Path) -> None:
    """Without the claims there are contributions but no components."""
    found = load_sweep_runs(tmp_path, PAIR, card=MOSI)
    contributions, components = analyze_modalities(replace(found, sweep=replace(found.sweep, claims=())))
    assert (len(contributions), components) == (2, [])


def test_a_sweep_of_one_subset_has_nothing_to_compare(tmp_path: Path) -> None:
    """If modalities are not a factor there are no contributions, and the components have a reason."""
    found = load_sweep_runs(tmp_path, PAIR, card=MOSI)
    contributions, components = analyze_modalities(replace(found, sweep=replace(found.sweep, factors={"rank": (2,)})))
    assert contributions == []
    assert {c.reason for c in components} == {"The sweep does not vary modalities: add levels under factors."}


def test_a_missing_subset_leaves_only_reliance(tmp_path: Path) -> None:
    """Shares at inference only need runs with all modalities."""
    some = {name: mae for name, mae in PAIR.items() if name != "audio"}
    assert [c.kind for c in analyze_modalities(load_sweep_runs(tmp_path, some, card=MOSI))[0]] == ["inference"]
