"""The curve of a metric over an ordered factor, and the extremum that a claim looks for on it.

That is its best level or, where the question is what hurts most, its worst. *Height* is the metric turned so that the
level looked for is the highest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from tcray.claims.effect import asked, counted, thin
from tcray.claims.sweep_runs import DatasetRuns, Floats, PairedValues
from tcray.claims.verdicts import ComponentTest, margin_of
from tcray.claims.wording import capitalised, factor_noun, label_of
from tcray.statistics.non_monotone import LEAST_UNITS, Nonmonotonicity, nonmonotonicity

Extremum = Literal["best", "worst"]


@dataclass(frozen=True)
class Curve:
    """The primary test metric over the levels (L,) of an ordered factor, ascending, in one stratum.

    extremum   which of its ends is asked about: where it is best, or where it is worst
    shape      what units and people say of that; its `optimum` is the level asked about
    """

    samples: DatasetRuns
    stratum: Mapping[str, Any]
    factor: str
    levels: tuple[Any, ...]
    extremum: Extremum
    panel: PairedValues
    shape: Nonmonotonicity
    alpha: float

    @classmethod
    def of(
        cls, samples: DatasetRuns, stratum: Mapping[str, Any], factor: str, *, extremum: Extremum, alpha: float
    ) -> Curve:
        """The curve over those levels of `factor` that have runs in the stratum."""
        found, cells = samples.along(factor, stratum)
        panel = samples.panel(f"test.{samples.primary.name}", cells, grouped=True)
        shape = nonmonotonicity(
            found,
            panel.values if panel.grouped is None else panel.grouped,
            maximize=samples.primary.maximize == (extremum == "best"),
            alpha=alpha,
            margin=margin_of(samples.primary),
        )
        return cls(samples, stratum, factor, found, extremum, panel, shape, alpha)

    @property
    def metric(self) -> str:
        """As `test.mae`."""
        return f"test.{self.samples.primary.name}"

    @property
    def label(self) -> str:
        """As `test MAE`."""
        return label_of(self.metric)

    @property
    def noun(self) -> str:
        """What the factor is called, as `rank`."""
        return factor_noun(self.factor)

    @property
    def place(self) -> str:
        """What one of its levels is called, as `rank` or `rate of audio dropout`."""
        return f"rate of {self.noun}" if self.noun.endswith(" dropout") else self.noun

    @property
    def reason(self) -> str:
        """Why nothing of it is testable, and the remedy; empty where it is."""
        few = thin(self.panel, self.samples.unit, LEAST_UNITS) or self.panel.ungrouped
        return few or (f"{capitalised(self.shape.reason)}." if self.shape.reason else "")

    @property
    def upwards(self) -> bool:
        """Whether the extremum is a highest number."""
        return self.samples.primary.maximize == (self.extremum == "best")

    def heights(self) -> Floats:
        """(U, L), or (U, L, G): the metric, turned so that the extremum is the largest."""
        values = self.panel.values if self.panel.grouped is None else self.panel.grouped
        return values if self.upwards else -values

    def asks(self, claim: str, component: str, estimand: str) -> ComponentTest:
        """A component about this curve, with all that has been measured of none of its effects."""
        known = asked(
            self.samples, self.stratum, claim=claim, component=component, metric=self.metric, estimand=estimand
        )
        return replace(
            counted(known, self.panel),
            reason=self.reason,
            margin=margin_of(self.samples.primary),
            details={
                "levels": list(self.levels),
                "means": self.panel.values.mean(0).tolist() if self.panel.units else [],
            },
        )
