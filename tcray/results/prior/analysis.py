"""The effect of conditioning by a shared prior (jWAE) at each rank, against LMF of the same rank and seeds.

A band is a range of ranks that hypotheses are about. First the analysis checks that conditioning took hold: MMD²
between latents and prior, on validation, must fall to half of its value without the prior.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from tcray.claims.effect import Hypothesis, measure_effect, new_component
from tcray.claims.sweep_runs import DatasetRuns, Floats, PairedValues, SweepRuns
from tcray.claims.testability import list_testable, list_untestable
from tcray.claims.units import Unit
from tcray.claims.verdicts import ComponentTest, default_margin
from tcray.claims.wording import capitalize, phrase_levels, phrase_metric
from tcray.config.metrics import METRICS, Metric
from tcray.statistics.estimate import Estimate

CLAIM = "conditioning"
MetricKind = Literal["classification", "mae"]
PLAIN, PRIOR = "none", "jwae"

HALF = 0.5
"""Share of the MMD² without the prior to which it must fall before the prior's effect is tested."""


@dataclass(frozen=True, slots=True)
class RankBand:
    """A range of ranks, and the kind of metric that the prior is claimed to raise in it."""

    component: str
    ranks: tuple[int, ...]
    kind: MetricKind


BANDS = (
    RankBand("helps-classification-low", (1, 2), "classification"),
    RankBand("helps-classification-medium", (3, 4, 6), "classification"),
    RankBand("costs-mae-high", (8, 12, 16), "mae"),
)


@dataclass(frozen=True)
class Conditioning:
    """The difference that the prior makes to one test metric, by rank.

    stratum      levels of the factors other than rank and conditioning
    ranks        (L,) the ranks with runs of both arms
    differences  (U, L) jWAE minus LMF, in the metric's units
    means        (L,) of the differences, with their intervals over retraining
    mmd2_none, mmd2_jwae   (L,) MMD² between latents and prior on validation, the mean over modalities and units
    halved       True if the mean of `mmd2_jwae` is at most half of that of `mmd2_none`
    """

    dataset: str
    source: str
    stratum: Mapping[str, Any]
    metric: str
    maximize: bool
    ranks: tuple[int, ...]
    differences: Floats
    means: tuple[Estimate, ...]
    mmd2_none: tuple[float | None, ...]
    mmd2_jwae: tuple[float | None, ...]
    halved: bool
    unit: Unit


@dataclass(frozen=True, slots=True)
class _Arms:
    """The cells of both arms at several ranks of one stratum; only ranks at which both arms have runs."""

    dataset_runs: DatasetRuns
    stratum: Mapping[str, Any]
    ranks: tuple[int, ...]

    @classmethod
    def select(cls, dataset_runs: DatasetRuns, stratum: Mapping[str, Any], ranks: Sequence[int]) -> _Arms:
        both = [rank for rank in ranks if all(_cell(dataset_runs, stratum, rank, arm) for arm in (PLAIN, PRIOR))]
        return cls(dataset_runs, stratum, tuple(both))

    def cells(self, arm: str) -> list[str]:
        found = [_cell(self.dataset_runs, self.stratum, rank, arm) for rank in self.ranks]
        return [cell for cell in found if cell is not None]

    def difference(self, metric: str, *, by_group: bool = False) -> tuple[PairedValues, Floats]:
        """Return the paired values of both arms, and jWAE minus LMF (U, L) or (U, L, G)."""
        paired = self.dataset_runs.paired_values(metric, [*self.cells(PRIOR), *self.cells(PLAIN)], by_group=by_group)
        return paired, paired.finest[:, : len(self.ranks)] - paired.finest[:, len(self.ranks) :]

    def mmd2(self, arm: str) -> list[float | None]:
        """Return MMD² by rank, the mean over modalities and units; None if it was not recorded."""
        return [self._mmd2(cell) for cell in self.cells(arm)]

    def _mmd2(self, cell: str) -> float | None:
        paired_by_modality = [
            self.dataset_runs.paired_values(f"check.mmd2.{m}", [cell]) for m in self.dataset_runs.card["modalities"]
        ]
        known = [float(paired.values.mean()) for paired in paired_by_modality if paired.units]
        return float(np.mean(known)) if known else None


def analyze_prior(sweep_runs: SweepRuns) -> tuple[list[Conditioning], list[ComponentTest]]:
    """Return the curves of every dataset with both arms, and the components of the claim `conditioning`."""
    curves = [curve for dataset_runs in sweep_runs.datasets for curve in _curves(dataset_runs)]
    components = [c for dataset_runs in list_testable(sweep_runs, CLAIM) for c in _components(dataset_runs, sweep_runs)]
    return curves, [*components, *list_untestable(sweep_runs, CLAIM)]


def _cell(dataset_runs: DatasetRuns, stratum: Mapping[str, Any], rank: int, arm: str) -> str | None:
    return dataset_runs.cell({**stratum, "rank": rank, "conditioning": arm})


def _metric(dataset_runs: DatasetRuns, kind: MetricKind) -> Metric | None:
    """Return the metric of this kind on a dataset; None if there is none."""
    if kind == "mae":
        return METRICS["mae"] if dataset_runs.task == "regression" else None
    return METRICS["acc2"] if dataset_runs.task == "regression" else dataset_runs.primary


def _curves(dataset_runs: DatasetRuns) -> Iterator[Conditioning]:
    for stratum in dataset_runs.strata("rank", "conditioning"):
        arms = _Arms.select(dataset_runs, stratum, dataset_runs.levels("rank", stratum))
        for metric in (_metric(dataset_runs, "classification"), _metric(dataset_runs, "mae")):
            if metric is not None and arms.ranks:
                yield _curve(arms, metric)


def _curve(arms: _Arms, metric: Metric) -> Conditioning:
    _, differences = arms.difference(f"test.{metric.name}")
    none, jwae = arms.mmd2(PLAIN), arms.mmd2(PRIOR)
    return Conditioning(
        dataset=arms.dataset_runs.dataset,
        source=arms.dataset_runs.source,
        stratum=arms.stratum,
        metric=f"test.{metric.name}",
        maximize=metric.maximize,
        ranks=arms.ranks,
        differences=differences,
        means=tuple(Estimate.from_units(list(column)) for column in differences.T.tolist()),
        mmd2_none=tuple(none),
        mmd2_jwae=tuple(jwae),
        halved=not _explain_not_halved(none, jwae),
        unit=arms.dataset_runs.unit,
    )


def _explain_not_halved(none: Sequence[float | None], jwae: Sequence[float | None]) -> str:
    """Return why conditioning is not known to have taken hold, and the remedy; empty if it has."""
    before, after = [v for v in none if v is not None], [v for v in jwae if v is not None]
    if len(before) < len(none) or len(after) < len(jwae):
        unknown = "MMD² between latents and prior was not recorded, so it is unknown whether conditioning took hold"
        return f"{unknown}: run the sweep again."
    without, under = float(np.mean(before)), float(np.mean(after))
    if without > 0 and under <= HALF * without:
        return ""
    return (
        f"Conditioning did not take hold: MMD² between latents and prior is {under:.2g} with it and {without:.2g} "
        "without, not half as much; raise prior_strength."
    )


def _components(dataset_runs: DatasetRuns, sweep_runs: SweepRuns) -> Iterator[ComponentTest]:
    for stratum in dataset_runs.strata("rank", "conditioning"):
        for band in BANDS:
            metric = _metric(dataset_runs, band.kind)
            if metric is not None:
                yield _component(_Arms.select(dataset_runs, stratum, band.ranks), band, metric, sweep_runs)


def _explain_missing_ranks(band: RankBand, sweep_runs: SweepRuns) -> str:
    """Return why no rank of a band can be tested, and the remedy."""
    ranks = f"rank of {phrase_levels(band.ranks, 'or')}"
    if set(band.ranks).isdisjoint(sweep_runs.sweep.factors["rank"]):
        return f"The sweep has no {ranks}: add one to the factor."
    return f"No {ranks} has complete runs with conditioning {PLAIN} and with {PRIOR}: run the sweep to its end."


def _component(arms: _Arms, band: RankBand, metric: Metric, sweep_runs: SweepRuns) -> ComponentTest:
    """Return the component about the mean paired difference over a band's ranks."""
    dataset_runs, name = arms.dataset_runs, f"test.{metric.name}"
    label, ranks = phrase_metric(name), f"rank{'s' * (len(arms.ranks) > 1)} {phrase_levels(arms.ranks or band.ranks)}"
    configuration = "each cell at its own best configuration" if sweep_runs.tuned else "all cells at one configuration"
    component = new_component(
        dataset_runs,
        arms.stratum,
        claim=CLAIM,
        component=band.component,
        metric=name,
        estimand=(
            f"{capitalize(label)} conditioned by jWAE less {label} of LMF, the mean over {ranks}, "
            f"paired by {dataset_runs.unit}; {configuration}"
        ),
    )
    if not arms.ranks:
        return replace(component, reason=_explain_missing_ranks(band, sweep_runs))
    without, under = arms.mmd2(PLAIN), arms.mmd2(PRIOR)
    component = replace(component, details={"ranks": list(arms.ranks), "mmd2_none": without, "mmd2_jwae": under})
    if reason := _explain_not_halved(without, under):
        return replace(component, reason=reason)
    paired, differences = arms.difference(name, by_group=True)
    up, down = (f"conditioning by jWAE {verb} {label} at {ranks}" for verb in ("raises", "lowers"))
    direction = Hypothesis(up, down, sign=1, margin=default_margin(metric))
    return measure_effect(
        component, paired, differences.mean(1), direction, alpha=sweep_runs.alpha, groups=dataset_runs.group_noun
    )
