"""The curve of a metric over an ordered factor, and the extremum that a claim is about.

The extremum is the best level, or the worst one if a claim is about harm. *Height* is the metric with its sign chosen
such that the extremum is the highest level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from tcray.claims.effect import new_component, too_few_units, with_counts
from tcray.claims.sweep_runs import DatasetRuns, Floats, PairedValues
from tcray.claims.verdicts import ComponentTest, default_margin
from tcray.claims.wording import capitalize, phrase_factor, phrase_metric
from tcray.statistics.non_monotone import MIN_UNITS, Nonmonotonicity, nonmonotonicity

Extremum = Literal["best", "worst"]


@dataclass(frozen=True)
class FactorCurve:
    """The primary test metric over the levels (L,) of an ordered factor, ascending, in one stratum.

    extremum   the level of interest: the best or the worst
    shape      the test of an inner extremum; its `optimum` is the level of interest
    """

    dataset_runs: DatasetRuns
    stratum: Mapping[str, Any]
    factor: str
    levels: tuple[Any, ...]
    extremum: Extremum
    paired: PairedValues
    shape: Nonmonotonicity
    alpha: float

    @classmethod
    def measure(
        cls, dataset_runs: DatasetRuns, stratum: Mapping[str, Any], factor: str, *, extremum: Extremum, alpha: float
    ) -> FactorCurve:
        """Return the curve over the levels of `factor` that have runs in the stratum."""
        found, cells = dataset_runs.cells_along(factor, stratum)
        paired = dataset_runs.paired_values(f"test.{dataset_runs.primary.name}", cells, by_group=True)
        shape = nonmonotonicity(
            found,
            paired.finest,
            maximize=dataset_runs.primary.maximize == (extremum == "best"),
            alpha=alpha,
            margin=default_margin(dataset_runs.primary),
        )
        return cls(dataset_runs, stratum, factor, found, extremum, paired, shape, alpha)

    @property
    def metric(self) -> str:
        """The metric as stored, such as `test.mae`."""
        return f"test.{self.dataset_runs.primary.name}"

    @property
    def label(self) -> str:
        """The metric in a sentence, such as `test MAE`."""
        return phrase_metric(self.metric)

    @property
    def noun(self) -> str:
        """The factor in a sentence, such as `rank`."""
        return phrase_factor(self.factor)

    @property
    def place(self) -> str:
        """One level of the factor in a sentence: `rank`, or `rate of audio dropout`."""
        return f"rate of {self.noun}" if self.noun.endswith(" dropout") else self.noun

    @property
    def reason(self) -> str:
        """Why the curve is not testable, and the remedy; empty if it is testable."""
        few = too_few_units(self.paired, self.dataset_runs.unit, MIN_UNITS) or self.paired.no_groups_reason
        return few or (f"{capitalize(self.shape.reason)}." if self.shape.reason else "")

    @property
    def upwards(self) -> bool:
        """True if the extremum is a maximum of the metric."""
        return self.dataset_runs.primary.maximize == (self.extremum == "best")

    def heights(self) -> Floats:
        """Return the metric (U, L) or (U, L, G), with its sign chosen such that the extremum is the largest."""
        return self.paired.finest if self.upwards else -self.paired.finest

    def new_test(self, claim: str, component: str, estimand: str) -> ComponentTest:
        """Return a component about this curve, with counts and levels but without an effect."""
        known = new_component(
            self.dataset_runs, self.stratum, claim=claim, component=component, metric=self.metric, estimand=estimand
        )
        return replace(
            with_counts(known, self.paired),
            reason=self.reason,
            margin=default_margin(self.dataset_runs.primary),
            details={
                "levels": list(self.levels),
                "means": self.paired.values.mean(0).tolist() if self.paired.units else [],
            },
        )
