"""Sweeps over modalities with planted values: the test MAE of every subset of text, audio and video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from tcray.claims.sweep_runs import DatasetRuns, SweepRuns
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
"""MAE by subset, as `text+audio`."""


def name_maes(*maes: float) -> dict[str, float]:
    """MAEs in the order of `SUBSETS`."""
    return dict(zip(SUBSETS, maes, strict=True))


ALL_USEFUL = name_maes(0.6, 1.2, 1.3, 0.55, 0.56, 1.1, 0.5)
"""Every modality is missed, text most."""


def make_repeat_mae(mae: float, subset: str, repeat: int, spread: float) -> float:
    """A repeat's MAE: those of each subset have the mean `mae` exactly, and differ in their order."""
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
    """That of a sweep over the subsets of `maes`, every test example of a run being off by its MAE.

    What is missing at inference leaves of a fusion of all what training without it does; without any it is off by 2.
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
    """The one dataset of that evidence."""
    return load_sweep_runs(folder, maes, **changes).datasets[0]
