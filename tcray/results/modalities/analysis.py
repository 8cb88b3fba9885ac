"""The contribution of each modality, retrained and at inference, and the claims about it.

Retrained values of a subset come from fusions trained with that subset alone. Values at inference come from fusions of
all modalities with the rest missing. Shapley values at inference are called reliance, unless each modality was
sometimes dropped in training, so that the model has seen its absence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tcray.claims.conditions import ConditionMetrics
from tcray.claims.sweep_runs import ALPHA, SweepRuns
from tcray.claims.testability import list_testable, list_untestable
from tcray.claims.units import Unit
from tcray.claims.verdicts import ComponentTest
from tcray.results.modalities.coalition_values import (
    FACTOR,
    CoalitionGame,
    GameKind,
    compute_inference_game,
    compute_retrained_game,
)
from tcray.results.modalities.contribution_tests import (
    ASYMMETRY_CLAIM,
    measure_combination_gain,
    measure_share_differences,
)
from tcray.results.modalities.leave_one_out import WEAKNESS_CLAIM, measure_leave_one_out
from tcray.statistics.estimate import Estimate
from tcray.statistics.shapley_values import Shapley, Subset


@dataclass(frozen=True)
class Contribution:
    """The contributions of a dataset's modalities to its primary test metric.

    stratum    levels of the factors other than `modalities`
    name       name of the shares
    shapley    in the metric's units, positive for a modality that helps; intervals over retraining and people
    by_subset  the metric of each subset with its interval over retraining, the empty subset first
    """

    dataset: str
    source: str
    stratum: Mapping[str, Any]
    metric: str
    maximize: bool
    kind: GameKind
    name: Literal["Shapley value", "reliance"]
    modalities: tuple[str, ...]
    shapley: Shapley
    by_subset: Mapping[Subset, Estimate]
    n_units: int
    unit: Unit

    @classmethod
    def from_game(cls, game: CoalitionGame) -> Contribution:
        """Return the contribution from a game's Shapley values, with 95 % intervals."""
        dataset_runs = game.dataset_runs
        return cls(
            dataset=dataset_runs.dataset,
            source=dataset_runs.source,
            stratum=game.stratum,
            metric=f"test.{dataset_runs.primary.name}",
            maximize=dataset_runs.primary.maximize,
            kind=game.kind,
            name="reliance" if game.kind == "inference" and not game.trained_with_dropout else "Shapley value",
            modalities=game.modalities,
            shapley=game.shapley(ALPHA),
            by_subset=game.by_subset(),
            n_units=game.units,
            unit=dataset_runs.unit,
        )


def analyze_modalities(sweep_runs: SweepRuns) -> tuple[list[Contribution], list[ComponentTest]]:
    """Return the contributions of every dataset, and the components of `weak-modality` and `modal-asymmetry`."""
    contributions: list[Contribution] = []
    components: list[ComponentTest] = []
    weak = {dataset_runs.dataset for dataset_runs in list_testable(sweep_runs, WEAKNESS_CLAIM)}
    asymmetric = {dataset_runs.dataset for dataset_runs in list_testable(sweep_runs, ASYMMETRY_CLAIM)}
    for conditions in ConditionMetrics.load_all(sweep_runs) if FACTOR in sweep_runs.sweep.factors else ():
        dataset_runs = conditions.dataset_runs
        for stratum in dataset_runs.strata(FACTOR):
            game = compute_retrained_game(dataset_runs, stratum)
            games = [game, compute_inference_game(conditions, stratum)]
            contributions += [Contribution.from_game(known) for known in games if known]
            if dataset_runs.dataset in weak:
                components.append(measure_leave_one_out(dataset_runs, stratum, sweep_runs.alpha))
            if dataset_runs.dataset in asymmetric:
                components.append(measure_share_differences(dataset_runs, stratum, game, sweep_runs.alpha))
                components.append(measure_combination_gain(dataset_runs, stratum, sweep_runs.alpha))
    return contributions, [
        *components,
        *list_untestable(sweep_runs, WEAKNESS_CLAIM),
        *list_untestable(sweep_runs, ASYMMETRY_CLAIM),
    ]
