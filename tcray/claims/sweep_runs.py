"""The confirm runs of a sweep as arrays that are paired by unit: the input of every analysis.

Units are independent: repeats (the mean over their confirm seeds), or seeds if nothing is tuned. Only complete confirm
runs count. Shape legend: U units, L cells, G test groups, N test examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcray.claims.predictions import Predictions
from tcray.claims.pseudovalues import pseudovalues
from tcray.claims.units import Unit, get_unit_kind
from tcray.config.metrics import METRICS, Metric, Task
from tcray.config.run import canonical_json
from tcray.config.sweep import Sweep
from tcray.statistics.estimate import to_finite
from tcray.store.store import Store, SweepStore
from tcray.store.trials import Record, read_records

Floats = NDArray[np.float64]
RunId = tuple[str, int, int]
"""Key of a confirm run in its sweep: cell, repeat and seed."""

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class PairedValues:
    """One number for every unit in each of several cells, paired by unit.

    values   (U, L)
    by_group (U, L, G) pseudo-values by test group, whose mean over G is `values`; None if not available
    numbers  (U,) the number of each unit: its repeat, or its seed
    runs     confirm runs of each unit in a cell
    no_groups_reason   why `by_group` is missing although it was requested, in one sentence; otherwise empty
    dropped  units that lack a complete run, or a defined number, in one of the cells
    sd_repeats, sd_seeds   standard deviation between repeats (without the share of their seeds), and between the seeds
                           of
             a repeat, pooled over cells; None with one repeat, or with one seed per repeat
    """

    values: Floats
    by_group: Floats | None
    numbers: tuple[int, ...]
    runs: int
    dropped: int
    sd_repeats: float | None
    sd_seeds: float | None
    no_groups_reason: str = ""

    @property
    def finest(self) -> Floats:
        """The values (U, L, G) by test group if they are available, otherwise (U, L)."""
        return self.values if self.by_group is None else self.by_group

    @property
    def units(self) -> int:
        """The number of units, U."""
        return len(self.values)

    @property
    def seeds(self) -> int:
        """The number of confirm runs in a cell's mean."""
        return self.units * self.runs


@dataclass(frozen=True)
class DatasetRuns:
    """The complete confirm runs of one dataset, real or its twin, sorted by the levels as the sweep file lists them."""

    card: Mapping[str, Any]
    unit: Unit
    factors: tuple[str, ...]
    runs: Sequence[Record]
    predictions: Predictions = field(repr=False)
    baselines: Sequence[Mapping[str, Any]] = ()

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        return str(self.card["name"])

    @property
    def source(self) -> str:
        """`real` or `twin`."""
        return str(self.card["source"])

    @property
    def task(self) -> Task:
        """Regression or classification."""
        task: Task = self.card["task"]
        return task

    @property
    def primary(self) -> Metric:
        """The metric on which verdicts rest."""
        return METRICS[self.card["primary_metric"]]

    @property
    def group_noun(self) -> str:
        """The kind of test group: `video`, `speaker`, or `example` if every example is its own group."""
        return str(self.card["groups"]) or "example"

    @cached_property
    def cells(self) -> Mapping[str, list[Record]]:
        """The runs of every cell."""
        cells: dict[str, list[Record]] = {}
        for run in self.runs:
            cells.setdefault(run["cell"], []).append(run)
        return cells

    def levels(self, factor: str, within: Mapping[str, Any] | None = None) -> list[Any]:
        """Return the levels of a factor that have runs (in the stratum `within`): sorted if numeric, else in order."""
        found = dict.fromkeys(run.get(factor) for run in self._of(within or {}) if run.get(factor) is not None)
        return sorted(found) if all(isinstance(level, int | float) for level in found) else list(found)

    def strata(self, *without: str) -> list[dict[str, Any]]:
        """Return every combination of levels with runs of all factors but `without`; one empty dict if none remain."""
        names = [name for name in self.factors if name not in without]
        found = dict.fromkeys(tuple(run.get(name) for name in names) for run in self.runs)
        return [dict(zip(names, levels, strict=True)) for levels in found]

    def cell(self, levels: Mapping[str, Any]) -> str | None:
        """Return the cell with these levels; None if it has no run."""
        return next((run["cell"] for run in self._of(levels)), None)

    def cells_along(self, factor: str, stratum: Mapping[str, Any]) -> tuple[tuple[Any, ...], list[str]]:
        """Return the levels of a factor that have runs in a stratum of all other factors, and their cells."""
        found = [(level, self.cell({**stratum, factor: level})) for level in self.levels(factor, stratum)]
        known = [(level, cell) for level, cell in found if cell is not None]
        return tuple(level for level, _ in known), [cell for _, cell in known]

    def paired_values(self, metric: str, cells: Sequence[str], *, by_group: bool = False) -> PairedValues:
        """Return the values of a metric in these cells, paired by unit.

        Args:
            metric: such as `test.mae`, or `gap` for test loss minus train loss at the last epoch.
            cells: keys of L cells.
            by_group: also compute pseudo-values by test group, from the clean predictions; only for `test.*`.
        """
        by_unit = self._by_unit(metric, cells)
        units = [unit for unit in by_unit if all(by_unit[unit])]
        dropped = len(by_unit) - len(units)
        values = [[[value for _, value in cell] for cell in by_unit[unit]] for unit in units]
        seeds = min((len(cell) for unit in values for cell in unit), default=0)
        means = np.array([[np.mean(cell) for cell in unit] for unit in values], np.float64).reshape(
            len(units), len(cells)
        )
        paired = PairedValues(means, None, tuple(units), seeds, dropped, *_deviations(values, self.unit))
        if not by_group or not units:
            return paired
        try:
            pseudo = self._by_group(metric, [[[run for run, _ in cell] for cell in by_unit[unit]] for unit in units])
        except (KeyError, ValueError) as undefined:
            return replace(paired, no_groups_reason=self._ungrouped(undefined))
        return replace(paired, by_group=pseudo)

    def _of(self, levels: Mapping[str, Any]) -> Iterator[Record]:
        return (run for run in self.runs if all(run.get(name) == level for name, level in levels.items()))

    def _by_unit(self, metric: str, cells: Sequence[str]) -> dict[int, list[list[tuple[RunId, float]]]]:
        """Return runs and their numbers by unit and cell; a cell has none if one of its numbers is undefined."""
        found: dict[int, list[list[tuple[RunId, float]]]] = {}
        undefined: set[tuple[int, int]] = set()
        for place, cell in enumerate(cells):
            for run in self.cells.get(cell, ()):
                unit = run["seed"] if self.unit == "seed" else run["repeat"]
                value = _number(run, metric)
                row = found.setdefault(unit, [[] for _ in cells])
                if value is None:
                    undefined.add((unit, place))
                else:
                    row[place].append(((cell, run["repeat"], run["seed"]), value))
        for unit, place in undefined:
            found[unit][place] = []
        return dict(sorted(found.items()))

    def _by_group(self, metric: str, runs: Sequence[Sequence[Sequence[RunId]]]) -> Floats:
        """Return pseudo-values (U, L, G) of runs by unit and cell: the mean over the runs of a unit in a cell.

        Raises:
            KeyError: if a run has no predictions.
            ValueError: if the metric is undefined without one of the groups.
        """
        split = self.predictions.test_split(self.dataset)
        clean = np.stack([self.predictions.outputs(run, "clean") for unit in runs for cell in unit for run in cell])
        name = metric.removeprefix("test.")
        by_run = iter(pseudovalues(name, clean, split.labels, split.groups, task=self.task))
        return np.array([[np.mean([next(by_run) for _ in cell], axis=0) for cell in unit] for unit in runs])

    def _ungrouped(self, undefined: Exception) -> str:
        noun = self.group_noun
        if isinstance(undefined, KeyError):
            return f"Predictions are missing, so the variation between {noun}s is unknown: run the sweep again."
        if len({*self.predictions.test_split(self.dataset).groups}) < 2:
            return f"The test split has one {noun}, so the variation between {noun}s is unknown: test on more."
        return f"The variation between {noun}s is unknown because {undefined}: test on more {noun}s."


@dataclass(frozen=True)
class SweepRuns:
    """A sweep, its runs, and the confirm runs of each dataset.

    datasets  the confirm runs by dataset, in the order of the sweep file
    looks     number of sweeps in the store, including this one, that question the same question of the same data with
              other confirm runs, no later than this sweep
    """

    manifest: Mapping[str, Any]
    sweep: Sweep
    datasets: tuple[DatasetRuns, ...]
    looks: int
    runs: Sequence[Record] = field(repr=False)
    """Every run, of both phases and in every state."""
    store: SweepStore = field(repr=False)

    @classmethod
    def load(cls, store: SweepStore) -> SweepRuns:
        """Load the runs of a sweep from its store.

        Raises:
            StoreError: if the store is damaged.
        """
        manifest = store.read_manifest()
        sweep = Sweep.from_document(manifest["sweep"])
        runs = read_records(store)
        confirmed = [run for run in runs if run["phase"] == "confirm" and run["state"] == "COMPLETE"]
        confirmed.sort(key=lambda run: _sort_key(run, sweep.factors))
        predictions = Predictions(store)
        datasets = tuple(
            DatasetRuns(
                card=card,
                unit=get_unit_kind(sweep),
                factors=tuple(sweep.factors),
                runs=[run for run in confirmed if (run["dataset"], run["source"]) == (card["name"], card["source"])],
                predictions=predictions,
                baselines=manifest["baselines"].get(card["name"], ()),
            )
            for card in manifest["cards"]
        )
        return cls(manifest, sweep, datasets, _looks(store, manifest), runs, store)

    @property
    def alpha(self) -> float:
        """The level of the tests: 5 %, divided by the number of looks."""
        return ALPHA / self.looks

    @property
    def tuned(self) -> bool:
        """True if every cell has its own best configuration."""
        return bool(self.sweep.tune)


def _sort_key(run: Record, factors: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Return a sort key: positions of the run's levels in the sweep file; subsets of modalities by size, then name."""
    places = []
    for name, listed in factors.items():
        level = run.get(name)
        known = [] if isinstance(listed, str) else ["+".join(x) if isinstance(x, tuple) else x for x in listed]
        places.append((known.index(level), "") if level in known else (str(level).count("+"), str(level)))
    return places


def _number(run: Record, metric: str) -> float | None:
    if metric != "gap":
        return to_finite(run.get(metric))
    test, train = to_finite(run.get("last.test.loss")), to_finite(run.get("train.loss"))
    return None if test is None or train is None else test - train


def _deviations(values: Sequence[Sequence[Sequence[float]]], unit: Unit) -> tuple[float | None, float | None]:
    """Return the standard deviations between repeats and between seeds, pooled over cells.

    Args:
        values: by unit, cell and seed.
        unit: what the units are; if they are seeds, the first deviation is None.
    """
    if len(values) < 2:
        return None, None
    means = np.array([[np.mean(cell) for cell in row] for row in values])
    between = float(means.var(axis=0, ddof=1).mean())
    if unit == "seed":
        return None, between**0.5
    spreads = [(np.var(cell, ddof=1), len(cell)) for row in values for cell in row if len(cell) > 1]
    if not spreads:
        return between**0.5, None
    within = float(np.mean([spread for spread, _ in spreads]))
    seeds = float(np.mean([count for _, count in spreads]))
    return max(0.0, between - within / seeds) ** 0.5, within**0.5


def _looks(store: SweepStore, manifest: Mapping[str, Any]) -> int:
    """Count this sweep and the earlier ones that differ only in their confirm runs; equal confirm runs count once."""
    question, started = _question_of(manifest), manifest["started_at"]
    others = [other for other in Store(store.filesystem).manifests() if other["started_at"] <= started]
    confirmed = {canonical_json(other["sweep"]["confirm"]) for other in others if _question_of(other) == question}
    return len(confirmed | {canonical_json(manifest["sweep"]["confirm"])})


def _question_of(manifest: Mapping[str, Any]) -> Any:
    """Return the parts of a manifest that define its question: all but confirm runs, claims, texts and resources."""
    aside = ("confirm", "claims", "question", "resources", "data")
    sweep = {key: value for key, value in manifest["sweep"].items() if key not in aside}
    return sweep, [card["fingerprint"] for card in manifest["cards"]], manifest.get("engine")
