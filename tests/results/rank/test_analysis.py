from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tcray.claims.sweep_runs import SweepRuns
from tcray.claims.verdicts import ALL, ComponentTest, Finding, conclude
from tcray.config.sweep import Confirm, Sweep
from tcray.data.catalog import Card
from tcray.results.rank.analysis import Profile, analyze_rank
from tcray.statistics import nonmonotonicity
from tests.claims.factories import (
    MOSI,
    MUSTARD,
    OutcomeFunction,
    RunOutcome,
    SyntheticDataset,
    analyze_store,
    make_labels,
    make_predictions,
    make_recorded_store,
    make_run,
    make_store,
    make_sweep,
)

HELD_OUT = replace(MOSI, name="mosi-heldout", saw_labels=False)
LABELS_SEEN = replace(MOSI, saw_labels=True)
LABEL = make_labels(MOSI)

RANKS = (1, 2, 3, 6, 16)
DIP = {1: 1.0, 2: 0.8, 3: 0.7, 6: 0.9, 16: 1.1}
"""MAE by rank: best at 3."""
SLOPE = {1: 1.1, 2: 1.0, 3: 0.9, 6: 0.8, 16: 0.7}
"""MAE by rank: best at the highest."""

RATES = (0.0, 0.2, 0.4, 0.6, 0.9)
HUMP = {0.0: 0.7, 0.2: 0.9, 0.4: 1.1, 0.6: 0.9, 0.9: 0.7}
"""MAE by rate of audio dropout: worst at .4."""


def make_rank_sweep(**changes: Any) -> Sweep:
    """Return a sweep of five ranks at one configuration with six seeds and the claim about rank."""
    given = {"factors": {"rank": RANKS}, "claims": ("rank-generalisation",), "confirm": Confirm(seeds=6)}
    return make_sweep(**{**given, "tune": {}, "search": None, **changes})


def draw_noise(*key: int) -> float:
    """Return a draw from N(0, .02²) that is fixed by the key."""
    return float(np.random.default_rng(key).normal(0.0, 0.02))


def runs_with_mae(by_level: Mapping[Any, float], factor: str = "rank") -> OutcomeFunction:
    """Return runs with this MAE by level plus noise; train loss falls and the gap grows with the level's index."""
    order = list(by_level)

    def outcome(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome:
        place = order.index(levels[factor])
        train = 0.5 - 0.1 * place + draw_noise(place, seed, 1)
        losses = {"train.loss": train, "last.test.loss": train + 0.3 + 0.1 * place + draw_noise(place, seed, 2)}
        return RunOutcome(make_predictions(LABEL, by_level[levels[factor]] + draw_noise(place, seed)), metrics=losses)

    return outcome


def analyze_runs(
    folder: Path, sweep: Sweep, outcome_of: OutcomeFunction, card: Card = HELD_OUT, **manifest: Any
) -> tuple[list[Profile], dict[str, ComponentTest], dict[str, Finding]]:
    """Return profiles, and components and findings by name."""
    return analyze_store(
        analyze_rank, make_recorded_store(folder, sweep, SyntheticDataset.of(card, outcome_of), **manifest)
    )


@pytest.fixture(scope="module")
def dip(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[Profile], dict[str, ComponentTest], dict[str, Finding]]:
    """Return the analysis of runs that are best at rank 3."""
    return analyze_runs(tmp_path_factory.mktemp("dip"), make_rank_sweep(), runs_with_mae(DIP))


def test_an_optimum_at_rank_3_supports_every_part(dip: tuple[Any, Any, dict[str, Finding]]) -> None:
    """MAE is best at rank 3, train loss falls and the gap grows, so the claim is supported."""
    assert {name: finding.verdict for name, finding in dip[2].items()} == dict.fromkeys(
        (ALL, "non-monotone", "optimum-2-to-4", "train-loss-falls", "gap-grows"), "supported"
    )


def test_the_effect_is_the_difference_to_the_better_end(dip: tuple[Any, dict[str, ComponentTest], Any]) -> None:
    """The MAE of .7 at rank 3 is .3 better than at rank 1, the better end, to within noise of .03."""
    peak = dip[1]["non-monotone"]
    assert peak.estimate == pytest.approx(0.3, abs=0.03)
    assert peak.ci_retraining is not None
    assert peak.ci_people is not None
    assert peak.ci_retraining.low < 0.3 < peak.ci_retraining.high
    assert (peak.n_units, peak.n_seeds, peak.unit, peak.margin) == (6, 6, "seed", 0.02)
    assert peak.details["at"] == 3
    assert peak.details["levels"] == list(RANKS)
    assert peak.details["means"] == pytest.approx(list(DIP.values()), abs=0.03)


def test_the_sentences_name_the_effect_its_size_and_both_intervals(dip: tuple[Any, Any, dict[str, Finding]]) -> None:
    """Every sentence states its effect with intervals in the units of the metric."""
    sentences = {name: finding.sentence for name, finding in dip[2].items()}
    between = r"\(95 % interval −?[\d.]+ to [\d.]+ over retraining, −?[\d.]+ to [\d.]+ over retraining and videos\)"
    assert re.fullmatch(
        rf"Test MAE falls to rank 3 and rises from there: it is 0\.[\d]+ higher at rank 1 {between} "
        rf"and 0\.[\d]+ higher at rank 16 {between}\.",
        sentences["non-monotone"],
    )
    assert sentences["optimum-2-to-4"] == (
        "The rank at which test MAE is best lies within 2 to 4: with 95 % confidence it is 3 (the mean is best at 3)."
    )
    assert re.fullmatch(
        r"Train loss falls from rank 1 to rank 16 by 0\.[\d]+ \(95 % interval 0\.[\d]+ to 0\.[\d]+\)\.",
        sentences["train-loss-falls"],
    )
    assert sentences["gap-grows"].startswith("The gap between test and train loss grows from rank 1 to rank 16 by 0.")


def test_train_loss_and_gap_are_compared_from_the_lowest_rank_to_the_highest(
    dip: tuple[Any, dict[str, ComponentTest], Any],
) -> None:
    """Train loss falls and the gap grows by four steps of .1; the train split has no intervals over people."""
    train, gap = dip[1]["train-loss-falls"], dip[1]["gap-grows"]
    assert (train.estimate, gap.estimate) == pytest.approx((-0.4, 0.4), abs=0.04)
    assert (train.ci_people, gap.ci_people) == (None, None)
    assert train.details["interior_trough"] is False


def test_a_profile_shows_every_unit(dip: tuple[list[Profile], Any, Any]) -> None:
    """Each of four metrics over rank has its values, means and sets."""
    by_metric = {profile.metric: profile for profile in dip[0]}
    assert {metric: profile.purpose for metric, profile in by_metric.items()} == {
        "test.mae": "generalisation",
        "train.loss": "train",
        "gap": "gap",
        "test.acc2": "secondary",
    }
    profile = by_metric["test.mae"]
    assert (profile.dataset, profile.source, profile.stratum) == ("mosi-heldout", "real", {})
    assert (profile.factor, profile.levels, profile.unit, profile.tuned) == ("rank", RANKS, "seed", False)
    expected = [[DIP[rank] + draw_noise(place, seed) for place, rank in enumerate(RANKS)] for seed in range(6)]
    assert profile.values == pytest.approx(np.array(expected))
    assert [mean.mean for mean in profile.means] == pytest.approx(np.mean(expected, axis=0).tolist())
    assert (profile.optimum, profile.optimum_set, profile.worst_set, profile.maximize) == (3, (3,), (16,), False)
    assert (by_metric["gap"].optimum, by_metric["train.loss"].optimum) == (1, 16)


def test_a_monotone_curve_contradicts_an_inner_optimum(tmp_path: Path) -> None:
    """If a higher rank is always better, the best rank is 16, outside 2 to 4."""
    _, components, findings = analyze_runs(tmp_path, make_rank_sweep(), runs_with_mae(SLOPE))
    assert findings["optimum-2-to-4"].verdict == "contradicted"
    assert findings["optimum-2-to-4"].sentence == (
        "The rank at which test MAE is best lies outside 2 to 4: "
        "with 95 % confidence it is 16 (the mean is best at 16)."
    )
    assert findings["non-monotone"].verdict == "contradicted"
    assert components["non-monotone"].estimate == pytest.approx(-0.1, abs=0.03)
    assert findings["non-monotone"].sentence.startswith(
        "Test MAE does not fall and rise again by 0.02 or more with rank: between the ends it is lowest at rank 6, and "
        "it is 0."
    )
    assert findings[ALL].verdict == "contradicted"


def test_an_inner_worst_rank_contradicts(tmp_path: Path) -> None:
    """An inner worst rank contradicts the claim, and the sentence describes the observed shape."""
    upside_down = {rank: 2 - mae for rank, mae in DIP.items()}
    _, _, findings = analyze_runs(tmp_path, make_rank_sweep(), runs_with_mae(upside_down))
    assert findings["non-monotone"].verdict == "contradicted"
    assert findings["non-monotone"].sentence.startswith(
        "Test MAE rises to rank 3 and falls from there, which is the opposite: between the ends it is lowest at rank"
    )


def test_an_inner_minimum_of_train_loss_is_mentioned(tmp_path: Path) -> None:
    """Train loss that is lower at rank 16 than at 1 falls; the sentence adds that the minimum is at rank 3."""
    train = {1: 1.0, 2: 0.6, 3: 0.3, 6: 0.6, 16: 0.8}

    def outcome(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome:
        rank = levels["rank"]
        losses = {"train.loss": train[rank] + draw_noise(rank, seed, 1), "last.test.loss": 1.0}
        return RunOutcome(make_predictions(LABEL, DIP[rank] + draw_noise(rank, seed)), metrics=losses)

    _, components, findings = analyze_runs(tmp_path, make_rank_sweep(), outcome)
    assert components["train-loss-falls"].details["interior_trough"] is True
    assert findings["train-loss-falls"].verdict == "supported"
    assert findings["train-loss-falls"].sentence.endswith(" It is lowest in between, at rank 3.")


def test_train_loss_is_not_testable_in_a_tuned_sweep(tmp_path: Path) -> None:
    """Both parts name the sweep to run instead; the verdict on the claim is that of the other parts."""
    sweep = make_rank_sweep(**{name: getattr(make_sweep(), name) for name in ("tune", "search")}, confirm=Confirm(2, 6))
    _, components, findings = analyze_runs(tmp_path, sweep, runs_with_mae(DIP))
    reason = "Train loss cannot be compared because every cell has its own configuration: run sweeps/rank_fixed.yaml."
    assert [components[name].reason for name in ("train-loss-falls", "gap-grows")] == [reason] * 2
    assert [components[name].reason for name in ("non-monotone", "optimum-2-to-4")] == ["", ""]
    assert (components["non-monotone"].unit, components["non-monotone"].n_seeds) == ("repeat", 12)
    assert (findings["train-loss-falls"].verdict, findings[ALL].verdict) == ("not testable", "supported")


def test_train_loss_is_not_testable_if_features_saw_the_labels(tmp_path: Path) -> None:
    """The reason names the dataset to use instead."""
    _, components, findings = analyze_runs(tmp_path, make_rank_sweep(), runs_with_mae(DIP), card=LABELS_SEEN)
    reason = (
        "Train loss cannot be compared because the features of mosi's train split were learned from its labels: "
        "use mosi-heldout."
    )
    assert [components[name].reason for name in ("train-loss-falls", "gap-grows")] == [reason] * 2
    assert (findings[ALL].verdict, findings[ALL].sentence) == ("not testable", reason)


def test_every_stratum_has_its_own_curve(tmp_path: Path) -> None:
    """Rank has one profile per conditioning; conditioning itself is unordered and has no profile."""
    sweep = make_rank_sweep(factors={"rank": (1, 3, 16), "conditioning": ("none", "jwae")}, confirm=Confirm(seeds=3))
    sweep_runs = SweepRuns.load(make_recorded_store(tmp_path, sweep, SyntheticDataset.of(HELD_OUT, runs_with_mae(DIP))))
    profiles, components = analyze_rank(sweep_runs)
    arms = [{"conditioning": "none"}, {"conditioning": "jwae"}]
    assert [p.stratum for p in profiles if p.metric == "test.mae"] == arms
    assert [c.stratum for c in components if c.component == "non-monotone"] == arms


def test_a_curve_is_tested_for_an_inner_optimum(tmp_path: Path) -> None:
    """The p-values are those of the test on its values; train loss and gap are not tested."""
    sweep_runs = SweepRuns.load(
        make_recorded_store(tmp_path, make_rank_sweep(), SyntheticDataset.of(HELD_OUT, runs_with_mae(DIP)))
    )
    profiles, _ = analyze_rank(sweep_runs)
    curve = next(p for p in profiles if p.purpose == "generalisation")
    tested = nonmonotonicity(curve.levels, curve.values, maximize=False)
    assert tested.two_lines is not None
    assert (curve.p_peak, curve.p_two_lines) == (tested.p_value, tested.two_lines.p_value)
    assert [p.p_peak for p in profiles if p.purpose in ("train", "gap")] == [None, None]


def make_dropout_sweep(**changes: Any) -> Sweep:
    """Return a sweep of five rates of audio dropout with the claim about them."""
    return make_rank_sweep(factors={"modality_dropout.audio": RATES}, claims=("audio-dropout",), **changes)


def test_a_worst_rate_of_40_percent_supports_the_dropout_claim(tmp_path: Path) -> None:
    """The error is largest at an inner rate that lies within .3 to .5."""
    profiles, components, findings = analyze_runs(
        tmp_path, make_dropout_sweep(), runs_with_mae(HUMP, "modality_dropout.audio")
    )
    assert {name: finding.verdict for name, finding in findings.items()} == dict.fromkeys(
        (ALL, "u-shaped", "worst-rate-30-to-50"), "supported"
    )
    assert components["u-shaped"].estimate == pytest.approx(0.4, abs=0.03)
    assert findings["u-shaped"].sentence.startswith(
        "Test MAE rises to audio dropout 0.4 and falls from there: it is 0."
    )
    assert findings["worst-rate-30-to-50"].sentence == (
        "The rate of audio dropout at which test MAE is worst lies within 0.3 to 0.5: with 95 % confidence it is 0.4 "
        "(the mean is worst at 0.4)."
    )
    assert profiles[0].worst_set == (0.4,)


def test_a_stratum_without_audio_has_no_dropout_component(tmp_path: Path) -> None:
    """If modalities vary, the claim is tested only on subsets with audio."""
    sweep = make_dropout_sweep()
    sweep = replace(sweep, factors={**sweep.factors, "modalities": (("text",), ("text", "audio"))})
    sweep_runs = SweepRuns.load(
        make_recorded_store(
            tmp_path, sweep, SyntheticDataset.of(HELD_OUT, runs_with_mae(HUMP, "modality_dropout.audio"))
        )
    )
    profiles, components = analyze_rank(sweep_runs)
    assert {profile.stratum["modalities"] for profile in profiles} == {"text+audio"}
    assert [(c.component, c.stratum) for c in components] == [
        (name, {"modalities": "text+audio"}) for name in ("u-shaped", "worst-rate-30-to-50")
    ]


def test_damage_that_only_grows_contradicts_the_dropout_claim(tmp_path: Path) -> None:
    """If the worst rate is .9, the claim is contradicted."""
    grows = {rate: 0.7 + rate / 2 for rate in RATES}
    _, _, findings = analyze_runs(tmp_path, make_dropout_sweep(), runs_with_mae(grows, "modality_dropout.audio"))
    assert [findings[name].verdict for name in ("u-shaped", "worst-rate-30-to-50")] == ["contradicted"] * 2


def test_a_dataset_that_was_left_out_is_not_testable(tmp_path: Path) -> None:
    """Each claim has one finding with the reason from the manifest."""
    left = [{"dataset": "memes", "reason": "it has no audio, and factors.modality_dropout.audio is about it"}]
    store = make_recorded_store(
        tmp_path,
        make_dropout_sweep(),
        SyntheticDataset.of(HELD_OUT, runs_with_mae(HUMP, "modality_dropout.audio")),
        left_out=left,
    )
    findings = conclude(analyze_rank(SweepRuns.load(store))[1], alpha=0.05, beats_linear={})
    (finding,) = [finding for finding in findings if finding.measured.dataset == "memes"]
    assert (finding.measured.component, finding.verdict) == (ALL, "not testable")
    assert finding.sentence == (
        "memes is left out because it has no audio, and factors.modality_dropout.audio is about it: "
        "use a dataset that has what it lacks."
    )


def test_a_single_rank_is_not_testable(tmp_path: Path) -> None:
    """Train loss and the gap need two ranks, and the reason says so."""
    _, components, _ = analyze_runs(tmp_path, make_rank_sweep(factors={"rank": (4,)}), runs_with_mae({4: 1.0}, "rank"))
    assert {components[name].reason for name in ("train-loss-falls", "gap-grows")} == {
        "Only one rank has complete runs, and a change needs two: add ranks to the factor."
    }


def test_a_sweep_without_claims_has_profiles_only(tmp_path: Path) -> None:
    """Every factor with numeric levels has profiles, also without claims."""
    sweep = make_rank_sweep(factors={"prior_strength": (0, 1, 10)}, claims=(), confirm=Confirm(seeds=3))
    profiles, components, _ = analyze_runs(tmp_path, sweep, runs_with_mae({0: 1.0, 1: 0.9, 10: 0.8}, "prior_strength"))
    assert components == {}
    assert [(p.factor, p.levels) for p in profiles] == [("prior_strength", (0, 1, 10))] * 4


def test_classification_is_tested_on_its_primary_metric(tmp_path: Path) -> None:
    """MUStARD is tested on weighted F1, which is best if most logits have the correct sign; AUROC is secondary."""
    label = make_labels(MUSTARD)
    wrong = {1: 20, 2: 10, 3: 4, 6: 12, 16: 24}

    def outcome(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome:
        logit = (2 * label - 1) * np.where(np.arange(60) < wrong[levels["rank"]] + (seed + levels["rank"]) % 3, -1, 1)
        return RunOutcome(logit)

    profiles, components, findings = analyze_runs(tmp_path, make_rank_sweep(), outcome, card=MUSTARD)
    assert [(p.metric, p.maximize) for p in profiles if p.purpose in ("generalisation", "secondary")] == [
        ("test.f1", True),
        ("test.auroc", True),
    ]
    assert components["non-monotone"].metric == "test.f1"
    assert findings["non-monotone"].verdict == "supported"
    assert findings["non-monotone"].sentence.startswith(
        "Test weighted F1 rises to rank 3 and falls from there: it is 0."
    )


UNTESTABLE: Mapping[str, tuple[Sweep, Callable[..., RunOutcome | None], str]] = {
    "two levels": (
        make_rank_sweep(factors={"rank": (1, 3)}),
        runs_with_mae(DIP),
        "2 levels, and an inner optimum needs 3: add levels to the factor.",
    ),
    "two units": (
        make_rank_sweep(confirm=Confirm(seeds=2)),
        runs_with_mae(DIP),
        "Only 2 seeds have a result in every cell that is compared, and the test needs 3: raise confirm.seeds.",
    ),
    "missing cells": (
        make_rank_sweep(),
        lambda levels, _, seed: (
            None if seed > 1 and levels["rank"] == 16 else RunOutcome(make_predictions(LABEL, 1 + seed / 10))
        ),
        (
            "Only 2 seeds have a result in every cell that is compared (4 more lack one), and the test needs 3: "
            "run the sweep to its end, or raise confirm.seeds."
        ),
    ),
    "constant metric": (
        make_rank_sweep(),
        lambda levels, _, seed: RunOutcome(make_predictions(LABEL, 1.0)),
        "Every unit is constant over the levels: check that the factor reaches the model.",
    ),
    "only failed runs": (
        make_rank_sweep(),
        lambda levels, _, seed: RunOutcome(LABEL, state="FAILED"),
        "No confirm run on mosi-heldout is complete (30 failed): run the sweep to its end.",
    ),
    "no such factor": (
        make_rank_sweep(factors={"latent_dim": (4, 8)}),
        lambda levels, _, seed: RunOutcome(LABEL),
        "The sweep does not vary rank: add levels under factors.",
    ),
}


@pytest.mark.parametrize("case", UNTESTABLE)
def test_insufficient_data_have_a_reason(case: str, tmp_path: Path) -> None:
    """One sentence states the reason and the remedy, and there is no number."""
    sweep, outcome_of, reason = UNTESTABLE[case]
    _, _, findings = analyze_runs(tmp_path, sweep, outcome_of)
    finding = findings.get("non-monotone", findings[ALL])
    assert (finding.verdict, finding.sentence) == ("not testable", reason)
    assert (finding.p_value, finding.measured.estimate) == (None, None)
    assert finding.measured.ci_retraining is None


def test_a_sweep_with_only_search_runs_is_not_testable(tmp_path: Path) -> None:
    """Search runs do not count; the reason of a sweep without confirm runs states the remedy."""
    pruned = [
        make_run({"valid.loss": 1.0}, card=HELD_OUT, phase="search", state="PRUNED", trial=n, rank=1) for n in (1, 2)
    ]
    for confirm, reason in (
        (Confirm(2, 3), "No confirm run on mosi-heldout is complete (2 pruned): run the sweep to its end."),
        (None, "The sweep has no confirm runs, and only these are tested: add a confirm section."),
    ):
        sweep = make_sweep(claims=("rank-generalisation",), confirm=confirm)
        store = make_store(tmp_path / str(confirm), pruned, sweep=sweep, cards=[HELD_OUT])
        profiles, (component,) = analyze_rank(SweepRuns.load(store))
        assert (profiles, component.component, component.reason) == ([], ALL, reason)
