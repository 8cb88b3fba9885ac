from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tcray.claims.verdicts import ALL, ComponentTest, Finding
from tcray.config.sweep import Confirm, Sweep
from tcray.results.spectrum.analysis import Spectrum, analyze_spectrum
from tests.claims.factories import (
    MOSI,
    OutcomeFunction,
    RunOutcome,
    SyntheticDataset,
    analyze_store,
    make_labels,
    make_recorded_store,
    make_sweep,
)

HONEST = replace(MOSI, name="mosi-heldout", saw_labels=False)
SAW = replace(MOSI, saw_labels=True)
LABEL = make_labels(MOSI)
RANKS = (1, 2, 4, 8)
GROWS, FOLLOWS = "effective-rank-grows", "gap-follows-effective-rank"

SLOPE = 0.1
"""Growth of the gap per doubling of the effective rank."""


def make_rank_sweep(**changes: Any) -> Sweep:
    """Return a sweep of four ranks at one configuration with six seeds and the claim."""
    given = {"factors": {"rank": RANKS}, "claims": ("rank-spectrum",), "confirm": Confirm(seeds=6)}
    return make_sweep(**{**given, "tune": {}, "search": None, **changes})


def effective_rank(rank: int, seed: int) -> float:
    """Return an effective rank slightly below the rank, different for each seed and rank."""
    return rank ** (0.95 - 0.01 * ((seed + rank) % 3))


def make_outcome(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome:
    """Return a run with equal factor energies, singular values 3 : 1, and a gap that grows with the effective rank."""
    rank = levels["rank"]
    noise = 0.004 * ((seed * 5 + rank) % 3 - 1)
    gap = seed + SLOPE * math.log2(effective_rank(rank, seed)) + noise
    spectra = {
        "factor energy": [2.0 + seed] * rank,
        "unfolded:text": [3.0 + seed, 1.0 + seed / 3],
        "unfolded:audio": [5.0],
        "effective rank": [effective_rank(rank, seed)],
    }
    return RunOutcome(LABEL, metrics={"train.loss": 0.5, "last.test.loss": 0.5 + gap}, spectra=spectra)


def analyze_runs(
    folder: Path, asked: Sweep, outcome_of: OutcomeFunction, card: Any = HONEST
) -> tuple[list[Spectrum], dict[str, ComponentTest], dict[str, Finding]]:
    """Return spectra, and components and findings by name."""
    return analyze_store(analyze_spectrum, make_recorded_store(folder, asked, SyntheticDataset.of(card, outcome_of)))


@pytest.fixture(scope="module")
def planted(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[Spectrum], dict[str, ComponentTest], dict[str, Finding]]:
    """Return the analysis of runs whose gap grows with the effective rank."""
    return analyze_runs(tmp_path_factory.mktemp("planted"), make_rank_sweep(), make_outcome)


def test_a_gap_that_follows_effective_rank_supports_the_claim(planted: tuple[Any, Any, dict[str, Finding]]) -> None:
    """Effective rank grows with rank, and the gap grows with effective rank."""
    assert {name: finding.verdict for name, finding in planted[2].items()} == dict.fromkeys(
        (ALL, GROWS, FOLLOWS), "supported"
    )
    assert planted[2][GROWS].sentence.startswith("The effective rank of the fusion grows from rank 1 to rank 8 by 6.")
    assert planted[2][FOLLOWS].sentence.startswith(
        "The gap between test and train loss grows with every doubling of the effective rank by 0.1"
    )


def test_estimates_equal_the_true_effects(planted: tuple[Any, dict[str, ComponentTest], Any]) -> None:
    """The effects are the growth from the lowest to the highest rank and the slope within units."""
    growth = np.mean([effective_rank(8, seed) - effective_rank(1, seed) for seed in range(6)])
    assert planted[1][GROWS].estimate == pytest.approx(growth)
    assert planted[1][FOLLOWS].estimate == pytest.approx(SLOPE, abs=0.004)
    for component in planted[1].values():
        assert (component.n_units, component.unit, component.ci_people) == (6, "seed", None)
    assert (planted[1][GROWS].margin, planted[1][FOLLOWS].margin) == (0.5, 0.02)


def test_the_slope_is_least_squares_within_each_unit(planted: tuple[Any, dict[str, ComponentTest], Any]) -> None:
    """The slope is that of numpy's line through the four ranks of each seed, averaged over seeds."""
    slopes = []
    for seed in range(6):
        made = [make_outcome({"rank": rank}, 0, seed) for rank in RANKS]
        doublings = [math.log2(one.spectra["effective rank"][0]) for one in made]
        gaps = [one.metrics["last.test.loss"] - one.metrics["train.loss"] for one in made]
        slopes.append(np.polyfit(doublings, gaps, 1)[0])
    assert planted[1][FOLLOWS].estimate == pytest.approx(np.mean(slopes))


def test_spectra_are_normalized_to_shares(planted: tuple[list[Spectrum], Any, Any]) -> None:
    """Each of r equal factors has 1 / r of the energy, and singular values of 3 : 1 have .75 and .25."""
    (part,) = planted[0]
    assert (part.dataset, part.source, part.stratum, part.ranks, part.unit) == (
        "mosi-heldout",
        "real",
        {},
        RANKS,
        "seed",
    )
    assert {rank: pytest.approx(energy) for rank, energy in part.energies.items()} == {
        rank: [1 / rank] * rank for rank in RANKS
    }
    assert sorted(part.unfolded) == ["audio", "text"]
    assert [part.unfolded["text"][rank] for rank in RANKS] == [pytest.approx((0.75, 0.25))] * 4
    assert part.unfolded["audio"][8] == (1.0,)
    expected = [[effective_rank(rank, seed) for rank in RANKS] for seed in range(6)]
    assert part.effective_rank == pytest.approx(np.array(expected))
    assert part.gap is not None
    assert part.gap.shape == part.effective_rank.shape


def test_a_shrinking_gap_contradicts(tmp_path: Path) -> None:
    """With the sign of the gap reversed the sentence says that the gap shrinks."""

    def shrinking(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
        made = make_outcome(levels, repeat, seed)
        return replace(made, metrics={"train.loss": made.metrics["last.test.loss"], "last.test.loss": 0.5})

    _, _, findings = analyze_runs(tmp_path, make_rank_sweep(), shrinking)
    assert findings[ALL].verdict == "contradicted"
    assert findings[ALL].sentence.startswith(
        "The gap between test and train loss shrinks with every doubling of the effective rank by 0.1"
    )


def test_the_gap_is_not_testable_if_features_saw_the_labels(tmp_path: Path) -> None:
    """Effective rank is still tested, and the spectra have no gap."""
    (part,), components, findings = analyze_runs(tmp_path, make_rank_sweep(), make_outcome, card=SAW)
    assert part.gap is None
    assert findings[GROWS].verdict == "supported"
    assert components[FOLLOWS].reason == (
        "Train loss cannot be compared because the features of mosi's train split were learned from its labels: "
        "use mosi-heldout."
    )
    assert findings[ALL].verdict == "not testable"


def test_the_gap_is_not_testable_in_a_tuned_sweep(tmp_path: Path) -> None:
    """The reason names the sweep at one configuration as the remedy."""
    tuned = {name: getattr(make_sweep(), name) for name in ("tune", "search")}
    _, components, _ = analyze_runs(tmp_path, make_rank_sweep(**tuned, confirm=Confirm(2, 3)), make_outcome)
    assert components[FOLLOWS].reason == (
        "Train loss cannot be compared because every cell has its own configuration: run sweeps/rank_fixed.yaml."
    )
    assert (components[GROWS].n_units, components[GROWS].n_seeds, components[GROWS].unit) == (3, 6, "repeat")


def test_a_fusion_without_a_tensor_has_no_spectrum(tmp_path: Path) -> None:
    """There are no spectra, and both parts have a reason."""
    parts, components, _ = analyze_runs(
        tmp_path, make_rank_sweep(), lambda *key: replace(make_outcome(*key), spectra={})
    )
    assert parts == []
    assert {c.reason for c in components.values()} == {
        "No run has recorded a spectrum: a fusion without a tensor, as concat, has none; use lmf."
    }


def test_effective_ranks_that_never_differ_are_not_testable(tmp_path: Path) -> None:
    """If the effective rank is 1 at every rank, neither slope nor growth can be tested."""

    def collapsed(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
        return replace(make_outcome(levels, repeat, seed), spectra={"effective rank": [1.0]})

    _, components, _ = analyze_runs(tmp_path, make_rank_sweep(), collapsed)
    assert components[GROWS].reason == (
        "The effect is 0.000 in every seed, so its uncertainty is unknown: add seeds, or check that runs learn."
    )
    assert components[FOLLOWS].reason == ("The effective rank is 0, or equal at every rank: check that runs learn.")


def test_a_fusion_without_energy_has_no_shares(tmp_path: Path) -> None:
    """Energies that sum to 0 have no shares."""
    dead = {"factor energy": [0.0, 0.0], "effective rank": [0.0]}
    (part,), components, _ = analyze_runs(
        tmp_path, make_rank_sweep(), lambda *key: replace(make_outcome(*key), spectra=dead)
    )
    assert (part.energies, part.unfolded) == ({}, {})
    assert components[FOLLOWS].reason.startswith("The effective rank is 0, or equal at every rank")


@pytest.mark.parametrize(
    ("factors", "component", "reason"),
    [
        ({"rank": (4,)}, GROWS, "Only one rank has complete runs, and growth needs two: add ranks to the factor."),
        ({"latent_dim": (4, 8)}, ALL, "The sweep does not vary rank: add levels under factors."),
    ],
)
def test_too_few_ranks_are_not_testable(factors: Any, component: str, reason: str, tmp_path: Path) -> None:
    """The claim is not testable with a single rank or without the factor rank."""
    _, components, _ = analyze_runs(
        tmp_path, make_rank_sweep(factors=factors), lambda levels, *key: make_outcome({"rank": 4}, *key)
    )
    assert components[component].reason == reason


def test_a_single_seed_is_not_testable(tmp_path: Path) -> None:
    """The variation between seeds is unknown for a single seed."""
    _, components, _ = analyze_runs(tmp_path, make_rank_sweep(confirm=Confirm(seeds=1)), make_outcome)
    assert {c.reason for c in components.values()} == {
        "Only one seed has a result in every cell that is compared, and the test needs 2: raise confirm.seeds."
    }


def test_units_need_both_gap_and_spectrum(tmp_path: Path) -> None:
    """A seed whose test loss is not finite at one rank is excluded from the slope but not from the growth."""

    def one_diverges(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
        made = make_outcome(levels, repeat, seed)
        lost = seed == 2 and levels["rank"] == 8
        return replace(made, metrics={**made.metrics, "last.test.loss": math.nan}) if lost else made

    (part,), components, _ = analyze_runs(tmp_path, make_rank_sweep(), one_diverges)
    assert (components[GROWS].n_units, components[FOLLOWS].n_units) == (6, 5)
    assert part.gap is not None
    assert part.gap.shape == part.effective_rank.shape == (5, 4)


def test_a_sweep_without_the_claim_has_spectra(tmp_path: Path) -> None:
    """Without the claim there are spectra but no components."""
    parts, components, _ = analyze_runs(tmp_path, make_rank_sweep(claims=()), make_outcome)
    assert (len(parts), components) == (1, {})
