"""The cost of perturbations to a dataset's fusions, in one sentence: a description without a verdict.

A cost is the worsening of the primary test metric of the same runs under a condition, against clean inputs, averaged
over the cells that use every modality; its interval is over units. Shape legend: U units, L cells, C conditions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tcray.claims.conditions import CLEAN, MISSING, ConditionMetrics, used_modalities
from tcray.claims.effect import new_component
from tcray.claims.sweep_runs import Floats
from tcray.claims.verdicts import ComponentTest
from tcray.claims.wording import capitalize, phrase_factor, phrase_interval, phrase_level, phrase_metric, phrase_number
from tcray.config.messages import join_words
from tcray.statistics.mean import mean_over_units

CLAIM = "robustness"

PHRASES: Mapping[str, str] = {"missing": "removing {}", "noise": "noise of 1 SD on {}", "pgd": "PGD at ε = {}"}
"""The kinds of condition in the sentence; of each kind, the one with the largest cost."""
NOISE, EPSILON = "1.0", "0.1"
"""The severities of noise and attack in the sentence."""


@dataclass(frozen=True)
class Costs:
    """The cost of every condition in every cell.

    clean  (L,) the metric of clean inputs, the mean over units
    costs  (U, L, C) above 0 if the metric is worse than clean
    """

    cells: tuple[str, ...]
    conditions: tuple[str, ...]
    clean: Floats
    costs: Floats

    @property
    def means(self) -> Floats:
        """The costs (L, C), averaged over units."""
        means: Floats = self.costs.mean(0)
        return means


def measure_costs(conditions: ConditionMetrics) -> ComponentTest:
    """Return the component of a dataset; not testable if no unit was evaluated under perturbations in every cell."""
    dataset_runs, metric = conditions.dataset_runs, f"test.{conditions.dataset_runs.primary.name}"
    component = new_component(
        dataset_runs,
        {},
        claim=CLAIM,
        component="costs",
        metric=metric,
        estimand=f"how much worse {phrase_metric(metric)} is under a perturbation than clean, the mean over cells",
    )
    costs = _costs(conditions)
    if costs is None:
        reason = f"No {dataset_runs.unit} of a fusion of all modalities was evaluated under perturbations in every cell"
        return replace(component, reason=f"{reason}: run the sweep to its end.")
    names = [_name(conditions, cell) for cell in costs.cells]
    units = len(costs.costs)
    return replace(
        component,
        sentences={"descriptive": _sentence(costs, names, phrase_metric(metric))},
        n_units=units,
        n_seeds=sum(len(dataset_runs.cells[cell]) for cell in costs.cells) // len(costs.cells),
        details={
            "clean": dict(zip(names, costs.clean.tolist(), strict=True)),
            "costs": {
                condition: dict(zip(names, costs.means[:, place].tolist(), strict=True))
                for place, condition in enumerate(costs.conditions)
            },
        },
    )


def _costs(conditions: ConditionMetrics) -> Costs | None:
    """Return the costs of the cells that use every modality, over the units that all of them have; None without any."""
    dataset_runs = conditions.dataset_runs
    every = tuple(dataset_runs.card["modalities"])
    names = {
        cell: conditions.names(cell) for cell in dataset_runs.cells if used_modalities(dataset_runs, cell) == every
    }
    cells = tuple(cell for cell, known in names.items() if CLEAN in known)
    shared = [name for name in names[cells[0]] if all(name in names[cell] for cell in cells)] if cells else []
    perturbed = tuple(name for name in shared if name != CLEAN)
    by_cell = [conditions.by_unit(cell, [CLEAN, *perturbed]) for cell in cells]
    units = [unit for unit in by_cell[0] if all(unit in rows for rows in by_cell)] if by_cell else []
    if not perturbed or not units:
        return None
    values = np.array([[rows[unit] for rows in by_cell] for unit in units])
    worse = -1 if dataset_runs.primary.maximize else 1
    return Costs(cells, perturbed, values[..., 0].mean(0), worse * (values[..., 1:] - values[..., :1]))


def _most_costly(costs: Costs) -> dict[str, int]:
    """Return the index of the most costly condition of each kind in the sentence.

    For `missing`, single modalities only.
    """
    mean = costs.means.mean(0)
    kinds = {
        "missing": [name for name in costs.conditions if name.startswith(MISSING) and "+" not in name],
        "noise": [name for name in costs.conditions if name.startswith("noise:") and name.endswith(f":{NOISE}")],
        "pgd": [name for name in costs.conditions if name == f"pgd:{EPSILON}"],
    }
    places = {kind: [costs.conditions.index(name) for name in names] for kind, names in kinds.items() if names}
    return {kind: max(of_kind, key=lambda place: mean[place]) for kind, of_kind in places.items()}


def _sentence(costs: Costs, names: Sequence[str], label: str) -> str:
    averaged = f", averaged over {len(names)} cells" if len(names) > 1 else ""
    clean = f"{capitalize(label)} is {phrase_number(float(costs.clean.mean()))} when clean{averaged}"
    most_costly = {
        PHRASES[kind].format(costs.conditions[place].split(":")[1]): place
        for kind, place in _most_costly(costs).items()
    }
    if not most_costly:
        return f"{clean}."
    said = [f"{what} costs {_with_interval(costs.costs[..., place].mean(1))}" for what, place in most_costly.items()]
    sentence = f"{clean}; {join_words(said, 'and')}."
    what, worst = max(most_costly.items(), key=lambda item: float(costs.means[:, item[1]].mean()))
    by_cell = costs.means[:, worst]
    least, most = int(by_cell.argmin()), int(by_cell.argmax())
    if phrase_number(by_cell[least]) == phrase_number(by_cell[most]):
        return sentence
    return (
        f"{sentence} {capitalize(what)} costs least at {names[least]} ({phrase_number(by_cell[least])}) and most at "
        f"{names[most]} ({phrase_number(by_cell[most])})."
    )


def _with_interval(units: Floats) -> str:
    said = phrase_number(float(units.mean()))
    return said if len(units) < 2 else f"{said} (95 % interval {phrase_interval(mean_over_units(units).interval())})"


def _name(conditions: ConditionMetrics, cell: str) -> str:
    """Return a cell by its factor levels, such as `rank 4, conditioning none`."""
    run = conditions.dataset_runs.cells[cell][0]
    factors = [name for name in conditions.dataset_runs.factors if run.get(name) is not None]
    return ", ".join(f"{phrase_factor(name)} {phrase_level(run[name])}" for name in factors) or cell
