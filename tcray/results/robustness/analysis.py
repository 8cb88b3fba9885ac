"""Robustness to perturbed test inputs: noise by modality, missing modalities, dropout, and two attacks.

Areas are those of MultiBench (Liang et al. 2021, section on robustness; `eval_scripts/robustness.py` of its code). With
f(σ) the metric at severity σ, by the trapezoidal rule, in MultiBench's case σ_max = 1:

    relative robustness    τ = 1/σ_max ∫ f(σ) dσ            the area under the performance-imperfection curve
    effective robustness   ρ = 1/σ_max ∫ f(σ) - β(σ) dσ,    β(σ) = b(σ) + f(0) - b(0)

b is the baseline's curve; β is the curve of a method that starts at f(0) and degrades as the baseline does.
MultiBench's baseline is late fusion; here it is the same cell without conditioning, ordinary LMF. MultiBench then
rescales to [0, 1] over its methods, and for ρ omits the grid's step; here both stay in the metric's units. The sizes of
noise and attacks are in standard deviations of the train split.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcray.claims.conditions import (
    CLEAN,
    MISSING,
    ConditionMetrics,
    group_by_unit,
    list_missing_patterns,
    missing_condition,
    used_modalities,
)
from tcray.claims.sweep_runs import RunId, SweepRuns
from tcray.claims.testability import list_testable, list_untestable
from tcray.claims.verdicts import ComponentTest
from tcray.results.robustness.perturbation_costs import CLAIM, measure_costs
from tcray.results.robustness.test_time_dropout import EXPECTED, RATES, expected_metric, pattern_probabilities
from tcray.statistics.estimate import Estimate

Floats = NDArray[np.float64]

PLAIN = "none"
"""The level of `conditioning` that is ordinary LMF, the baseline of effective robustness."""

ATTACKS = ("fgsm", "pgd")


@dataclass(frozen=True, slots=True)
class Robustness:
    """The primary test metric of one cell under a corruption of growing severity, with 95 % intervals over units.

    stratum     the cell's factor levels
    corruption  `noise:text`, `dropout`, `fgsm` or `pgd`; `missing` has `labels` instead of severities
    severities  σ, the probability of a missing modality, or ε; the first is 0, which is clean
    labels      missing modalities, such as `text+audio`, with `nothing` first; empty except for `missing`
    values      in the metric's units, by severity or label
    area        relative robustness: the mean of the curve, in the metric's units; undefined for `missing`, which has no
                order (its curve is that of `dropout`)
    effective   effective robustness, above 0 if less is lost than by the baseline at equal clean performance; None if
                there is no baseline, or if this cell is it
    """

    dataset: str
    source: str
    stratum: Mapping[str, Any]
    corruption: str
    metric: str
    maximize: bool
    severities: tuple[float, ...]
    labels: tuple[str, ...]
    values: tuple[Estimate, ...]
    area: Estimate
    effective: Estimate | None
    unit: str
    n_units: int


@dataclass(frozen=True)
class CorruptionCurve:
    """One cell under one corruption: `values` (C,) of every unit, by severities (C,) or labels (C,)."""

    corruption: str
    severities: tuple[float, ...]
    labels: tuple[str, ...]
    values: Mapping[int, Floats]

    def areas(self) -> dict[int, float]:
        """Return the mean height of every unit's curve; empty without severities."""
        if not self.severities:
            return {}
        return {unit: _mean_height(self.severities, heights) for unit, heights in self.values.items()}

    def losses(self) -> dict[int, float]:
        """Return the difference between every unit's mean height and its value at severity 0."""
        return {unit: area - self.values[unit][0] for unit, area in self.areas().items()}


def analyze_robustness(sweep_runs: SweepRuns) -> tuple[list[Robustness], list[ComponentTest]]:
    """Return the curves of every cell, and the components of the claim `robustness`: descriptions without a verdict."""
    tested = {dataset_runs.dataset for dataset_runs in list_testable(sweep_runs, CLAIM)}
    parts: list[Robustness] = []
    components: list[ComponentTest] = []
    for conditions in ConditionMetrics.load_all(sweep_runs):
        curves = {cell: {c.corruption: c for c in _curves(conditions, cell)} for cell in conditions.dataset_runs.cells}
        parts += _parts(conditions, curves)
        if conditions.dataset_runs.dataset in tested:
            components.append(measure_costs(conditions))
    return parts, [*components, *list_untestable(sweep_runs, CLAIM)]


def _curves(conditions: ConditionMetrics, cell: str) -> Iterator[CorruptionCurve]:
    """Yield the curve of every corruption of the modalities that a cell uses."""
    names = conditions.names(cell)
    if CLEAN not in names:
        return
    modalities = used_modalities(conditions.dataset_runs, cell)
    for corruption in (*(f"noise:{m}" for m in modalities), *ATTACKS):
        severities = sorted(float(name.rpartition(":")[2]) for name in names if name.startswith(f"{corruption}:"))
        if severities:
            asked = [CLEAN, *(f"{corruption}:{severity}" for severity in severities)]
            yield CorruptionCurve(corruption, (0.0, *severities), (), conditions.by_unit(cell, asked))
    missing = list_missing_patterns(modalities)
    asked = [missing_condition(pattern) for pattern in missing]
    if set(asked) <= set(names):
        labels = ("nothing", *(name.removeprefix(MISSING) for name in asked[1:]))
        yield CorruptionCurve("missing", (), labels, conditions.by_unit(cell, asked))
        if conditions.dataset_runs.primary.name in EXPECTED:
            yield CorruptionCurve("dropout", RATES, (), _expected_under_dropout(conditions, cell, missing))


def _expected_under_dropout(
    conditions: ConditionMetrics, cell: str, missing: Sequence[tuple[str, ...]]
) -> dict[int, Floats]:
    """Return the expected metric (P,) of every unit at each dropout rate, the mean over its runs."""
    dataset_runs = conditions.dataset_runs
    label = dataset_runs.predictions.test_split(dataset_runs.dataset).labels
    chance = pattern_probabilities([len(pattern) for pattern in missing], len(missing[-1]))

    def of_run(run: RunId) -> Floats:
        outputs = np.stack([dataset_runs.predictions.outputs(run, missing_condition(pattern)) for pattern in missing])
        return expected_metric(dataset_runs.primary.name, outputs, label, chance)

    rows = {
        unit: np.mean([of_run(run) for run in runs], axis=0) for unit, runs in group_by_unit(dataset_runs, cell).items()
    }
    return {unit: row for unit, row in rows.items() if np.isfinite(row).all()}


def _parts(conditions: ConditionMetrics, curves: Mapping[str, Mapping[str, CorruptionCurve]]) -> Iterator[Robustness]:
    dataset_runs = conditions.dataset_runs
    for cell, of_cell in curves.items():
        levels = {name: dataset_runs.cells[cell][0].get(name) for name in dataset_runs.factors}
        plain = dataset_runs.cell({**levels, "conditioning": PLAIN}) if "conditioning" in levels else None
        for curve in (curve for curve in of_cell.values() if curve.values):
            rival = curves[plain].get(curve.corruption) if plain is not None and plain != cell else None
            yield Robustness(
                dataset=dataset_runs.dataset,
                source=dataset_runs.source,
                stratum=levels,
                corruption=curve.corruption,
                metric=f"test.{dataset_runs.primary.name}",
                maximize=dataset_runs.primary.maximize,
                severities=curve.severities,
                labels=curve.labels,
                values=tuple(
                    Estimate.from_units(list(heights)) for heights in zip(*curve.values.values(), strict=True)
                ),
                area=Estimate.from_units(list(curve.areas().values())),
                effective=_effective(curve, rival, maximize=dataset_runs.primary.maximize),
                unit=dataset_runs.unit,
                n_units=len(curve.values),
            )


def _effective(curve: CorruptionCurve, rival: CorruptionCurve | None, *, maximize: bool) -> Estimate | None:
    """Return ρ over the units that both cells have; ∫ f - β is the difference between the losses of the two curves."""
    if rival is None or not curve.severities or rival.severities != curve.severities:
        return None
    own, other = curve.losses(), rival.losses()
    sign = 1 if maximize else -1
    return Estimate.from_units([sign * (own[unit] - other[unit]) for unit in own if unit in other])


def _mean_height(severities: Sequence[float], heights: Floats) -> float:
    from scipy.integrate import trapezoid

    return float(trapezoid(heights, severities) / (severities[-1] - severities[0]))
