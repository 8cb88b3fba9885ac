"""Learning curves: the metrics of each cell's confirm runs by epoch, as means over units with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tcray.claims.units import Record
from tcray.statistics.estimate import LEVEL
from tcray.store.keys import RUN_KEY
from tcray.store.store import SweepStore

Floats = NDArray[np.float64]
Units = Sequence[Sequence[Record]]
"""The runs of each unit of a cell."""


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """A metric of one cell by epoch, for E epochs from 1.

    mean        (E,) over units; NaN at an epoch at which a unit has no finite number
    half_width  (E,) of the 95 % interval (Student's t over units); NaN also if there is only one unit
    """

    mean: Floats
    half_width: Floats


def load_learning_curves(store: SweepStore, cells: Mapping[str, Units]) -> dict[str, dict[str, LearningCurve]]:
    """Return the learning curves by cell and metric, such as `valid.loss`.

    Raises:
        StoreError: if the store's curves are damaged.
    """
    measured = _Measured.load(store, cells)
    return {
        cell: {
            metric: curve
            for place, metric in enumerate(measured.metrics)
            if (curve := _curve(measured.values[place][:, measured.columns[cell]], units)) is not None
        }
        for cell, units in cells.items()
        if units
    }


@dataclass(frozen=True, slots=True)
class _Measured:
    """All metrics by epoch.

    values   (metrics, E, runs), NaN if nothing was measured
    columns  the slice of each cell's runs, unit after unit
    """

    metrics: tuple[str, ...]
    values: Floats
    columns: Mapping[str, slice]

    @classmethod
    def load(cls, store: SweepStore, cells: Mapping[str, Units]) -> _Measured:
        columns: dict[str, slice] = {}
        places: dict[tuple[object, ...], int] = {}
        for cell, units in cells.items():
            first = len(places)
            places |= {_key(run): first + place for place, run in enumerate(run for unit in units for run in unit)}
            columns[cell] = slice(first, len(places))
        read = store.read("curves", [*RUN_KEY, "epoch", "metrics"])
        table = read.filter(pc.equal(read["phase"], "confirm")).combine_chunks()
        place = np.array([places.get(_key(row), -1) for row in table.select(RUN_KEY).to_pylist()], np.int64)
        epoch = table["epoch"].to_numpy().astype(np.int64)
        of_row, names, numbers = _long(table["metrics"])
        metrics = tuple(sorted(names.dictionary.to_pylist()))
        codes = np.array([metrics.index(name) for name in names.dictionary.to_pylist()], np.int64)[names.indices]
        values = np.full((len(metrics), int(epoch.max(initial=0)), len(places)), np.nan)
        known = place[of_row] >= 0
        values[codes[known], epoch[of_row][known] - 1, place[of_row][known]] = numbers[known]
        values[~np.isfinite(values)] = np.nan
        return cls(metrics, values, columns)


def _curve(values: Floats, units: Units) -> LearningCurve | None:
    """Return the curve of `values` (E, runs), the runs unit after unit; None if nothing was measured."""
    if np.isnan(values).all():
        return None
    starts = np.cumsum([0, *(len(unit) for unit in units[:-1])])
    of_unit = np.add.reduceat(values, starts, axis=1) / [len(unit) for unit in units]
    mean = of_unit.mean(axis=1)
    if len(units) == 1:
        return LearningCurve(mean, np.full_like(mean, np.nan))
    from scipy.special import stdtrit

    t = float(stdtrit(len(units) - 1, (1 + LEVEL) / 2))
    return LearningCurve(mean, t * of_unit.std(axis=1, ddof=1) / math.sqrt(len(units)))


def _key(row: Record) -> tuple[object, ...]:
    return tuple(row[name] for name in RUN_KEY)


def _long(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], pa.DictionaryArray, Floats]:
    """Return the pairs of a column of maps: the row of each pair, its name, and its number."""
    maps = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    of_row = np.repeat(np.arange(len(maps)), np.diff(maps.offsets.to_numpy()))
    return of_row, maps.keys.dictionary_encode(), maps.items.to_numpy(zero_copy_only=False).astype(np.float64)
