"""The value of every subset of a dataset's modalities: retrained with it alone, or with the rest missing at inference.

Shape legend: U units, G test groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tcray.claims.conditions import (
    ConditionMetrics,
    list_missing_patterns,
    missing_condition,
    pseudovalues_by_condition,
)
from tcray.claims.sweep_runs import DatasetRuns, Floats, PairedValues
from tcray.config.messages import join_words
from tcray.results.modalities import constant
from tcray.statistics.estimate import Estimate, to_finite
from tcray.statistics.shapley_values import Shapley, Subset, shapley

GameKind = Literal["retrained", "inference"]

FACTOR = "modalities"
NOTHING: Subset = frozenset()


@dataclass(frozen=True)
class CoalitionGame:
    """The primary test metric of every subset of modalities, including the empty one, in the metric's units.

    stratum     levels of the factors other than `modalities`
    modalities  in the dataset's order
    means       (U,) by subset
    by_group    (U, G) pseudo-values by subset and test group if they are known, otherwise `means`
    paired      the values of the non-empty subsets, paired by unit; None at inference
    """

    dataset_runs: DatasetRuns
    stratum: Mapping[str, Any]
    kind: GameKind
    modalities: tuple[str, ...]
    means: Mapping[Subset, Floats]
    by_group: Mapping[Subset, Floats]
    paired: PairedValues | None = None

    @property
    def sign(self) -> int:
        """The factor with which larger values of the metric are better."""
        return 1 if self.dataset_runs.primary.maximize else -1

    @property
    def units(self) -> int:
        """The number of units, U."""
        return len(self.means[NOTHING])

    @property
    def trained_with_dropout(self) -> bool:
        """True if every run of all modalities was trained with dropout of each modality."""
        cell = self.dataset_runs.cell({**self.stratum, FACTOR: "+".join(self.modalities)})
        runs = self.dataset_runs.cells[cell] if cell else []
        return bool(runs) and all((run.get(f"modality_dropout.{m}") or 0) > 0 for run in runs for m in self.modalities)

    def shapley(self, alpha: float) -> Shapley:
        """Return Shapley values, positive for a modality that helps; without intervals if there is one unit."""
        if self.units < 2:
            return shapley({subset: self.sign * float(values[0]) for subset, values in self.means.items()})
        return shapley({subset: self.sign * values for subset, values in self.by_group.items()}, alpha=alpha)

    def by_subset(self) -> dict[Subset, Estimate]:
        """Return the metric of every subset with its interval over units: by size, the empty subset first."""
        return {subset: Estimate.from_units(values.tolist()) for subset, values in self.means.items()}


def cells_by_subset(dataset_runs: DatasetRuns, stratum: Mapping[str, Any]) -> dict[Subset, str]:
    """Return the cell of every subset of modalities with complete runs: by size, then in the dataset's order."""
    names = {
        subset: dataset_runs.cell({**stratum, FACTOR: "+".join(subset)})
        for subset in list_missing_patterns(tuple(dataset_runs.card["modalities"]))[1:]
    }
    return {frozenset(subset): cell for subset, cell in names.items() if cell is not None}


def explain_incomplete(dataset_runs: DatasetRuns, needed: Sequence[Subset], cells: Mapping[Subset, str]) -> str:
    """Return why some subsets of modalities cannot be compared, and the remedy; empty if all have complete runs."""
    lacking = ["+".join(m for m in dataset_runs.card["modalities"] if m in s) for s in needed if s not in cells]
    if not lacking:
        return ""
    missing = f"No confirm run on {dataset_runs.dataset} with {join_words(lacking)} for modalities is complete"
    return f"{missing}: set modalities to subsets, and run the sweep to its end."


def explain_missing_constant(dataset_runs: DatasetRuns) -> str:
    """Return why the value of the empty subset is unknown, and the remedy; empty if it is known."""
    if _get_constant_value(dataset_runs) is not None:
        return ""
    lacks = f"The sweep has no constant baseline for {dataset_runs.dataset}, so the value of no modality is unknown"
    return f"{lacks}: run it again with --fresh."


def _get_constant_value(dataset_runs: DatasetRuns) -> float | None:
    metrics = constant.get_constant_metrics(dataset_runs)
    return None if metrics is None else to_finite(metrics.get(f"test.{dataset_runs.primary.name}"))


def compute_retrained_game(dataset_runs: DatasetRuns, stratum: Mapping[str, Any]) -> CoalitionGame | None:
    """Return the game of fusions trained with each subset; None if a value is missing for every unit.

    The value of the empty subset is that of the best constant fitted on train (`constant`): equal for every unit, and
    by test group if the constant can be recovered, otherwise equal for every group.
    """
    cells, nothing = cells_by_subset(dataset_runs, stratum), _get_constant_value(dataset_runs)
    if len(cells) < 2 ** len(dataset_runs.card["modalities"]) - 1 or nothing is None:
        return None
    paired = dataset_runs.paired_values(f"test.{dataset_runs.primary.name}", list(cells.values()), by_group=True)
    if not paired.units:
        return None
    means = {NOTHING: np.full(paired.units, nothing)}
    means |= {subset: paired.values[:, place] for place, subset in enumerate(cells)}
    values = means
    if paired.by_group is not None:
        by_group = constant.score_by_group(dataset_runs)
        of_groups = np.full(paired.by_group.shape[2], nothing) if by_group is None else by_group
        values = {NOTHING: np.tile(of_groups, (paired.units, 1))}
        values |= {subset: paired.by_group[:, place] for place, subset in enumerate(cells)}
    return CoalitionGame(
        dataset_runs, stratum, "retrained", tuple(dataset_runs.card["modalities"]), means, values, paired
    )


def compute_inference_game(conditions: ConditionMetrics, stratum: Mapping[str, Any]) -> CoalitionGame | None:
    """Return the game of runs trained with all modalities, with modalities missing at inference.

    None without values.
    """
    dataset_runs = conditions.dataset_runs
    modalities = tuple(dataset_runs.card["modalities"])
    cell = dataset_runs.cell({**stratum, FACTOR: "+".join(modalities)})
    missing = [tuple(m for m in modalities if m not in present) for present in list_missing_patterns(modalities)]
    asked = [missing_condition(pattern) for pattern in missing]
    if cell is None or not set(asked) <= set(conditions.names(cell)):
        return None
    by_unit = conditions.by_unit(cell, asked)
    if not by_unit:
        return None
    subsets = [frozenset(present) for present in list_missing_patterns(modalities)]
    means = np.array(list(by_unit.values()))
    by_group = pseudovalues_by_condition(dataset_runs, cell, asked, list(by_unit))
    values = means if by_group is None else by_group
    return CoalitionGame(
        dataset_runs,
        stratum,
        "inference",
        modalities,
        {subset: means[:, place] for place, subset in enumerate(subsets)},
        {subset: values[:, place] for place, subset in enumerate(subsets)},
    )
