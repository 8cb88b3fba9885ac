"""Metrics against every ordered factor of a sweep (rank, dropout rates, prior strength), and two claims about them.

`rank-generalisation` and `audio-dropout` need an extremum between the ends (`peaks`), in a certain region (`location`).
At one configuration the former also looks at train loss and at the gap between test and train loss, from the lowest
rank to the highest. Where each level is at its own best configuration these say nothing, and the claim does without.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from tcray.claims.effect import Direction, asked, effect
from tcray.claims.sweep_runs import DatasetRuns, Floats, SweepRuns
from tcray.claims.testability import testable, train_unusable, untestable
from tcray.claims.units import TESTED, Unit
from tcray.claims.verdicts import ComponentTest, margin_of
from tcray.claims.wording import level
from tcray.config.metrics import METRICS
from tcray.results.rank.extremum import Curve
from tcray.results.rank.location import Region, located
from tcray.results.rank.peaks import peaked
from tcray.statistics.estimate import Estimate
from tcray.statistics.non_monotone import nonmonotonicity

RANK_CLAIM, RANK = "rank-generalisation", "rank"
DROPOUT_CLAIM, AUDIO_DROPOUT = "audio-dropout", "modality_dropout.audio"

BEST_RANKS = Region(2, 4)
WORST_RATES = Region(0.3, 0.5)
"""Where the best rank, and the worst rate of audio dropout, are claimed to lie."""

SECONDARY = 2
"""Test metrics of a task that have a profile: the primary one, and the first other."""

Purpose = Literal["generalisation", "train", "gap", "secondary"]


@dataclass(frozen=True)
class Profile:
    """A metric over the levels (L,) of an ordered factor, ascending; every other factor at the level of `stratum`.

    metric   as `test.mae`, `train.loss`, or `gap` (see `Samples.panel`)
    values   (U, L), paired by unit
    means    (L,) with their intervals over retraining
    optimum  the level of best mean; None where units or levels are too few for a test, or all alike
    optimum_set, worst_set   hold each truly best (worst) level with 95 %, over retraining; all levels without a test
    purpose  what it is looked at for: the primary test metric, train loss, the gap, or a further test metric
    tuned    whether each level is at its own best configuration, else all are at one
    dropped  units that lack a level
    p_peak, p_two_lines   p-values, over retraining and not corrected, for a best level between the ends: ours, and that
             of the two-lines test; None where there is no test, or none is asked for
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


def analyze(evidence: SweepRuns) -> tuple[list[Profile], list[ComponentTest]]:
    """A profile of each ordered factor, dataset, stratum and metric, and what both claims come to."""
    profiles = [profile for samples in evidence.samples for profile in _profiles(evidence, samples)]
    of_rank = [c for samples in testable(evidence, RANK_CLAIM) for c in _rank(evidence, samples)]
    of_dropout = [c for samples in testable(evidence, DROPOUT_CLAIM) for c in _dropout(evidence, samples)]
    barred = [*untestable(evidence, RANK_CLAIM), *untestable(evidence, DROPOUT_CLAIM)]
    return profiles, [*of_rank, *of_dropout, *barred]


def ordered(evidence: SweepRuns) -> list[str]:
    """The factors whose levels are numbers."""
    return [name for name, levels in evidence.sweep.factors.items() if all(_is_number(value) for value in levels)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _profiles(evidence: SweepRuns, samples: DatasetRuns) -> Iterator[Profile]:
    for factor in ordered(evidence):
        for stratum in samples.strata(factor):
            if len(samples.along(factor, stratum)[0]) > 1:
                for metric, purpose in _metrics(samples):
                    yield _profile(evidence, samples, factor, stratum, metric, purpose)


def _metrics(samples: DatasetRuns) -> Iterator[tuple[str, Purpose]]:
    yield f"test.{samples.primary.name}", "generalisation"
    yield "train.loss", "train"
    yield "gap", "gap"
    for name in TESTED[samples.task][:SECONDARY]:
        if name != samples.primary.name:
            yield f"test.{name}", "secondary"


def _profile(
    evidence: SweepRuns, samples: DatasetRuns, factor: str, stratum: Mapping[str, Any], metric: str, purpose: Purpose
) -> Profile:
    levels, cells = samples.along(factor, stratum)
    panel = samples.panel(metric, cells)
    name = metric.rpartition(".")[2]
    maximize = name in METRICS and METRICS[name].maximize
    best = nonmonotonicity(levels, panel.values, maximize=maximize)
    tests = purpose in ("generalisation", "secondary")
    return Profile(
        dataset=samples.dataset,
        source=samples.source,
        stratum=stratum,
        factor=factor,
        levels=levels,
        metric=metric,
        maximize=maximize,
        values=panel.values,
        means=tuple(Estimate.of(list(column)) for column in panel.values.T.tolist()),
        optimum=best.optimum,
        optimum_set=best.optimum_set,
        worst_set=nonmonotonicity(levels, panel.values, maximize=not maximize).optimum_set,
        purpose=purpose,
        tuned=evidence.tuned,
        unit=samples.unit,
        dropped=panel.dropped,
        p_peak=best.p_value if tests else None,
        p_two_lines=best.two_lines.p_value if tests and best.two_lines else None,
    )


def _rank(evidence: SweepRuns, samples: DatasetRuns) -> Iterator[ComponentTest]:
    for stratum in _strata(samples, RANK):
        curve = Curve.of(samples, stratum, RANK, extremum="best", alpha=evidence.alpha)
        yield peaked(curve, RANK_CLAIM, "non-monotone")
        yield located(curve, RANK_CLAIM, "optimum-2-to-4", BEST_RANKS)
        yield _train_loss(evidence, samples, stratum)
        yield _gap(evidence, samples, stratum)


def _dropout(evidence: SweepRuns, samples: DatasetRuns) -> Iterator[ComponentTest]:
    for stratum in _strata(samples, AUDIO_DROPOUT):
        curve = Curve.of(samples, stratum, AUDIO_DROPOUT, extremum="worst", alpha=evidence.alpha)
        yield peaked(curve, DROPOUT_CLAIM, "u-shaped")
        yield located(curve, DROPOUT_CLAIM, "worst-rate-30-to-50", WORST_RATES)


def _strata(samples: DatasetRuns, factor: str) -> Iterator[Mapping[str, Any]]:
    """The strata in which the factor has a level: audio dropout has none where audio is not used."""
    return (stratum for stratum in samples.strata(factor) if samples.levels(factor, stratum))


def _single(ranks: Sequence[Any]) -> str:
    """Why nothing falls or grows, and the remedy; empty where there are ranks enough."""
    return "" if len(ranks) > 1 else "Only one rank has complete runs, and a change takes two: add ranks to the factor."


def _train_loss(evidence: SweepRuns, samples: DatasetRuns, stratum: Mapping[str, Any]) -> ComponentTest:
    """That train loss is lower at the highest rank than at the lowest; its own trough, if it has one, is said too."""
    ranks, cells = samples.along(RANK, stratum)
    estimand = (
        "Train loss at the last epoch, the highest rank less the lowest, over retraining: the train split is given"
    )
    component = asked(
        samples, stratum, claim=RANK_CLAIM, component="train-loss-falls", metric="train.loss", estimand=estimand
    )
    if reason := train_unusable(evidence, samples) or _single(ranks):
        return replace(component, reason=reason, needed=not evidence.tuned)
    panel = samples.panel("train.loss", cells)
    shape = nonmonotonicity(ranks, panel.values, maximize=False, alpha=evidence.alpha)
    trough = shape.verdict == "supported"
    span = f"from rank {level(ranks[0])} to rank {level(ranks[-1])}"
    direction = Direction(
        claimed=f"train loss falls {span}",
        opposite=f"train loss rises {span}",
        sign=-1,
        margin=margin_of(METRICS["loss"]),
        also=f" It is lowest in between, at rank {level(shape.optimum)}." if trough else "",
    )
    known = replace(component, details={"interior_trough": trough, "p_interior_trough": shape.p_value})
    difference = panel.values[:, -1] - panel.values[:, 0]
    return effect(known, panel, difference, direction, alpha=evidence.alpha, groups=samples.group_noun)


def _gap(evidence: SweepRuns, samples: DatasetRuns, stratum: Mapping[str, Any]) -> ComponentTest:
    """That the gap is wider at the highest rank than at the lowest."""
    ranks, cells = samples.along(RANK, stratum)
    estimand = (
        "Test loss less train loss, both at the last epoch, the highest rank less the lowest, over retraining: "
        "predictions are kept of the best epoch alone"
    )
    component = asked(samples, stratum, claim=RANK_CLAIM, component="gap-grows", metric="gap", estimand=estimand)
    if reason := train_unusable(evidence, samples) or _single(ranks):
        return replace(component, reason=reason, needed=not evidence.tuned)
    panel = samples.panel("gap", cells)
    span = f"from rank {level(ranks[0])} to rank {level(ranks[-1])}"
    direction = Direction(
        claimed=f"the gap between test and train loss grows {span}",
        opposite=f"the gap between test and train loss shrinks {span}",
        sign=1,
        margin=margin_of(METRICS["loss"]),
    )
    difference = panel.values[:, -1] - panel.values[:, 0]
    return effect(component, panel, difference, direction, alpha=evidence.alpha, groups=samples.group_noun)
