"""The runs of a sweep in TensorBoard: cells with their levels, curves by epoch, and metrics of whole runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from tcray.claims.units import TEST_METRICS, Record, get_unit_kind, group_confirm_runs, mean_over_runs
from tcray.config.metrics import METRICS
from tcray.config.sweep import Sweep
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import format_dataset_short, format_metric
from tcray.results.output.tensorboard.dashboard import SOURCE, SWEEP, Dashboard, order_levels, to_margin_chart
from tcray.results.output.tensorboard.events import Level, MetricColumn, Status, scalar, session
from tcray.results.ranking.analysis import TRAIN_LOSS
from tcray.results.runs.learning_curves import LearningCurve, load_learning_curves
from tcray.statistics.estimate import Estimate
from tcray.store.store import SweepStore
from tcray.store.trials import read_records

if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary

WHOLE = "whole run"
"""The first part of the tags of metrics measured once per run; it sorts after the tags of curves."""

DIGITS = 6
"""Digits of a sweep id's digest in the name of its folder: TensorBoard has little room for names."""

UNITS = MetricColumn(f"{WHOLE}/units", "units")


@dataclass(frozen=True, slots=True)
class ComparedCell:
    """A cell that has runs.

    runs    runs of both phases, in any state
    units   complete confirm runs, grouped by unit
    curves  learning curves over the units, by metric; empty if there is no unit
    """

    key: str
    levels: Mapping[str, Level]
    runs: Sequence[Record]
    units: Sequence[Sequence[Record]]
    curves: Mapping[str, LearningCurve]

    @property
    def dataset(self) -> str:
        """The dataset of the cell."""
        return str(self.runs[0]["dataset"])

    @property
    def source(self) -> str:
        """`real` or `twin`."""
        return str(self.runs[0]["source"])

    @property
    def name(self) -> str:
        """The name of its run in TensorBoard, below its sweep and dataset; empty for the only cell of a dataset."""
        return self.key.partition("/")[2]

    @property
    def span(self) -> tuple[float, float]:
        """The start of the first run and the end of the last one, in seconds since 1970.

        Only the runs of units count, if there are any.
        """
        runs = [run for unit in self.units for run in unit] or self.runs
        return min(to_seconds(run["started_at"]) for run in runs), max(to_seconds(run["ended_at"]) for run in runs)


@dataclass(frozen=True)
class ComparedSweep:
    """The current state of a sweep; `cells` are ordered by dataset, then by level."""

    manifest: Mapping[str, Any]
    sweep: Sweep
    cells: tuple[ComparedCell, ...]

    @classmethod
    def load(cls, store: SweepStore) -> Self:
        """Return the sweep in a store.

        Raises:
            StoreError: if the store is damaged.
        """
        manifest = store.read_manifest()
        sweep = Sweep.from_document(manifest["sweep"])
        runs = group_by(read_records(store), lambda run: str(run["cell"]))
        units = {key: _group_units(cell_runs, sweep) for key, cell_runs in runs.items()}
        measured = load_learning_curves(store, units)
        cells = [
            ComparedCell(key, _select_levels(cell_runs[0], sweep), cell_runs, units[key], measured.get(key, {}))
            for key, cell_runs in runs.items()
        ]
        return cls(manifest, sweep, tuple(sorted(cells, key=lambda cell: _sort_key(cell, sweep))))

    def by_dataset(self) -> dict[str, ComparedSweep]:
        """Return the part of the sweep on each dataset, by the name of its folder."""
        parts = {}
        for card in self.manifest["cards"]:
            cells = tuple(cell for cell in self.cells if cell.dataset == card["name"])
            manifest = {**self.manifest, "cards": [card]}
            parts[format_dataset_short(card["name"], card["source"])] = replace(self, manifest=manifest, cells=cells)
        return parts

    def select_best(self, count: int) -> ComparedSweep:
        """Return the sweep with at most `count` cells: the best by the objective on validation, in their order."""
        if len(self.cells) <= count:
            return self
        sign = -1 if METRICS[self.sweep.objective.partition(".")[2]].maximize else 1

        def rank(cell: ComparedCell) -> tuple[bool, float]:
            mean = Estimate.from_units([mean_over_runs(unit, self.sweep.objective) for unit in cell.units]).mean
            return mean is None, sign * (mean or 0.0)

        best = {cell.key for cell in sorted(self.cells, key=rank)[:count]}
        return replace(self, cells=tuple(cell for cell in self.cells if cell.key in best))

    @property
    def name(self) -> str:
        """The name of its folder: `rank-1a2b3c`, or `rank-1a2b3c-g2` if it was restarted with `--fresh`."""
        name = self.manifest["name"]
        digest, dash, generation = str(self.manifest["sweep_id"]).removeprefix(f"{name}-").partition("-")
        return f"{name}-{digest[:DIGITS]}{dash}{generation}"

    @property
    def started_at(self) -> float:
        """The start of the sweep, in seconds since 1970."""
        return to_seconds(self.manifest["started_at"])

    @property
    def ended_at(self) -> float:
        """The end of the last run, in seconds since 1970."""
        return max((cell.span[1] for cell in self.cells), default=self.started_at)

    @property
    def without_curves(self) -> tuple[str, ...]:
        """The run names of the cells without curves."""
        return tuple(cell.name for cell in self.cells if not cell.curves)

    @property
    def dashboard(self) -> Dashboard:
        """The columns and charts of this sweep."""
        each = [self.hparams(cell) for cell in self.cells]
        names = dict.fromkeys(name for hparams in each for name in hparams)
        columns = [
            column for metric, interval in self._whole_run_metrics().items() for column in _to_columns(metric, interval)
        ]
        return Dashboard(
            self.ended_at,
            {name: order_levels(hparams[name] for hparams in each if name in hparams) for name in names},
            (*columns, UNITS),
            tuple(sorted({metric for cell in self.cells for metric in cell.curves})),
        )

    def hparams(self, cell: ComparedCell) -> dict[str, Level]:
        """Return the levels that identify a cell among those of all sweeps."""
        return {SWEEP: self.name, "dataset": cell.dataset, SOURCE: cell.source, **cell.levels}

    def steps(self, cell: ComparedCell) -> dict[int, list[Summary.Value]]:
        """Return the values of a cell by epoch; metrics of whole runs are at the last epoch."""
        steps = _curve_values(cell.curves)
        started_at, ended_at = cell.span
        row = session(self.hparams(cell), self._status(cell), started_at=started_at, ended_at=ended_at)
        steps.setdefault(max(steps, default=0), []).extend([*row, *_whole_run_values(cell, self._whole_run_metrics())])
        return steps

    def _status(self, cell: ComparedCell) -> Status:
        """Return the status of a cell: `running` while confirm runs are missing, `failure` if none was complete."""
        if self.sweep.confirm is None:
            return "unknown"
        planned = self.sweep.confirm.repeats * self.sweep.confirm.seeds
        if not self.manifest["finished_at"] and sum(run["phase"] == "confirm" for run in cell.runs) < planned:
            return "running"
        return "success" if cell.units else "failure"

    def _whole_run_metrics(self) -> dict[str, bool]:
        """Return the metrics of whole runs, and for each if its interval is shown: primary metrics, with it, first."""
        cards = self.manifest["cards"]
        primary = [f"test.{card['primary_metric']}" for card in cards]
        tested = [f"test.{name}" for card in cards for name in TEST_METRICS[card["task"]]]
        return {metric: metric in primary for metric in (*primary, *tested, self.sweep.objective, TRAIN_LOSS)}


def to_seconds(iso: str) -> float:
    """Return a time of the store in seconds since 1970."""
    return datetime.fromisoformat(iso).timestamp()


def _group_units(runs: Sequence[Record], sweep: Sweep) -> Sequence[Sequence[Record]]:
    repeats = group_confirm_runs(runs)
    return [[run] for repeat in repeats for run in repeat] if get_unit_kind(sweep) == "seed" else repeats


def _select_levels(run: Record, sweep: Sweep) -> dict[str, Level]:
    return {name: level for name in sweep.factors if (level := run.get(name)) is not None}


def _sort_key(cell: ComparedCell, sweep: Sweep) -> tuple[Any, ...]:
    """Return the sort key of a cell: its dataset, then its levels, numbers by size and words by the alphabet."""
    levels = [cell.levels.get(name) for name in sweep.factors]
    return sweep.datasets.index(cell.dataset), *(("", x) if isinstance(x, float | int) else (str(x), 0) for x in levels)


def _to_columns(metric: str, interval: bool) -> list[MetricColumn]:
    """Return the columns of a metric: its mean, and with `interval` half the width of its interval."""
    mean = MetricColumn(f"{WHOLE}/{metric}", format_metric(metric))
    return [mean, MetricColumn(f"{mean.tag} ±", f"{mean.title} ±")] if interval else [mean]


def _whole_run_values(cell: ComparedCell, measured: Mapping[str, bool]) -> Iterator[Summary.Value]:
    """Yield the metrics of whole runs of a cell that are defined."""
    if not cell.units:
        return
    for metric, interval in measured.items():
        estimate = Estimate.from_units([mean_over_runs(unit, metric) for unit in cell.units])
        numbers = (estimate.mean, estimate.half_width)
        for column, number in zip(_to_columns(metric, interval), numbers, strict=False):
            if number is not None:
                yield scalar(column.tag, number)
    yield scalar(UNITS.tag, len(cell.units))


def _curve_values(curves: Mapping[str, LearningCurve]) -> dict[int, list[Summary.Value]]:
    """Return the values of curves by epoch, without those that are not defined."""
    steps: dict[int, list[Summary.Value]] = {}
    for metric, curve in curves.items():
        tags = to_margin_chart(metric)
        for epoch, (mean, half_width) in enumerate(zip(curve.mean.tolist(), curve.half_width.tolist(), strict=True), 1):
            values = steps.setdefault(epoch, [])
            for tag, number in ((tags.mean, mean), (tags.low, mean - half_width), (tags.high, mean + half_width)):
                if math.isfinite(number):
                    values.append(scalar(tag, number))
    return steps
