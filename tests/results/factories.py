"""Factories of results with every part and every verdict, on real data and on a twin, with known numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcray.claims.verdicts import ComponentTest, conclude
from tcray.config.sweep import Sweep
from tcray.data.catalog import Card
from tcray.results.analysis import Results
from tcray.results.modalities.analysis import Contribution
from tcray.results.prior.analysis import Conditioning
from tcray.results.rank.analysis import Profile
from tcray.results.ranking.analysis import DatasetTable, Ranking, Row, build_ranking
from tcray.results.robustness.analysis import Robustness
from tcray.results.search.analysis import History, Importance, Optimism, SearchAnalysis, SearchedTrial
from tcray.results.spectrum.analysis import Spectrum
from tcray.statistics.estimate import Estimate
from tcray.statistics.mean import Interval
from tcray.statistics.shapley_values import shapley
from tcray.store.store import SweepStore
from tcray.store.trials import read_records
from tests.claims.factories import BASELINES, MOSI, MUSTARD, make_sweep

RANKS = (1, 2, 3, 4, 6, 8, 12, 16)
ARMS = ("none", "jwae")
UNITS = 6
SHAPE = np.array([0.10, 0.02, 0.0, 0.01, 0.03, 0.05, 0.07, 0.09])
"""Difference of each rank from the best one: a true curve with its optimum at rank 3."""


def estimate_columns(values: NDArray[np.float64]) -> tuple[Estimate, ...]:
    """Return the estimate of every column of `values` (U, L)."""
    return tuple(Estimate.from_units(list(column)) for column in np.asarray(values, np.float64).T.tolist())


def make_unit_values(level: float, shape: NDArray[np.float64], seed: int = 0) -> NDArray[np.float64]:
    """Return values (U, L): `level` plus `shape` (L,) plus small noise."""
    noise = np.random.default_rng(seed).normal(0, 0.008, (UNITS, len(shape)))
    return np.asarray(level + shape + noise)


def make_profile(card: Card = MOSI, means: Sequence[Estimate] = (), **changes: Any) -> Profile:
    """Return a profile of the primary test metric over rank, best at rank 3; means follow from `values`."""
    maximize = card.primary_metric != "mae"
    values = make_unit_values(0.6, -SHAPE) if maximize else make_unit_values(0.95, SHAPE)
    given: dict[str, Any] = {
        "dataset": card.name,
        "source": card.source,
        "stratum": {"conditioning": "none"},
        "factor": "rank",
        "levels": RANKS,
        "metric": f"test.{card.primary_metric}",
        "maximize": maximize,
        "values": values,
        "optimum": 3,
        "optimum_set": (2, 3, 4),
        "worst_set": (1,),
        "purpose": "generalisation",
        "tuned": True,
        "unit": "repeat",
        "dropped": 0,
        **changes,
    }
    return Profile(**given, means=tuple(means) or estimate_columns(given["values"]))


def make_profiles(card: Card) -> list[Profile]:
    """Return profiles of test metric, train loss and gap over rank in both arms."""
    falling = -0.3 * np.linspace(0, 1, len(RANKS))
    made = []
    for seed, arm in enumerate(ARMS):
        stratum = {"conditioning": arm}
        loss: dict[str, Any] = {
            "maximize": False,
            "optimum": None,
            "optimum_set": RANKS,
            "worst_set": RANKS,
            "stratum": stratum,
        }
        made += [
            make_profile(card, stratum=stratum),
            make_profile(
                card, metric="train.loss", purpose="train", values=make_unit_values(0.6, falling, seed), **loss
            ),
            make_profile(card, metric="gap", purpose="gap", values=make_unit_values(0.3, -falling, seed), **loss),
        ]
    return made


def make_conditioning(
    card: Card = MOSI, metric: str = "test.acc2", means: Sequence[Estimate] = (), **changes: Any
) -> Conditioning:
    """Return the effect of the prior over rank: a gain at low ranks and a loss at high ranks."""
    differences = make_unit_values(0.0, np.linspace(0.03, -0.03, len(RANKS)), 3)
    given: dict[str, Any] = {
        "dataset": card.name,
        "source": card.source,
        "stratum": {},
        "metric": metric,
        "maximize": metric != "test.mae",
        "ranks": RANKS,
        "differences": differences,
        "mmd2_none": (0.15,) * len(RANKS),
        "mmd2_jwae": (0.03,) * len(RANKS),
        "halved": True,
        "unit": "repeat",
        **changes,
    }
    return Conditioning(**given, means=tuple(means) or estimate_columns(given["differences"]))


def make_spectrum(card: Card = MOSI, **changes: Any) -> Spectrum:
    """Return a spectrum of equal factors, so that the effective rank is the rank."""
    equal = {rank: (1 / rank,) * rank for rank in RANKS}
    given: dict[str, Any] = {
        "dataset": card.name,
        "source": card.source,
        "stratum": {"conditioning": "none"},
        "ranks": RANKS,
        "effective_rank": np.tile(np.array(RANKS, np.float64), (UNITS, 1)),
        "energies": equal,
        "unfolded": dict.fromkeys(card.modalities, equal),
        "gap": make_unit_values(0.2, np.linspace(0, 0.3, len(RANKS))),
        "unit": "repeat",
        **changes,
    }
    return Spectrum(**given)


def make_contribution(card: Card = MOSI, kind: Any = "retrained", **changes: Any) -> Contribution:
    """Return the contributions of an additive game in which text has value 0.3 and audio 0.1."""
    worth = {"text": 0.3, "audio": 0.1}
    noise = np.random.default_rng(1).normal(0, 0.01, (UNITS, 4))
    subsets = [frozenset(chosen) for chosen in ((), ("text",), ("audio",), ("text", "audio"))]
    values = {subset: sum((worth[m] for m in subset), 0.0) + noise * (0.5 + len(subset)) for subset in subsets}
    given: dict[str, Any] = {
        "dataset": card.name,
        "source": card.source,
        "stratum": {},
        "metric": f"test.{card.primary_metric}",
        "maximize": card.primary_metric != "mae",
        "kind": kind,
        "name": "Shapley value" if kind == "retrained" else "reliance",
        "modalities": tuple(card.modalities),
        "shapley": shapley(values),
        "by_subset": {subset: Estimate.from_units((1.4 - value.mean(1)).tolist()) for subset, value in values.items()},
        "n_units": UNITS,
        "unit": "repeat",
        **changes,
    }
    return Contribution(**given)


def make_robustness(card: Card, rank: int, arm: str, corruption: str, **changes: Any) -> Robustness:
    """Return a metric that worsens with severity, more so at higher ranks."""
    missing = corruption == "missing"
    labels = ("nothing", "text", "audio", "text+audio") if missing else ()
    severities = () if missing else (0.0, 0.1, 0.3, 1.0)
    heights = [0.9 + 0.02 * rank * at for at in range(4)]
    given: dict[str, Any] = {
        "dataset": card.name,
        "source": card.source,
        "stratum": {"rank": rank, "conditioning": arm},
        "corruption": corruption,
        "metric": f"test.{card.primary_metric}",
        "maximize": card.primary_metric != "mae",
        "severities": severities,
        "labels": labels,
        "values": tuple(Estimate(height, 0.01) for height in heights),
        "area": Estimate(None) if missing else Estimate(0.9 + 0.03 * rank, 0.01),
        "effective": Estimate(0.01, 0.02) if arm == "jwae" and not missing else None,
        "unit": "repeat",
        "n_units": UNITS,
        **changes,
    }
    return Robustness(**given)


def make_search_analysis(cards: tuple[Card, ...]) -> SearchAnalysis:
    """Return histories in which every third trial is pruned and one failed, importances, and optimism."""
    histories, importances, optimisms = [], [], []
    for card in cards:
        trials = []
        for cell, repeat in product((f"{card.name}/rank={rank}" for rank in RANKS), range(2)):
            best = None
            for order in range(6):
                state = "PRUNED" if order % 3 == 2 else "FAILED" if (repeat, order) == (1, 4) else "COMPLETE"
                value = None if state == "FAILED" else 1.0 - 0.02 * order + (0.2 if state == "PRUNED" else 0.0)
                best = value if state == "COMPLETE" and value is not None else best
                trials.append(SearchedTrial(cell, repeat, order, 3 if state == "PRUNED" else 9, value, state, best))
        histories.append(History(card.name, card.source, "valid.loss", False, tuple(trials)))
        shares, spread = {"lr": 0.7, "dropout": 0.3}, {"lr": 0.1, "dropout": None}
        importances.append(Importance(card.name, card.source, "PED-ANOVA", shares, spread, 3, 16, 96, 32))
        optimisms.append(Optimism(card.name, card.source, "valid.loss", Estimate(0.02, 0.01), UNITS, 96))
    return SearchAnalysis(tuple(importances), tuple(optimisms), tuple(histories), ("mosi: a note of the search.",))


def make_dataset_table(card: Card) -> DatasetTable:
    """Return a ranking table with two cells above the baselines."""
    metrics = (f"test.{card.primary_metric}", "test.acc2" if card is MOSI else "test.auroc")
    shown = (*metrics, "valid.loss", "train.loss")
    rows = tuple(
        Row(f"{card.name}/rank={rank}", {m: Estimate(0.9, 0.02) for m in shown}, {"rank": rank}, 6, (2, 2), 1, 4)
        for rank in (3, 16)
    )
    baselines = tuple(
        Row(row["name"], {m: Estimate(row["metrics"].get(m)) for m in shown if m != "test.r"}, {})
        for row in BASELINES[card.name]
    )
    return DatasetTable(card.name, card.source, "repeat", "valid.loss", metrics, ("rank",), rows, baselines, ())


CLAIMS = ("rank-generalisation", "conditioning", "weak-modality", "modal-asymmetry", "robustness")
WITHOUT_PRIOR, WITH_PRIOR = {"conditioning": "none"}, {"conditioning": "jwae"}
LABELS = "The features saw the train labels, so train loss tells nothing: use mosi-heldout."


def make_component(component: str, card: Card = MOSI, **changes: Any) -> ComponentTest:
    """Return a component of rank-generalisation: an effect of +0.031, p = 0.003, over 6 repeats of 2 seeds."""
    given: dict[str, Any] = {
        "claim": "rank-generalisation",
        "component": component,
        "dataset": card.name,
        "source": card.source,
        "stratum": WITHOUT_PRIOR,
        "metric": f"test.{card.primary_metric}",
        "estimand": f"What {component} measures",
        "sentences": {
            "supported": f"{component} holds.",
            "contradicted": f"{component} does not hold.",
            "inconclusive": f"{component} is open.",
            "descriptive": f"{component} is so.",
        },
        "p_supports": 0.003,
        "p_opposes": 1.0,
        "estimate": 0.031,
        "ci_retraining": Interval(0.012, 0.05),
        "ci_people": Interval(0.001, 0.061),
        "margin": 0.02,
        "n_units": UNITS,
        "n_seeds": 12,
        "sd_repeats": 0.011,
        "sd_seeds": 0.02,
        **changes,
    }
    return ComponentTest(**given)


def make_components() -> list[ComponentTest]:
    """Return components with every verdict; some of their numbers are None or NaN."""
    numbers = ("p_supports", "p_opposes", "estimate", "ci_retraining", "ci_people", "margin")
    missing: dict[str, Any] = dict.fromkeys(numbers)
    place: dict[str, Any] = {
        "p_supports": 1.0,
        "p_opposes": 0.001,
        "estimate": 3.0,
        "ci_retraining": Interval(2.0, 8.0),
        "ci_people": None,
    }
    helps = "helps-classification-low"
    return [
        make_component("non-monotone"),
        make_component("optimum-2-to-4", margin=None, sd_repeats=float("nan"), optimum_set=(2, 3, 8), **place),
        make_component("train-loss-falls", metric="train.loss", reason=LABELS, **missing),
        make_component("gap-grows", metric="gap", reason=LABELS, **missing),
        make_component("non-monotone", stratum=WITH_PRIOR, p_supports=0.0001),
        make_component("optimum-2-to-4", stratum=WITH_PRIOR, p_supports=0.002, details={"pairs": {("a", "b"): np.nan}}),
        make_component("non-monotone", MUSTARD, p_supports=0.4, units_needed=1234, margin=0.01),
        make_component(helps, claim="conditioning", stratum={}, p_supports=1.0, p_opposes=0.001),
        make_component(helps, MUSTARD, claim="conditioning", stratum={}, p_supports=0.4, units_needed=1234),
        make_component("leaving-one-out", claim="weak-modality", stratum={}, p_supports=1.0, p_negligible=0.001),
        make_component("shares-differ", claim="modal-asymmetry", stratum={}),
        make_component("fragility", claim="robustness", stratum={}, **missing),
    ]


def make_full_sweep(*claims: str) -> Sweep:
    """Return a sweep over ranks with and without a prior, on two datasets, with these claims or all."""
    return make_sweep(
        name="rank",
        question="Does rank matter?",
        claims=claims or CLAIMS,
        datasets=("mosi", "mustard"),
        factors={"rank": RANKS, "conditioning": ARMS},
    )


def make_manifest(sweep: Sweep, **changes: Any) -> dict[str, Any]:
    """Return the manifest of a finished sweep."""
    return {
        "sweep_id": "rank-1",
        "name": sweep.name,
        "question": sweep.question,
        "sweep": sweep.to_document(),
        "objective": sweep.objective,
        "cards": [MOSI.document(), MUSTARD.document()],
        "left_out": [{"dataset": "hateful_memes", "reason": "it has no audio"}],
        "planned_runs": 4032,
        "baselines": BASELINES,
        "engine": "2",
        "started_at": "2026-01-01T10:00:00+00:00",
        "finished_at": "2026-01-01T11:00:00+00:00",
        "device": "cpu",
        "sessions": [
            {
                "started_at": "2026-01-01T10:00:00+00:00",
                "host": "a-host",
                "device": "cpu",
                "commit": "0123456789abcdef0123456789abcdef01234567-dirty",
                "versions": {"tcray": "0.1.0", "torch": "2.13.0"},
            }
        ],
        **changes,
    }


def make_full_results(**changes: Any) -> Results:
    """Return results with every part, on MOSI (real) and MUStARD (twin)."""
    return replace(_full(), **changes)


@cache
def _full() -> Results:
    cards = (MOSI, MUSTARD)
    sweep = make_full_sweep()
    return Results(
        sweep_id="rank-1",
        manifest=make_manifest(sweep),
        sweep=sweep,
        alpha=0.05,
        looks=1,
        findings=tuple(conclude(make_components(), alpha=0.05, beats_linear={"mosi": False})),
        profiles=tuple(profile for card in cards for profile in make_profiles(card)),
        conditionings=(
            make_conditioning(),
            make_conditioning(metric="test.mae"),
            make_conditioning(MUSTARD, "test.f1"),
        ),
        spectra=(make_spectrum(), make_spectrum(MUSTARD, gap=None)),
        contributions=(make_contribution(), make_contribution(kind="inference"), make_contribution(MUSTARD)),
        robustness=tuple(
            make_robustness(MOSI, rank, arm, corruption)
            for rank, arm, corruption in product((2, 12), ARMS, ("missing", "fgsm"))
        ),
        search=make_search_analysis(cards),
        ranking=Ranking(
            "rank-1", tuple(map(make_dataset_table, cards)), "How the tables are read.", ("The sweep is done.",)
        ),
    )


def make_empty_results() -> Results:
    """Return the results of a sweep without complete runs: every part exists and has no units."""
    none = (0, len(RANKS))
    nothing = tuple(Estimate(None) for _ in RANKS)
    unknown: Mapping[str, Any] = {"mmd2_none": (None,) * len(RANKS), "mmd2_jwae": (None,) * len(RANKS)}
    sweep = make_full_sweep()
    empty = make_dataset_table(MOSI)
    return make_full_results(
        manifest=make_manifest(sweep, finished_at=None, device=None, sessions=[]),
        findings=(),
        profiles=(make_profile(values=np.empty(none), means=nothing, optimum=None, optimum_set=RANKS, dropped=3),),
        conditionings=(make_conditioning(differences=np.empty(none), means=nothing, halved=False, **unknown),),
        spectra=(make_spectrum(effective_rank=np.empty(none), energies={}, unfolded={}, gap=None),),
        contributions=(),
        robustness=(
            make_robustness(MOSI, 2, "none", "fgsm", values=(Estimate(None),) * 4, area=Estimate(None), n_units=0),
        ),
        search=SearchAnalysis(notes=("Nothing is tuned, so there was no search.",)),
        ranking=Ranking("rank-1", (replace(empty, rows=(), baselines=()),), "How it is read.", ()),
    )


def rank_store(store: SweepStore) -> Ranking:
    """Return the ranking of a store."""
    return build_ranking(store.read_manifest(), read_records(store))
