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
"""Of the gap, by doubling of the effective rank."""


def sweep(**changes: Any) -> Sweep:
    """Four ranks at one configuration, six seeds, under the claim."""
    given = {"factors": {"rank": RANKS}, "claims": ("rank-spectrum",), "confirm": Confirm(seeds=6)}
    return make_sweep(**{**given, "tune": {}, "search": None, **changes})


def effective_rank(rank: int, seed: int) -> float:
    """A little short of the rank, by another share for each seed and rank."""
    return rank ** (0.95 - 0.01 * ((seed + rank) % 3))


def outcome(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome:
    """Equal factor energies, singular values in ratio 3 : 1, and a gap that follows the effective rank."""
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


def analysed(
    folder: Path, asked: Sweep, outcome_of: OutcomeFunction, card: Any = HONEST
) -> tuple[list[Spectrum], dict[str, ComponentTest], dict[str, Finding]]:
    """Spectra, and components and findings by name."""
    return analyze_store(analyze_spectrum, make_recorded_store(folder, asked, SyntheticDataset.of(card, outcome_of)))


@pytest.fixture(scope="module")
def planted(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[Spectrum], dict[str, ComponentTest], dict[str, Finding]]:
    """What is made of a gap that follows the effective rank."""
    return analysed(tmp_path_factory.mktemp("planted"), sweep(), outcome)


def test_a_gap_that_follows_effective_rank_supports_the_claim(planted: tuple[Any, Any, dict[str, Finding]]) -> None:
    """Effective rank grows with rank, the gap with effective rank."""
    assert {name: finding.verdict for name, finding in planted[2].items()} == dict.fromkeys(
        (ALL, GROWS, FOLLOWS), "supported"
    )
    assert planted[2][GROWS].sentence.startswith("The effective rank of the fusion grows from rank 1 to rank 8 by 6.")
    assert planted[2][FOLLOWS].sentence.startswith(
        "The gap between test and train loss grows with every doubling of the effective rank by 0.1"
    )


def test_effects_are_the_planted_ones(planted: tuple[Any, dict[str, ComponentTest], Any]) -> None:
    """The growth from the lowest rank to the highest, and the slope within units, whatever their own level."""
    growth = np.mean([effective_rank(8, seed) - effective_rank(1, seed) for seed in range(6)])
    assert planted[1][GROWS].estimate == pytest.approx(growth)
    assert planted[1][FOLLOWS].estimate == pytest.approx(SLOPE, abs=0.004)
    for component in planted[1].values():
        assert (component.n_units, component.unit, component.ci_people) == (6, "seed", None)
    assert (planted[1][GROWS].margin, planted[1][FOLLOWS].margin) == (0.5, 0.02)


def test_the_slope_is_least_squares_within_each_unit(planted: tuple[Any, dict[str, ComponentTest], Any]) -> None:
    """It is numpy's line through every seed's four ranks, averaged over seeds."""
    slopes = []
    for seed in range(6):
        made = [outcome({"rank": rank}, 0, seed) for rank in RANKS]
        doublings = [math.log2(one.spectra["effective rank"][0]) for one in made]
        gaps = [one.metrics["last.test.loss"] - one.metrics["train.loss"] for one in made]
        slopes.append(np.polyfit(doublings, gaps, 1)[0])
    assert planted[1][FOLLOWS].estimate == pytest.approx(np.mean(slopes))


def test_spectra_are_shown_as_shares(planted: tuple[list[Spectrum], Any, Any]) -> None:
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


def test_a_gap_that_shrinks_contradicts(tmp_path: Path) -> None:
    """With the gap turned round the sentence says that it shrinks."""

    def shrinking(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
        made = outcome(levels, repeat, seed)
        return replace(made, metrics={"train.loss": made.metrics["last.test.loss"], "last.test.loss": 0.5})

    _, _, findings = analysed(tmp_path, sweep(), shrinking)
    assert findings[ALL].verdict == "contradicted"
    assert findings[ALL].sentence.startswith(
        "The gap between test and train loss shrinks with every doubling of the effective rank by 0.1"
    )


def test_the_gap_says_nothing_where_features_saw_the_labels(tmp_path: Path) -> None:
    """Effective rank is still tested, and the spectra are shown without the gap."""
    (part,), components, findings = analysed(tmp_path, sweep(), outcome, card=SAW)
    assert part.gap is None
    assert findings[GROWS].verdict == "supported"
    assert components[FOLLOWS].reason == (
        "Train loss cannot be compared because the features of mosi's train split were learned from its labels: "
        "use mosi-heldout."
    )
    assert findings[ALL].verdict == "not testable"


def test_the_gap_says_nothing_where_every_rank_has_its_own_configuration(tmp_path: Path) -> None:
    """The remedy is the sweep at one configuration."""
    tuned = {name: getattr(make_sweep(), name) for name in ("tune", "search")}
    _, components, _ = analysed(tmp_path, sweep(**tuned, confirm=Confirm(2, 3)), outcome)
    assert components[FOLLOWS].reason == (
        "Train loss cannot be compared because every cell has its own configuration: run sweeps/rank_fixed.yaml."
    )
    assert (components[GROWS].n_units, components[GROWS].n_seeds, components[GROWS].unit) == (3, 6, "repeat")


def test_a_fusion_without_a_tensor_has_no_spectrum(tmp_path: Path) -> None:
    """Nothing is shown, and both parts say why."""
    parts, components, _ = analysed(tmp_path, sweep(), lambda *key: replace(outcome(*key), spectra={}))
    assert parts == []
    assert {c.reason for c in components.values()} == {
        "No run has recorded a spectrum: a fusion without a tensor, as concat, has none; use lmf."
    }


def test_effective_ranks_that_never_differ_are_not_testable(tmp_path: Path) -> None:
    """A fusion that makes use of one factor at every rank gives no slope, and no growth to judge."""

    def collapsed(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
        return replace(outcome(levels, repeat, seed), spectra={"effective rank": [1.0]})

    _, components, _ = analysed(tmp_path, sweep(), collapsed)
    assert components[GROWS].reason == (
        "The effect is 0.000 in every seed, so its uncertainty is unknown: add seeds, or check that runs learn."
    )
    assert components[FOLLOWS].reason == ("The effective rank is 0, or equal at every rank: check that runs learn.")


def test_a_fusion_whose_energy_is_nil_is_shown_without_it(tmp_path: Path) -> None:
    """Energies that sum to 0 have no shares; no number stands in for them."""
    dead = {"factor energy": [0.0, 0.0], "effective rank": [0.0]}
    (part,), components, _ = analysed(tmp_path, sweep(), lambda *key: replace(outcome(*key), spectra=dead))
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
    """With one rank nothing can grow; without the factor nothing is asked."""
    _, components, _ = analysed(tmp_path, sweep(factors=factors), lambda levels, *key: outcome({"rank": 4}, *key))
    assert components[component].reason == reason


def test_a_single_seed_is_not_testable(tmp_path: Path) -> None:
    """Nothing tells how seeds differ."""
    _, components, _ = analysed(tmp_path, sweep(confirm=Confirm(seeds=1)), outcome)
    assert {c.reason for c in components.values()} == {
        "Only one seed has a result in every cell that is compared, and the test needs 2: raise confirm.seeds."
    }


def test_units_need_both_gap_and_spectrum(tmp_path: Path) -> None:
    """A seed whose test loss is not finite at one rank is left out of the slope, not of the growth."""

    def one_diverges(levels: Mapping[str, Any], repeat: int, seed: int) -> RunOutcome:
        made = outcome(levels, repeat, seed)
        lost = seed == 2 and levels["rank"] == 8
        return replace(made, metrics={**made.metrics, "last.test.loss": math.nan}) if lost else made

    (part,), components, _ = analysed(tmp_path, sweep(), one_diverges)
    assert (components[GROWS].n_units, components[FOLLOWS].n_units) == (6, 5)
    assert part.gap is not None
    assert part.gap.shape == part.effective_rank.shape == (5, 4)


def test_spectra_are_shown_whether_or_not_they_are_asked_about(tmp_path: Path) -> None:
    """Without the claim there are parts and no components."""
    parts, components, _ = analysed(tmp_path, sweep(claims=()), outcome)
    assert (len(parts), components) == (1, {})
