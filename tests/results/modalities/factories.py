"""Factories of sweeps over modalities with a known test MAE for every subset of text, audio and video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from tcray.claims.sweep_runs import DatasetRuns, SweepRuns
from tcray.claims.verdicts import ComponentTest, conclude
from tcray.config.sweep import Confirm
from tcray.data.catalog import Card
from tests.claims.factories import (
    MOSI,
    RunOutcome,
    SyntheticDataset,
    make_labels,
    make_predictions,
    make_recorded_store,
    make_sweep,
)

THREE_MODALITIES = replace(MOSI, modalities={"text": 4, "audio": 3, "video": 2})
LABEL = make_labels(THREE_MODALITIES)
CONSTANT = 2.0
"""The test MAE of the reference row, which no single constant has: it is the same for every group."""
REPEATS = 6

SUBSETS = ("text", "audio", "video", "text+audio", "text+video", "audio+video", "text+audio+video")

MaeBySubset = Mapping[str, float]
"""MAE by subset; a subset is named like `text+audio`."""


def name_maes(*maes: float) -> dict[str, float]:
    """Return MAEs by subset, given in the order of `SUBSETS`."""
    return dict(zip(SUBSETS, maes, strict=True))


ALL_USEFUL = name_maes(0.6, 1.2, 1.3, 0.55, 0.56, 1.1, 0.5)
"""Every modality is useful, text most."""


def make_repeat_mae(mae: float, subset: str, repeat: int, spread: float) -> float:
    """Return the MAE of a repeat; over repeats the mean is exactly `mae`, and each subset has another order."""
    order = np.random.default_rng([ord(letter) for letter in subset]).permutation(REPEATS)
    return mae + spread * (float(order[repeat]) - (REPEATS - 1) / 2)


def load_sweep_runs(
    folder: Path,
    maes: MaeBySubset,
    *,
    card: Card = THREE_MODALITIES,
    spread: float = 0.001,
    repeats: int = REPEATS,
    **changes: Any,
) -> SweepRuns:
    """Return the runs of a sweep over the subsets of `maes`; the error of every test example is the MAE of its run.

    Predictions without a modality at inference have the MAE of training without it; without any modality it is 2.
    """
    names = tuple(card.modalities)

    def outcome(levels: Mapping[str, Sequence[str]], repeat: int, seed: int) -> RunOutcome:
        subset = "+".join(levels["modalities"])
        also = {}
        for size in range(1, len(names) + 1):
            for missing in combinations(names, size):
                rest = "+".join(m for m in names if m not in missing)
                also["missing:" + "+".join(missing)] = make_predictions(LABEL, maes.get(rest, 2.0))
        return RunOutcome(make_predictions(LABEL, make_repeat_mae(maes[subset], subset, repeat, spread)), also=also)

    sweep = make_sweep(
        **{
            "factors": {"modalities": tuple(tuple(subset.split("+")) for subset in maes)},
            "claims": ("weak-modality", "modal-asymmetry"),
            "confirm": Confirm(seeds=1, repeats=repeats),
            **changes,
        }
    )
    baselines = {card.name: [{"name": "median", "metrics": {"test.mae": CONSTANT}}]}
    return SweepRuns.load(make_recorded_store(folder, sweep, SyntheticDataset.of(card, outcome), baselines=baselines))


def load_dataset_runs(folder: Path, maes: MaeBySubset, **changes: Any) -> DatasetRuns:
    """Return the runs of the only dataset of such a sweep."""
    return load_sweep_runs(folder, maes, **changes).datasets[0]


def conclude_component(component: ComponentTest) -> tuple[str, str]:
    """Return the verdict and the sentence of the component."""
    finding = conclude([component], alpha=0.05, beats_linear={})[-1]
    return finding.verdict, finding.sentence
