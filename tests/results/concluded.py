"""Results made by hand: every part and every verdict there is, on real data and on a twin, with known numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from tcray.claims.verdicts import ComponentTest, conclude
from tcray.config.sweep import Sweep
from tcray.data.catalog import Card
from tcray.results.analysis import Results
from tcray.results.ranking.analysis import Ranking
from tcray.results.search.analysis import SearchAnalysis
from tcray.statistics.estimate import Estimate
from tcray.statistics.mean import Interval
from tests.results.recorded import MOSI, MUSTARD, REFERENCES, a_sweep
from tests.results.specimens import (
    ARMS,
    RANKS,
    UNITS,
    a_conditioning,
    a_contribution,
    a_profile,
    a_robustness,
    a_spectrum,
    a_table,
    some_profiles,
    some_search,
)

CLAIMS = ("rank-generalisation", "conditioning", "weak-modality", "modal-asymmetry", "robustness")
PLAIN, PRIOR = {"conditioning": "none"}, {"conditioning": "jwae"}
LABELS = "The features saw the train labels, so train loss tells nothing: use mosi-heldout."


def a_component(component: str, card: Card = MOSI, **changes: Any) -> ComponentTest:
    """Of rank-generalisation, unless told: an effect of +0.031 with p = 0.003, over 6 repeats of 2 seeds."""
    given: dict[str, Any] = {
        "claim": "rank-generalisation",
        "component": component,
        "dataset": card.name,
        "source": card.source,
        "stratum": PLAIN,
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


def some_components() -> list[ComponentTest]:
    """Every verdict there is, and among their numbers what is none."""
    missing = dict.fromkeys(("p_supports", "p_opposes", "estimate", "ci_retraining", "ci_people", "margin"))
    place = {
        "p_supports": 1.0,
        "p_opposes": 0.001,
        "estimate": 3.0,
        "ci_retraining": Interval(2.0, 8.0),
        "ci_people": None,
    }
    helps = "helps-classification-low"
    return [
        a_component("non-monotone"),
        a_component("optimum-2-to-4", margin=None, sd_repeats=float("nan"), optimum_set=(2, 3, 8), **place),
        a_component("train-loss-falls", metric="train.loss", reason=LABELS, **missing),
        a_component("gap-grows", metric="gap", reason=LABELS, **missing),
        a_component("non-monotone", stratum=PRIOR, p_supports=0.0001),
        a_component("optimum-2-to-4", stratum=PRIOR, p_supports=0.002, details={"pairs": {("a", "b"): np.nan}}),
        a_component("non-monotone", MUSTARD, p_supports=0.4, units_needed=1234, margin=0.01),
        a_component(helps, claim="conditioning", stratum={}, p_supports=1.0, p_opposes=0.001),
        a_component(helps, MUSTARD, claim="conditioning", stratum={}, p_supports=0.4, units_needed=1234),
        a_component("leaving-one-out", claim="weak-modality", stratum={}, p_supports=1.0, p_negligible=0.001),
        a_component("shares-differ", claim="modal-asymmetry", stratum={}),
        a_component("fragility", claim="robustness", stratum={}, **missing),
    ]


def the_question(*claims: str) -> Sweep:
    """Ranks with and without a prior, on two datasets; of these claims, or of all."""
    return a_sweep(
        name="rank",
        question="Does rank matter?",
        claims=claims or CLAIMS,
        datasets=("mosi", "mustard"),
        factors={"rank": RANKS, "conditioning": ARMS},
    )


def a_manifest(sweep: Sweep, **changes: Any) -> dict[str, Any]:
    """Of a finished sweep."""
    return {
        "sweep_id": "rank-1",
        "name": sweep.name,
        "question": sweep.question,
        "sweep": sweep.to_document(),
        "objective": sweep.objective,
        "cards": [MOSI.document(), MUSTARD.document()],
        "left_out": [{"dataset": "hateful_memes", "reason": "it has no audio"}],
        "planned_runs": 4032,
        "references": REFERENCES,
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


def full_results(**changes: Any) -> Results:
    """Results with every part, on MOSI (real) and MUStARD (twin)."""
    return replace(_full(), **changes)


@cache
def _full() -> Results:
    cards = (MOSI, MUSTARD)
    sweep = the_question()
    return Results(
        sweep_id="rank-1",
        manifest=a_manifest(sweep),
        sweep=sweep,
        alpha=0.05,
        looks=1,
        findings=tuple(conclude(some_components(), alpha=0.05, beats_linear={"mosi": False})),
        profiles=tuple(profile for card in cards for profile in some_profiles(card)),
        conditionings=(a_conditioning(), a_conditioning(metric="test.mae"), a_conditioning(MUSTARD, "test.f1")),
        spectra=(a_spectrum(), a_spectrum(MUSTARD, gap=None)),
        contributions=(a_contribution(), a_contribution(kind="inference"), a_contribution(MUSTARD)),
        robustness=tuple(
            a_robustness(MOSI, rank, arm, corruption)
            for rank, arm, corruption in product((2, 12), ARMS, ("missing", "fgsm"))
        ),
        search=some_search(cards),
        ranking=Ranking("rank-1", tuple(map(a_table, cards)), "How the tables are read.", ("The sweep is done.",)),
    )


def thin_results() -> Results:
    """What a sweep has of which nothing is complete yet: every part is there, and has no units."""
    none = (0, len(RANKS))
    nothing = tuple(Estimate(None) for _ in RANKS)
    unknown: Mapping[str, Any] = {"mmd2_none": (None,) * len(RANKS), "mmd2_jwae": (None,) * len(RANKS)}
    sweep = the_question()
    empty = a_table(MOSI)
    return full_results(
        manifest=a_manifest(sweep, finished_at=None, device=None, sessions=[]),
        findings=(),
        profiles=(a_profile(values=np.empty(none), means=nothing, optimum=None, optimum_set=RANKS, dropped=3),),
        conditionings=(a_conditioning(differences=np.empty(none), means=nothing, halved=False, **unknown),),
        spectra=(a_spectrum(effective_rank=np.empty(none), energies={}, unfolded={}, gap=None),),
        contributions=(),
        robustness=(
            a_robustness(MOSI, 2, "none", "fgsm", values=(Estimate(None),) * 4, area=Estimate(None), n_units=0),
        ),
        search=SearchAnalysis(notes=("Nothing is tuned, so there was no search.",)),
        ranking=Ranking("rank-1", (replace(empty, rows=(), baselines=()),), "How it is read.", ()),
    )
