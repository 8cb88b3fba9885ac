"""Results made by hand: every verdict there is, on real data and on a twin, with what is not a number among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tcray.data.catalogue import Card
from tcray.results.analyses.concluding import Results
from tcray.results.analyses.finding import Component, Finding, conclude
from tcray.results.analyses.profiles import Profile
from tcray.results.analyses.search import History, SearchAnalysis, Tried
from tcray.results.estimate import Estimate
from tcray.results.ranking import Ranking
from tcray.results.statistics.mean import Interval
from tcray.spec.sweep import Sweep
from tests.results.recorded import MOSI, MUSTARD, a_sweep

PLAIN = {"conditioning": "none"}
PRIOR = {"conditioning": "jwae"}
LABELS = "The features saw the train labels, so train loss tells nothing: use mosi-heldout."


def a_component(component: str, card: Card = MOSI, **changes: Any) -> Component:
    """One that measured something: an effect of +0.031 MAE, p 0.003, 12 seeds."""
    given: dict[str, Any] = {
        "claim": "rank-generalisation",
        "component": component,
        "dataset": card.name,
        "source": card.source,
        "stratum": PLAIN,
        "metric": f"test.{card.primary_metric}",
        "estimand": "how much worse the last rank is than the best",
        "says": {
            "supported": f"{component} holds.",
            "contradicted": f"{component} does not hold.",
            "inconclusive": f"{component} is open.",
        },
        "holds": 0.003,
        "opposes": 1.0,
        "estimate": 0.031,
        "retraining": Interval(0.012, 0.05),
        "people": Interval(0.001, 0.061),
        "margin": 0.02,
        "unit": "seed",
        "n_units": 12,
        "n_seeds": 12,
        "sd_seeds": 0.02,
    }
    return Component(**{**given, **changes})


def some_findings() -> list[Finding]:
    """Of rank-generalisation: contradicted, supported and not testable wholes; of robustness a description."""
    missing = {"holds": None, "opposes": None, "estimate": None, "retraining": None, "people": None, "margin": None}
    components = [
        a_component("non-monotone"),
        a_component(
            "optimum-2-to-4",
            holds=1.0,
            opposes=0.001,
            estimate=3.0,
            retraining=Interval(2.0, 8.0),
            people=None,
            margin=None,
            sd_repeats=float("nan"),
            details={"optimum_set": [2, 3, 8]},
        ),
        a_component("train-loss-falls", metric="train.loss", reason=LABELS, **missing),
        a_component("gap-grows", metric="gap", reason=LABELS, **missing),
        a_component("non-monotone", stratum=PRIOR, holds=0.0001),
        a_component("optimum-2-to-4", stratum=PRIOR, holds=0.002, details={"pairs": {("a", "b"): np.nan}}),
        a_component("non-monotone", MUSTARD, holds=0.4, units_needed=1234, margin=0.01),
        a_component(
            "robust", claim="robustness", stratum={}, says={"descriptive": "Noise costs most in text."}, **missing
        ),
    ]
    return conclude(components, alpha=0.05, beats_linear={"mosi": False})


def a_profile(**changes: Any) -> Profile:
    """Test MAE of two seeds at ranks 2 and 12."""
    given: dict[str, Any] = {
        "dataset": "mosi",
        "source": "real",
        "stratum": PLAIN,
        "factor": "rank",
        "levels": (2, 12),
        "metric": "test.mae",
        "maximize": False,
        "values": np.array([[0.9, 1.0], [0.92, np.nan]]),
        "means": (Estimate(0.91, 0.127), Estimate(1.0, None)),
        "optimum": 2,
        "optimum_set": (2, 12),
        "worst_set": (12,),
        "purpose": "generalisation",
        "tuned": False,
        "unit": "seed",
        "dropped": 0,
    }
    return Profile(**{**given, **changes})


def some_results(
    findings: Sequence[Finding] | None = None, *, sweep: Sweep | None = None, finished: bool = True, **changes: Any
) -> Results:
    """The results of a sweep over rank and conditioning, of which two claims were asked."""
    asked = sweep or a_sweep(
        question="Does rank matter?",
        claims=("rank-generalisation", "robustness"),
        datasets=("mosi", "mustard"),
        factors={"rank": (2, 12), "conditioning": ("none", "jwae")},
    )
    manifest = {
        "sweep_id": "small-1",
        "started_at": "2026-01-01T00:00:00+00:00",
        "finished_at": "2026-01-01T00:01:00+00:00" if finished else None,
        "cards": [MOSI.document(), MUSTARD.document()],
        "left_out": [{"dataset": "hateful_memes", "reason": "it has no audio"}],
        "engine": "2",
        "sessions": [
            {
                "started_at": "2026-01-01T00:00:00+00:00",
                "host": "a-host",
                "device": "cpu",
                "commit": None,
                "versions": {"tcray": "0.1.0", "torch": "2.13.0"},
            }
        ],
    }
    tried = Tried(cell="mosi/rank=2", repeat=0, order=0, epoch=3, value=float("inf"), state="FAILED", best_so_far=None)
    given: dict[str, Any] = {
        "sweep_id": "small-1",
        "manifest": manifest,
        "sweep": asked,
        "alpha": 0.05,
        "looks": 1,
        "findings": tuple(some_findings() if findings is None else findings),
        "profiles": (a_profile(), a_profile(metric="train.loss", purpose="train")),
        "conditionings": (),
        "spectra": (),
        "contributions": (),
        "robustness": (),
        "search": SearchAnalysis(histories=(History("mosi", "real", "valid.loss", False, (tried,)),)),
        "ranking": Ranking("small-1", (), "Means.", ()),
    }
    return Results(**{**given, **changes})
