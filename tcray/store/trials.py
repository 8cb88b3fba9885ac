"""Finished runs as flat records: one value per hyperparameter and metric, under the names that users know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from tcray.store.schema import is_hyperparameter
from tcray.store.store import SweepStore

LEADING = ("run_id", "sweep_id", "phase", "repeat", "trial", "state", "reason", "dataset", "source", "seed", "cell")
TRAILING = ("best_epoch", "epochs", "started_at", "ended_at", "seconds", "pack_size", "host", "device")

Record = dict[str, Any]


@dataclass(frozen=True)
class Trials:
    """Finished runs as records with the same names in the same order, those of `names`.

    A value that does not apply to a run is None; a measurement that is not a number is NaN. Times are ISO texts in UTC.
    """

    records: Sequence[Record]
    hyperparameters: tuple[str, ...]
    """Sorted names of hyperparameters, such as `modality_dropout.audio`."""
    metrics: tuple[str, ...]
    """Sorted names of metrics, such as `last.test.mae`."""

    @classmethod
    def read(cls, sweep: SweepStore) -> Trials:
        """Return every finished run of a sweep, sorted by its key (see `RunKey`)."""
        rows = sweep.read("runs").to_pylist(maps_as_pydicts="strict")
        hyperparameters = _sorted_names(
            {name: None for name, value in row.items() if value is not None and is_hyperparameter(name)} for row in rows
        )
        metrics = _sorted_names(row["metrics"] for row in rows)
        records = [
            {name: row[name] for name in (*LEADING, *hyperparameters)}
            | {name: row["metrics"].get(name) for name in metrics}
            | {name: _to_plain(row[name]) for name in TRAILING}
            for row in rows
        ]
        return cls(records, hyperparameters, metrics)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of every record, in order."""
        return (*LEADING, *self.hyperparameters, *self.metrics, *TRAILING)


def read_records(sweep: SweepStore) -> list[Record]:
    """Return the records of `Trials.read`."""
    return list(Trials.read(sweep).records)


def to_table(records: Sequence[Mapping[str, Any]], names: Iterable[str]) -> pa.Table:
    """Return the records as an Arrow table with one column per name; times are timestamps."""
    return pa.table({name: _to_column(name, [record[name] for record in records]) for name in names})


def _to_column(name: str, values: list[Any]) -> pa.Array:
    column = pa.array(values)
    return column.cast(pa.timestamp("us", tz="UTC")) if name in ("started_at", "ended_at") else column


def _sorted_names(mappings: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted({name for mapping in mappings for name in mapping}))


def _to_plain(value: Any) -> Any:
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value
