"""A sweep as TensorBoard shows it: cells with their levels, curves by epoch, and what is measured once a run."""

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
from tcray.results.output.tensorboard.dashboard import SOURCE, SWEEP, Dashboard, band, ordered
from tcray.results.output.tensorboard.events import Column, Level, Status, scalar, session
from tcray.results.ranking.analysis import TRAIN_LOSS
from tcray.results.runs.learning_curves import LearningCurve, load_learning_curves
from tcray.statistics.estimate import Estimate
from tcray.store.store import SweepStore
from tcray.store.trials import read_records

if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary

WHOLE = "whole run"
"""With which the tags begin of what is measured once a run; they sort behind those of curves."""

DIGITS = 6
"""Of a sweep id's digest in its name: TensorBoard has little room for names."""

UNITS = Column(f"{WHOLE}/units", "units")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that has runs.

    runs    of both phases, whatever their state
    units   of its complete confirm runs, those of each unit
    curves  of the units, by metric; none where there is no unit
    """

    key: str
    levels: Mapping[str, Level]
    runs: Sequence[Record]
    units: Sequence[Sequence[Record]]
    curves: Mapping[str, LearningCurve]

    @property
    def dataset(self) -> str:
        """Its dataset."""
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
        """When the first of its runs began and the last one ended, in seconds since 1970."""
        runs = [run for unit in self.units for run in unit] or self.runs
        return min(seconds(run["started_at"]) for run in runs), max(seconds(run["ended_at"]) for run in runs)


@dataclass(frozen=True)
class ComparisonRuns:
    """A sweep as its store has it by now; `cells` in the order of its datasets, then of their levels."""

    manifest: Mapping[str, Any]
    sweep: Sweep
    cells: tuple[Cell, ...]

    @classmethod
    def of(cls, store: SweepStore) -> Self:
        """Raises `StoreError` where the store is not sound."""
        manifest = store.read_manifest()
        sweep = Sweep.from_document(manifest["sweep"])
        runs = group_by(read_records(store), lambda run: str(run["cell"]))
        units = {key: _units(of_cell, sweep) for key, of_cell in runs.items()}
        measured = load_learning_curves(store, units)
        cells = [
            Cell(key, _levels(of_cell[0], sweep), of_cell, units[key], measured.get(key, {}))
            for key, of_cell in runs.items()
        ]
        return cls(manifest, sweep, tuple(sorted(cells, key=lambda cell: _place(cell, sweep))))

    def by_dataset(self) -> dict[str, ComparisonRuns]:
        """Return the part of the sweep on each dataset, by the name of its folder."""
        parts = {}
        for card in self.manifest["cards"]:
            cells = tuple(cell for cell in self.cells if cell.dataset == card["name"])
            manifest = {**self.manifest, "cards": [card]}
            parts[format_dataset_short(card["name"], card["source"])] = replace(self, manifest=manifest, cells=cells)
        return parts

    def select_best(self, count: int) -> ComparisonRuns:
        """Return the sweep with at most `count` cells: the best by the objective on validation, in their order."""
        if len(self.cells) <= count:
            return self
        sign = -1 if METRICS[self.sweep.objective.partition(".")[2]].maximize else 1

        def rank(cell: Cell) -> tuple[bool, float]:
            mean = Estimate.from_units([mean_over_runs(unit, self.sweep.objective) for unit in cell.units]).mean
            return mean is None, sign * (mean or 0.0)

        best = {cell.key for cell in sorted(self.cells, key=rank)[:count]}
        return replace(self, cells=tuple(cell for cell in self.cells if cell.key in best))

    @property
    def name(self) -> str:
        """Its folder in a logdir: as `rank-1a2b3c` or, begun afresh, `rank-1a2b3c-g2`."""
        name = self.manifest["name"]
        digest, dash, generation = str(self.manifest["sweep_id"]).removeprefix(f"{name}-").partition("-")
        return f"{name}-{digest[:DIGITS]}{dash}{generation}"

    @property
    def began(self) -> float:
        """When the sweep began, in seconds since 1970."""
        return seconds(self.manifest["started_at"])

    @property
    def ended(self) -> float:
        """When the last of its runs ended."""
        return max((cell.span[1] for cell in self.cells), default=self.began)

    @property
    def without_curves(self) -> tuple[str, ...]:
        """The cells without curves, as TensorBoard names them."""
        return tuple(cell.name for cell in self.cells if not cell.curves)

    @property
    def dashboard(self) -> Dashboard:
        """What it has to be shown beside other sweeps."""
        each = [self.hparams(cell) for cell in self.cells]
        names = dict.fromkeys(name for hparams in each for name in hparams)
        columns = [column for metric, interval in self._measured().items() for column in _columns(metric, interval)]
        return Dashboard(
            self.ended,
            {name: ordered(hparams[name] for hparams in each if name in hparams) for name in names},
            (*columns, UNITS),
            tuple(sorted({metric for cell in self.cells for metric in cell.curves})),
        )

    def hparams(self, cell: Cell) -> dict[str, Level]:
        """What tells a cell from all others of any sweep."""
        return {SWEEP: self.name, "dataset": cell.dataset, SOURCE: cell.source, **cell.levels}

    def steps(self, cell: Cell) -> dict[int, list[Summary.Value]]:
        """What a cell measured, by epoch; what it measured once stands at the last one."""
        steps = _by_epoch(cell.curves)
        began, ended = cell.span
        row = session(self.hparams(cell), self._status(cell), began=began, ended=ended)
        steps.setdefault(max(steps, default=0), []).extend([*row, *_whole(cell, self._measured())])
        return steps

    def _status(self, cell: Cell) -> Status:
        """Whether more of a cell is to come, and whether anything came of it."""
        if self.sweep.confirm is None:
            return "unknown"
        planned = self.sweep.confirm.repeats * self.sweep.confirm.seeds
        if not self.manifest["finished_at"] and sum(run["phase"] == "confirm" for run in cell.runs) < planned:
            return "running"
        return "success" if cell.units else "failure"

    def _measured(self) -> dict[str, bool]:
        """What is measured once a run, and whether it is shown with its interval; primary metrics, which are, first."""
        cards = self.manifest["cards"]
        primary = [f"test.{card['primary_metric']}" for card in cards]
        tested = [f"test.{name}" for card in cards for name in TEST_METRICS[card["task"]]]
        return {metric: metric in primary for metric in (*primary, *tested, self.sweep.objective, TRAIN_LOSS)}


def seconds(iso: str) -> float:
    """A time of the store in seconds since 1970."""
    return datetime.fromisoformat(iso).timestamp()


def _units(runs: Sequence[Record], sweep: Sweep) -> Sequence[Sequence[Record]]:
    repeats = group_confirm_runs(runs)
    return [[run] for repeat in repeats for run in repeat] if get_unit_kind(sweep) == "seed" else repeats


def _levels(run: Record, sweep: Sweep) -> dict[str, Level]:
    return {name: level for name in sweep.factors if (level := run.get(name)) is not None}


def _place(cell: Cell, sweep: Sweep) -> tuple[Any, ...]:
    """Numbers by size, words by the alphabet."""
    levels = [cell.levels.get(name) for name in sweep.factors]
    return sweep.datasets.index(cell.dataset), *(("", x) if isinstance(x, float | int) else (str(x), 0) for x in levels)


def _columns(metric: str, interval: bool) -> list[Column]:
    """The columns of a metric: its mean and, if with its `interval`, half the width of that."""
    mean = Column(f"{WHOLE}/{metric}", format_metric(metric))
    return [mean, Column(f"{mean.tag} ±", f"{mean.title} ±")] if interval else [mean]


def _whole(cell: Cell, measured: Mapping[str, bool]) -> Iterator[Summary.Value]:
    """What a cell measured once, as far as it is defined."""
    if not cell.units:
        return
    for metric, interval in measured.items():
        found = Estimate.from_units([mean_over_runs(unit, metric) for unit in cell.units])
        numbers = (found.mean, found.half_width)
        for column, number in zip(_columns(metric, interval), numbers, strict=False):
            if number is not None:
                yield scalar(column.tag, number)
    yield scalar(UNITS.tag, len(cell.units))


def _by_epoch(of_cell: Mapping[str, LearningCurve]) -> dict[int, list[Summary.Value]]:
    """What curves are at every epoch, as far as they are defined there."""
    steps: dict[int, list[Summary.Value]] = {}
    for metric, curve in of_cell.items():
        tags = band(metric)
        for epoch, (mean, half) in enumerate(zip(curve.mean.tolist(), curve.half_width.tolist(), strict=True), 1):
            values = steps.setdefault(epoch, [])
            for tag, number in ((tags.mean, mean), (tags.low, mean - half), (tags.high, mean + half)):
                if math.isfinite(number):
                    values.append(scalar(tag, number))
    return steps
