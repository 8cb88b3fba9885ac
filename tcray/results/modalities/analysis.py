"""What each modality contributes, retrained and at inference, and the claims that rest on it.

Retrained, a subset of modalities is worth what fusions are that were trained with it alone. At inference it is worth
what fusions of all modalities are when the rest is missing: the shares are then called reliance, unless each modality
was dropped at times in training, so that its absence was nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tcray.claims.conditions import Conditions
from tcray.claims.sweep_runs import ALPHA, SweepRuns
from tcray.claims.testability import testable, untestable
from tcray.claims.units import Unit
from tcray.claims.verdicts import ComponentTest
from tcray.results.modalities import contribution_tests as asymmetry
from tcray.results.modalities import leave_one_out as weakness
from tcray.results.modalities.coalition_values import FACTOR, Game, Kind, at_inference, retrained
from tcray.results.modalities.contribution_tests import combination_beats_parts, shares_differ
from tcray.results.modalities.leave_one_out import leaving_one_out
from tcray.statistics.estimate import Estimate
from tcray.statistics.shapley_values import Shapley, Subset


@dataclass(frozen=True)
class Contribution:
    """What the modalities of a dataset contribute to its primary test metric.

    stratum    levels of the factors beside `modalities`
    name       what the shares are called
    shapley    in the metric's units, turned so that a positive share helps; intervals over retraining and people
    by_subset  the metric itself with its interval over retraining, the empty subset first
    """

    dataset: str
    source: str
    stratum: Mapping[str, Any]
    metric: str
    maximize: bool
    kind: Kind
    name: Literal["Shapley value", "reliance"]
    modalities: tuple[str, ...]
    shapley: Shapley
    by_subset: Mapping[Subset, Estimate]
    n_units: int
    unit: Unit

    @classmethod
    def of(cls, game: Game) -> Contribution:
        """The contribution that a game's Shapley values are, with 95 % intervals."""
        samples = game.samples
        return cls(
            dataset=samples.dataset,
            source=samples.source,
            stratum=game.stratum,
            metric=f"test.{samples.primary.name}",
            maximize=samples.primary.maximize,
            kind=game.kind,
            name="reliance" if game.kind == "inference" and not game.used_to_absence else "Shapley value",
            modalities=game.modalities,
            shapley=game.shapley(ALPHA),
            by_subset=game.by_subset(),
            n_units=game.units,
            unit=samples.unit,
        )


def analyze(evidence: SweepRuns) -> tuple[list[Contribution], list[ComponentTest]]:
    """The contributions of every dataset, and what the claims `weak-modality` and `modal-asymmetry` come to."""
    contributions: list[Contribution] = []
    components: list[ComponentTest] = []
    weak = {samples.dataset for samples in testable(evidence, weakness.CLAIM)}
    asymmetric = {samples.dataset for samples in testable(evidence, asymmetry.CLAIM)}
    for conditions in Conditions.of(evidence) if FACTOR in evidence.sweep.factors else ():
        samples = conditions.samples
        for stratum in samples.strata(FACTOR):
            game = retrained(samples, stratum)
            games = [game, at_inference(conditions, stratum)]
            contributions += [Contribution.of(known) for known in games if known]
            if samples.dataset in weak:
                components.append(leaving_one_out(samples, stratum, evidence.alpha))
            if samples.dataset in asymmetric:
                components.append(shares_differ(samples, stratum, game, evidence.alpha))
                components.append(combination_beats_parts(samples, stratum, evidence.alpha))
    return contributions, [*components, *untestable(evidence, weakness.CLAIM), *untestable(evidence, asymmetry.CLAIM)]
