"""Metrics against every ordered factor (rank, dropout rates, prior strength), and two claims about them.

`rank-generalisation` and `audio-dropout` need an extremum between the ends (`peaks`) in a given region (`location`). If
all ranks share one configuration, the former also tests train loss and the gap between test and train loss, from the
lowest rank to the highest. If each level has its own best configuration, these cannot be compared and are not required.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from tcray.claims.effect import Hypothesis, measure_effect, new_component
from tcray.claims.sweep_runs import DatasetRuns, Floats, SweepRuns
from tcray.claims.testability import explain_unusable_train_loss, list_testable, list_untestable
from tcray.claims.units import TEST_METRICS, Unit
from tcray.claims.verdicts import ComponentTest, default_margin
from tcray.claims.wording import phrase_level
from tcray.config.metrics import METRICS
from tcray.results.rank.extremum import FactorCurve
from tcray.results.rank.location import Region, measure_location
from tcray.results.rank.peaks import measure_peak
from tcray.statistics.estimate import Estimate
from tcray.statistics.non_monotone import nonmonotonicity

RANK_CLAIM, RANK = "rank-generalisation", "rank"
DROPOUT_CLAIM, AUDIO_DROPOUT = "audio-dropout", "modality_dropout.audio"

BEST_RANKS = Region(2, 4)
WORST_RATES = Region(0.3, 0.5)
"""The regions in which the best rank and the worst rate of audio dropout are claimed to lie."""

SECONDARY = 2
"""Number of test metrics of a task with a profile: the primary one and the first other one."""

Purpose = Literal["generalisation", "train", "gap", "secondary"]


@dataclass(frozen=True)
class Profile:
    """A metric over the levels (L,) of an ordered factor, ascending; all other factors are fixed by `stratum`.

    metric   such as `test.mae`, `train.loss`, or `gap` (see `DatasetRuns.paired_values`)
    values   (U, L), paired by unit
    means    (L,) with their intervals over retraining
    optimum  the level with the best mean; None if there are too few units or levels for a test, or no variation
    optimum_set, worst_set   contain each truly best (worst) level with 95 %, over retraining; all levels without a test
    purpose  the role of the metric: primary test metric, train loss, gap, or a further test metric
    tuned    True if each level has its own best configuration; otherwise all share one
    dropped  units that lack a level
    p_peak, p_two_lines   p-values, over retraining and not corrected, of a best level between the ends: by our test and
                          by
             the two-lines test; None if there is no test or none applies
    """

    dataset: str
    source: str
    stratum: Mapping[str, Any]
    factor: str
    levels: tuple[Any, ...]
    metric: str
    maximize: bool
    values: Floats
    means: tuple[Estimate, ...]
    optimum: Any
    optimum_set: tuple[Any, ...]
    worst_set: tuple[Any, ...]
    purpose: Purpose
    tuned: bool
    unit: Unit
    dropped: int
    p_peak: float | None = None
    p_two_lines: float | None = None


def analyze_rank(sweep_runs: SweepRuns) -> tuple[list[Profile], list[ComponentTest]]:
    """Return the profiles of every ordered factor, dataset, stratum and metric, and the components of both claims."""
    profiles = [profile for dataset_runs in sweep_runs.datasets for profile in _profiles(sweep_runs, dataset_runs)]
    of_rank = [
        c for dataset_runs in list_testable(sweep_runs, RANK_CLAIM) for c in _test_rank_claim(sweep_runs, dataset_runs)
    ]
    of_dropout = [
        c
        for dataset_runs in list_testable(sweep_runs, DROPOUT_CLAIM)
        for c in _test_dropout_claim(sweep_runs, dataset_runs)
    ]
    barred = [*list_untestable(sweep_runs, RANK_CLAIM), *list_untestable(sweep_runs, DROPOUT_CLAIM)]
    return profiles, [*of_rank, *of_dropout, *barred]


def list_ordered_factors(sweep_runs: SweepRuns) -> list[str]:
    """Return the factors whose levels are numbers."""
    return [name for name, levels in sweep_runs.sweep.factors.items() if all(_is_number(value) for value in levels)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _profiles(sweep_runs: SweepRuns, dataset_runs: DatasetRuns) -> Iterator[Profile]:
    for factor in list_ordered_factors(sweep_runs):
        for stratum in dataset_runs.strata(factor):
            if len(dataset_runs.cells_along(factor, stratum)[0]) > 1:
                for metric, purpose in _metrics(dataset_runs):
                    yield _profile(sweep_runs, dataset_runs, factor, stratum, metric, purpose)


def _metrics(dataset_runs: DatasetRuns) -> Iterator[tuple[str, Purpose]]:
    yield f"test.{dataset_runs.primary.name}", "generalisation"
    yield "train.loss", "train"
    yield "gap", "gap"
    for name in TEST_METRICS[dataset_runs.task][:SECONDARY]:
        if name != dataset_runs.primary.name:
            yield f"test.{name}", "secondary"


def _profile(
    sweep_runs: SweepRuns,
    dataset_runs: DatasetRuns,
    factor: str,
    stratum: Mapping[str, Any],
    metric: str,
    purpose: Purpose,
) -> Profile:
    levels, cells = dataset_runs.cells_along(factor, stratum)
    paired = dataset_runs.paired_values(metric, cells)
    name = metric.rpartition(".")[2]
    maximize = name in METRICS and METRICS[name].maximize
    best = nonmonotonicity(levels, paired.values, maximize=maximize)
    tests = purpose in ("generalisation", "secondary")
    return Profile(
        dataset=dataset_runs.dataset,
        source=dataset_runs.source,
        stratum=stratum,
        factor=factor,
        levels=levels,
        metric=metric,
        maximize=maximize,
        values=paired.values,
        means=tuple(Estimate.from_units(list(column)) for column in paired.values.T.tolist()),
        optimum=best.optimum,
        optimum_set=best.optimum_set,
        worst_set=nonmonotonicity(levels, paired.values, maximize=not maximize).optimum_set,
        purpose=purpose,
        tuned=sweep_runs.tuned,
        unit=dataset_runs.unit,
        dropped=paired.dropped,
        p_peak=best.p_value if tests else None,
        p_two_lines=best.two_lines.p_value if tests and best.two_lines else None,
    )


def _test_rank_claim(sweep_runs: SweepRuns, dataset_runs: DatasetRuns) -> Iterator[ComponentTest]:
    for stratum in _strata(dataset_runs, RANK):
        curve = FactorCurve.measure(dataset_runs, stratum, RANK, extremum="best", alpha=sweep_runs.alpha)
        yield measure_peak(curve, RANK_CLAIM, "non-monotone")
        yield measure_location(curve, RANK_CLAIM, "optimum-2-to-4", BEST_RANKS)
        yield _measure_train_loss(sweep_runs, dataset_runs, stratum)
        yield _measure_gap(sweep_runs, dataset_runs, stratum)


def _test_dropout_claim(sweep_runs: SweepRuns, dataset_runs: DatasetRuns) -> Iterator[ComponentTest]:
    for stratum in _strata(dataset_runs, AUDIO_DROPOUT):
        curve = FactorCurve.measure(dataset_runs, stratum, AUDIO_DROPOUT, extremum="worst", alpha=sweep_runs.alpha)
        yield measure_peak(curve, DROPOUT_CLAIM, "u-shaped")
        yield measure_location(curve, DROPOUT_CLAIM, "worst-rate-30-to-50", WORST_RATES)


def _strata(dataset_runs: DatasetRuns, factor: str) -> Iterator[Mapping[str, Any]]:
    """Return the strata in which the factor has levels: audio dropout has none if audio is not used."""
    return (stratum for stratum in dataset_runs.strata(factor) if dataset_runs.levels(factor, stratum))


def _explain_single_rank(ranks: Sequence[Any]) -> str:
    """Return why a change cannot be tested, and the remedy; empty if there is more than one rank."""
    return "" if len(ranks) > 1 else "Only one rank has complete runs, and a change needs two: add ranks to the factor."


def _measure_train_loss(sweep_runs: SweepRuns, dataset_runs: DatasetRuns, stratum: Mapping[str, Any]) -> ComponentTest:
    """Return the component that train loss is lower at the highest rank than at the lowest.

    Reports an inner minimum.
    """
    ranks, cells = dataset_runs.cells_along(RANK, stratum)
    estimand = (
        "Train loss at the last epoch, the highest rank less the lowest, over retraining: the train split is given"
    )
    component = new_component(
        dataset_runs, stratum, claim=RANK_CLAIM, component="train-loss-falls", metric="train.loss", estimand=estimand
    )
    if reason := explain_unusable_train_loss(sweep_runs, dataset_runs) or _explain_single_rank(ranks):
        return replace(component, reason=reason, required=not sweep_runs.tuned)
    paired = dataset_runs.paired_values("train.loss", cells)
    shape = nonmonotonicity(ranks, paired.values, maximize=False, alpha=sweep_runs.alpha)
    trough = shape.verdict == "supported"
    span = f"from rank {phrase_level(ranks[0])} to rank {phrase_level(ranks[-1])}"
    direction = Hypothesis(
        claimed=f"train loss falls {span}",
        opposite=f"train loss rises {span}",
        sign=-1,
        margin=default_margin(METRICS["loss"]),
        remark=f" It is lowest in between, at rank {phrase_level(shape.optimum)}." if trough else "",
    )
    known = replace(component, details={"interior_trough": trough, "p_interior_trough": shape.p_value})
    difference = paired.values[:, -1] - paired.values[:, 0]
    return measure_effect(known, paired, difference, direction, alpha=sweep_runs.alpha, groups=dataset_runs.group_noun)


def _measure_gap(sweep_runs: SweepRuns, dataset_runs: DatasetRuns, stratum: Mapping[str, Any]) -> ComponentTest:
    """Return the component that the gap is wider at the highest rank than at the lowest."""
    ranks, cells = dataset_runs.cells_along(RANK, stratum)
    estimand = (
        "Test loss less train loss, both at the last epoch, the highest rank less the lowest, over retraining: "
        "predictions are kept of the best epoch alone"
    )
    component = new_component(
        dataset_runs, stratum, claim=RANK_CLAIM, component="gap-grows", metric="gap", estimand=estimand
    )
    if reason := explain_unusable_train_loss(sweep_runs, dataset_runs) or _explain_single_rank(ranks):
        return replace(component, reason=reason, required=not sweep_runs.tuned)
    paired = dataset_runs.paired_values("gap", cells)
    span = f"from rank {phrase_level(ranks[0])} to rank {phrase_level(ranks[-1])}"
    direction = Hypothesis(
        claimed=f"the gap between test and train loss grows {span}",
        opposite=f"the gap between test and train loss shrinks {span}",
        sign=1,
        margin=default_margin(METRICS["loss"]),
    )
    difference = paired.values[:, -1] - paired.values[:, 0]
    return measure_effect(
        component, paired, difference, direction, alpha=sweep_runs.alpha, groups=dataset_runs.group_noun
    )
