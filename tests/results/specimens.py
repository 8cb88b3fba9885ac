"""Parts of results made by hand, as the analyses make them, with known numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcray.data.catalog import Card
from tcray.results.modalities.analysis import Contribution
from tcray.results.prior.analysis import Conditioning
from tcray.results.rank.analysis import Profile
from tcray.results.ranking.analysis import DatasetTable, Row
from tcray.results.robustness.analysis import Robustness
from tcray.results.search.analysis import History, Importance, Optimism, SearchAnalysis, SearchedTrial
from tcray.results.spectrum.analysis import Spectrum
from tcray.statistics.estimate import Estimate
from tcray.statistics.shapley_values import shapley
from tests.results.recorded import MOSI, REFERENCES

RANKS = (1, 2, 3, 4, 6, 8, 12, 16)
ARMS = ("none", "jwae")
UNITS = 6
SHAPE = np.array([0.10, 0.02, 0.0, 0.01, 0.03, 0.05, 0.07, 0.09])
"""How much worse than the best each rank is: a truth with its optimum at rank 3."""


def means_of(values: NDArray[np.float64]) -> tuple[Estimate, ...]:
    """The estimate of every column of `values` (U, L)."""
    return tuple(Estimate.from_units(list(column)) for column in np.asarray(values, np.float64).T.tolist())


def some_units(level: float, shape: NDArray[np.float64], seed: int = 0) -> NDArray[np.float64]:
    """Values (U, L) about `level` and a shape, with small noise."""
    noise = np.random.default_rng(seed).normal(0, 0.008, (UNITS, len(shape)))
    return np.asarray(level + shape + noise)


def a_profile(card: Card = MOSI, means: Sequence[Estimate] = (), **changes: Any) -> Profile:
    """The primary test metric over rank, best at 3; changes that leave `values` alone leave the means, too."""
    maximize = card.primary_metric != "mae"
    values = some_units(0.6, -SHAPE) if maximize else some_units(0.95, SHAPE)
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
    return Profile(**given, means=tuple(means) or means_of(given["values"]))


def some_profiles(card: Card) -> list[Profile]:
    """Test, train and gap over rank in both arms."""
    falling = -0.3 * np.linspace(0, 1, len(RANKS))
    made = []
    for seed, arm in enumerate(ARMS):
        stratum = {"conditioning": arm}
        loss = {"maximize": False, "optimum": None, "optimum_set": RANKS, "worst_set": RANKS, "stratum": stratum}
        made += [
            a_profile(card, stratum=stratum),
            a_profile(card, metric="train.loss", purpose="train", values=some_units(0.6, falling, seed), **loss),
            a_profile(card, metric="gap", purpose="gap", values=some_units(0.3, -falling, seed), **loss),
        ]
    return made


def a_conditioning(
    card: Card = MOSI, metric: str = "test.acc2", means: Sequence[Estimate] = (), **changes: Any
) -> Conditioning:
    """What the prior changes over rank: a gain at low ranks and a loss at high ones."""
    differences = some_units(0.0, np.linspace(0.03, -0.03, len(RANKS)), 3)
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
    return Conditioning(**given, means=tuple(means) or means_of(given["differences"]))


def a_spectrum(card: Card = MOSI, **changes: Any) -> Spectrum:
    """Equal factors: the effective rank is the rank."""
    equal = {rank: (1 / rank,) * rank for rank in RANKS}
    given: dict[str, Any] = {
        "dataset": card.name,
        "source": card.source,
        "stratum": {"conditioning": "none"},
        "ranks": RANKS,
        "effective_rank": np.tile(np.array(RANKS, np.float64), (UNITS, 1)),
        "energies": equal,
        "unfolded": dict.fromkeys(card.modalities, equal),
        "gap": some_units(0.2, np.linspace(0, 0.3, len(RANKS))),
        "unit": "repeat",
        **changes,
    }
    return Spectrum(**given)


def a_contribution(card: Card = MOSI, kind: Any = "retrained", **changes: Any) -> Contribution:
    """Text is worth 0.3, audio 0.1, and together they are worth as much as apart."""
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


def a_robustness(card: Card, rank: int, arm: str, corruption: str, **changes: Any) -> Robustness:
    """A metric that worsens with severity, the more so the higher the rank."""
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


def some_search(cards: tuple[Card, ...]) -> SearchAnalysis:
    """Histories in which every third trial is pruned and one failed, importances, and optimism."""
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


def a_table(card: Card) -> DatasetTable:
    """Two cells above the reference rows."""
    metrics = (f"test.{card.primary_metric}", "test.acc2" if card is MOSI else "test.auroc")
    shown = (*metrics, "valid.loss", "train.loss")
    rows = tuple(
        Row(f"{card.name}/rank={rank}", {m: Estimate(0.9, 0.02) for m in shown}, {"rank": rank}, 6, (2, 2), 1, 4)
        for rank in (3, 16)
    )
    baselines = tuple(
        Row(row["name"], {m: Estimate(row["metrics"].get(m)) for m in shown if m != "test.r"}, {})
        for row in REFERENCES[card.name]
    )
    return DatasetTable(card.name, card.source, "repeat", "valid.loss", metrics, ("rank",), rows, baselines, ())
