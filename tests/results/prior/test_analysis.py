from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tcray.claims.verdicts import ALL, ComponentTest, Finding
from tcray.config.sweep import Confirm, Sweep
from tcray.results.prior.analysis import Conditioning, analyze_prior
from tests.claims.factories import (
    MOSI,
    MUSTARD,
    OutcomeFunction,
    RunOutcome,
    SyntheticDataset,
    analyze_store,
    make_labels,
    make_recorded_store,
    make_sweep,
)

LABEL = make_labels(MOSI)
LOW, MEDIUM, HIGH = "helps-classification-low", "helps-classification-medium", "costs-mae-high"
UNCONDITIONED = {"check.mmd2.text": 0.08, "check.mmd2.audio": 0.06}
CONDITIONED = {"check.mmd2.text": 0.03, "check.mmd2.audio": 0.01}


def make_claim_sweep(ranks: tuple[int, ...] = (1, 2, 4, 8, 16), **changes: Any) -> Sweep:
    """Return a sweep of LMF and jWAE at these ranks with six seeds of one configuration and the claim."""
    factors = {"rank": ranks, "conditioning": ("none", "jwae")}
    given = {"factors": factors, "claims": ("conditioning",), "confirm": Confirm(seeds=6), "tune": {}, "search": None}
    return make_sweep(**{**given, **changes})


def make_sentiments(wrong: int, extra: float = 0.0) -> np.ndarray[Any, Any]:
    """Return predictions with `wrong` wrong signs, spread over groups; the others are too large by `extra`."""
    order = np.arange(60).reshape(6, 10).T.ravel()
    flipped = np.zeros(60, bool)
    flipped[order[:wrong]] = True
    return np.where(flipped, -LABEL, LABEL * (1 + extra))


def helpful_run(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome:
    """Return a run in which jWAE has 6 of 60 fewer wrong signs and more error at high rank; 1 to 3 are noise."""
    jwae = levels["conditioning"] == "jwae"
    wrong = 10 + (seed * 7 + levels["rank"] * jwae) % 3 - 6 * jwae
    extra = 0.8 if jwae and levels["rank"] >= 8 else 0.0
    return RunOutcome(make_sentiments(wrong, extra), metrics=CONDITIONED if jwae else UNCONDITIONED)


def analyze_runs(
    folder: Path, asked: Sweep, outcome_of: OutcomeFunction, card: Any = MOSI
) -> tuple[list[Conditioning], dict[str, ComponentTest], dict[str, Finding]]:
    """Return curves, and components and findings by name."""
    return analyze_store(analyze_prior, make_recorded_store(folder, asked, SyntheticDataset.of(card, outcome_of)))


@pytest.fixture(scope="module")
def helped(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[Conditioning], dict[str, ComponentTest], dict[str, Finding]]:
    """Return the analysis of runs in which jWAE improves accuracy and raises the error at high rank."""
    return analyze_runs(tmp_path_factory.mktemp("helped"), make_claim_sweep(), helpful_run)


def expected_accuracies(arm: str, ranks: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return the expected acc-2, (seeds, ranks)."""
    wrong = [
        [10 + (seed * 7 + rank * (arm == "jwae")) % 3 - 6 * (arm == "jwae") for rank in ranks] for seed in range(6)
    ]
    return 1 - np.array(wrong) / 60


def test_every_rank_has_a_paired_difference(helped: tuple[list[Conditioning], Any, Any]) -> None:
    """The differences jWAE - LMF cover every rank, for accuracy and for MAE."""
    by_metric = {curve.metric: curve for curve in helped[0]}
    assert list(by_metric) == ["test.acc2", "test.mae"]
    curve = by_metric["test.acc2"]
    ranks = (1, 2, 4, 8, 16)
    expected = expected_accuracies("jwae", ranks) - expected_accuracies("none", ranks)
    assert (curve.dataset, curve.source, curve.stratum, curve.unit) == ("mosi", "real", {}, "seed")
    assert (curve.ranks, curve.maximize, by_metric["test.mae"].maximize) == (ranks, True, False)
    assert curve.differences == pytest.approx(expected)
    assert [mean.mean for mean in curve.means] == pytest.approx(expected.mean(0).tolist())
    assert None not in [mean.half_width for mean in curve.means]


def test_the_manipulation_check_is_reported(helped: tuple[list[Conditioning], dict[str, ComponentTest], Any]) -> None:
    """MMD² is the mean over modalities: .07 without the prior and .02 with it."""
    curve = helped[0][0]
    assert curve.mmd2_none == pytest.approx((0.07,) * 5)
    assert curve.mmd2_jwae == pytest.approx((0.02,) * 5)
    assert curve.halved
    details = helped[1][LOW].details
    assert details["ranks"] == [1, 2]
    assert (details["mmd2_none"], details["mmd2_jwae"]) == (pytest.approx([0.07] * 2), pytest.approx([0.02] * 2))


def test_higher_accuracy_and_higher_error_support_the_claim(helped: tuple[Any, Any, dict[str, Finding]]) -> None:
    """Six more correct signs of sixty at low and medium rank, and more error at high rank, support every part."""
    assert {name: finding.verdict for name, finding in helped[2].items()} == dict.fromkeys(
        (ALL, LOW, MEDIUM, HIGH), "supported"
    )


def test_a_band_is_the_mean_over_its_ranks(helped: tuple[Any, dict[str, ComponentTest], dict[str, Finding]]) -> None:
    """The bands of this sweep are ranks 1 and 2, rank 4, and ranks 8 and 16."""
    low = expected_accuracies("jwae", (1, 2)) - expected_accuracies("none", (1, 2))
    assert helped[1][LOW].estimate == pytest.approx(low.mean())
    assert [helped[1][name].details["ranks"] for name in (LOW, MEDIUM, HIGH)] == [[1, 2], [4], [8, 16]]
    assert [helped[1][name].metric for name in (LOW, MEDIUM, HIGH)] == ["test.acc2", "test.acc2", "test.mae"]
    assert [helped[1][name].margin for name in (LOW, MEDIUM, HIGH)] == [0.01, 0.01, 0.02]
    spans = r"\(95 % interval [−\d.]+ to [−\d.]+ over retraining, [−\d.]+ to [−\d.]+ over retraining and videos\)"
    for name, sentence in (
        (LOW, r"Conditioning by jWAE raises test acc-2 \(>= 0\) at ranks 1 and 2 by 0\.\d+ "),
        (MEDIUM, r"Conditioning by jWAE raises test acc-2 \(>= 0\) at rank 4 by 0\.\d+ "),
        (HIGH, r"Conditioning by jWAE raises test MAE at ranks 8 and 16 by 0\.\d+ "),
    ):
        assert re.fullmatch(rf"{sentence}{spans}\.", helped[2][name].sentence)


def test_lower_accuracy_contradicts(tmp_path: Path) -> None:
    """With the arms exchanged jWAE lowers accuracy, and the sentence states the loss."""
    exchanged = {"none": "jwae", "jwae": "none"}

    def harming(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
        other = helpful_run({**levels, "conditioning": exchanged[levels["conditioning"]]}, repeat, seed)
        jwae = levels["conditioning"] == "jwae"
        return RunOutcome(other.prediction, metrics=CONDITIONED if jwae else UNCONDITIONED)

    _, components, findings = analyze_runs(tmp_path, make_claim_sweep(), harming)
    assert {name: finding.verdict for name, finding in findings.items()} == dict.fromkeys(
        (ALL, LOW, MEDIUM, HIGH), "contradicted"
    )
    assert findings[LOW].sentence.startswith("Conditioning by jWAE lowers test acc-2 (>= 0) at ranks 1 and 2 by 0.")
    estimate = components[LOW].estimate
    assert estimate is not None
    assert estimate < 0


def test_a_difference_below_the_margin_contradicts(tmp_path: Path) -> None:
    """Errors that differ by at most .002 between the arms exclude a cost of .02."""

    def same(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome:
        jwae = levels["conditioning"] == "jwae"
        extra = 0.001 * ((seed + jwae) % 2)
        return RunOutcome(make_sentiments(10, extra), metrics=CONDITIONED if jwae else UNCONDITIONED)

    _, _, findings = analyze_runs(tmp_path, make_claim_sweep(), same)
    assert findings[HIGH].verdict == "contradicted"
    assert findings[HIGH].sentence.startswith(
        "Conditioning by jWAE raises test MAE at ranks 8 and 16 by less than 0.02, if at all: the effect is "
    )


def test_accuracies_that_never_differ_are_not_testable(tmp_path: Path) -> None:
    """The same difference in every seed has no standard error."""

    def constant(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome:
        return RunOutcome(
            make_sentiments(10), metrics=CONDITIONED if levels["conditioning"] == "jwae" else UNCONDITIONED
        )

    _, _, findings = analyze_runs(tmp_path, make_claim_sweep(), constant)
    assert (findings[LOW].verdict, findings[LOW].sentence) == (
        "not testable",
        ("The effect is 0.000 in every seed, so its uncertainty is unknown: add seeds, or check that runs learn."),
    )


def test_mmd2_that_did_not_fall_by_half_is_not_testable(tmp_path: Path) -> None:
    """The reason contains the values: .07 without the prior and .05 with it."""

    def weak(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
        found = helpful_run(levels, repeat, seed)
        jwae = levels["conditioning"] == "jwae"
        return RunOutcome(found.prediction, metrics={"check.mmd2.text": 0.05} if jwae else {"check.mmd2.text": 0.07})

    curves, components, findings = analyze_runs(tmp_path, make_claim_sweep(), weak)
    reason = (
        "Conditioning did not take hold: MMD² between latents and prior is 0.05 with it and 0.07 without, "
        "not half as much; raise prior_strength."
    )
    assert {c.reason for c in components.values()} == {reason}
    assert (findings[ALL].verdict, findings[ALL].sentence) == ("not testable", reason)
    assert [curve.halved for curve in curves] == [False, False]


def test_mmd2_that_was_not_recorded_is_not_testable(tmp_path: Path) -> None:
    """Without the manipulation check the claim is not testable."""
    _, components, _ = analyze_runs(tmp_path, make_claim_sweep(), lambda *key: RunOutcome(helpful_run(*key).prediction))
    reason = (
        "MMD² between latents and prior was not recorded, so it is unknown whether conditioning took hold: "
        "run the sweep again."
    )
    assert {c.reason for c in components.values()} == {reason}


def test_a_band_without_ranks_is_not_testable(tmp_path: Path) -> None:
    """A band without ranks, or without the runs of one arm, is not testable."""

    def without_jwae_at_4(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome | None:
        return None if levels == {"rank": 4, "conditioning": "jwae"} else helpful_run(levels, repeat, seed)

    curves, components, _ = analyze_runs(tmp_path, make_claim_sweep((1, 2, 4)), without_jwae_at_4)
    assert components[LOW].reason == ""
    assert components[MEDIUM].reason == (
        "No rank of 3, 4 or 6 has complete runs with conditioning none and with jwae: run the sweep to its end."
    )
    assert components[HIGH].reason == ("The sweep has no rank of 8, 12 or 16: add one to the factor.")
    assert [curve.ranks for curve in curves] == [(1, 2), (1, 2)]


def test_arms_are_paired_by_seed(tmp_path: Path) -> None:
    """A seed that failed in one arm is excluded from both."""

    def seed_3_fails(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
        failed = seed == 3 and levels == {"rank": 1, "conditioning": "jwae"}
        return RunOutcome(LABEL, state="FAILED") if failed else helpful_run(levels, repeat, seed)

    _, components, _ = analyze_runs(tmp_path, make_claim_sweep(), seed_3_fails)
    kept = [0, 1, 2, 4, 5]
    expected = (expected_accuracies("jwae", (1, 2)) - expected_accuracies("none", (1, 2)))[kept].mean()
    assert components[LOW].n_units == 5
    assert components[LOW].estimate == pytest.approx(expected)
    assert components[MEDIUM].n_units == 6


def test_classification_datasets_are_tested_on_their_primary_metric(tmp_path: Path) -> None:
    """MUStARD is tested on weighted F1 and has no MAE."""
    label = make_labels(MUSTARD)
    mmd2 = {"jwae": {"check.mmd2.text": 0.01}, "none": {"check.mmd2.text": 0.05}}

    def outcome(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome:
        arm = levels["conditioning"]
        wrong = 12 + (seed + levels["rank"]) % 3 - 8 * (arm == "jwae") + (seed % 2) * (arm == "jwae")
        return RunOutcome((2 * label - 1) * np.where(np.arange(60) < wrong, -1, 1), metrics=mmd2[arm])

    curves, components, findings = analyze_runs(tmp_path, make_claim_sweep(), outcome, card=MUSTARD)
    assert [curve.metric for curve in curves] == ["test.f1"]
    assert list(components) == [LOW, MEDIUM]
    assert {name: finding.verdict for name, finding in findings.items()} == dict.fromkeys(
        (ALL, LOW, MEDIUM), "supported"
    )
    assert findings[LOW].sentence.endswith(" over retraining and examples).")


def test_other_factors_are_strata(tmp_path: Path) -> None:
    """The arms are compared at the same level of every other factor."""
    factors = {"rank": (1, 2), "latent_dim": (8, 16), "conditioning": ("none", "jwae")}
    curves, _, _ = analyze_runs(tmp_path, make_claim_sweep(factors=factors), helpful_run)
    assert sorted({curve.stratum["latent_dim"] for curve in curves}) == [8, 16]
    assert len(curves) == 4


def test_a_sweep_without_both_arms_has_no_curve(tmp_path: Path) -> None:
    """If conditioning is not a factor the claim is not testable; if it is not claimed there are no components."""
    without = make_claim_sweep(factors={"rank": (1, 2)})
    curves, components, _ = analyze_runs(tmp_path / "without", without, lambda *_: RunOutcome(LABEL))
    assert curves == []
    assert {c.component: c.reason for c in components.values()} == {
        ALL: "The sweep does not vary conditioning: add levels under factors."
    }
    assert analyze_runs(tmp_path / "unclaimed", make_claim_sweep(claims=()), helpful_run)[1] == {}
