"""The runs of a sweep as flat records: what the tables say of each, under the names that users know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from tcray.store.store import SweepStore

LEADING = ("run_id", "sweep_id", "phase", "repeat", "trial", "state", "reason", "dataset", "source", "seed", "cell")
TRAILING = ("best_epoch", "epochs", "started_at", "ended_at", "seconds", "pack_size", "host", "device")

Record = dict[str, Any]


@dataclass(frozen=True)
class Trials:
    """Finished runs as records, which all have the same names in the same order: those of `names`.

    A name that does not apply to a run is None there; what was measured and is no number is NaN. Times are ISO texts
    in UTC.
    """

    records: Sequence[Record]
    hyperparameters: tuple[str, ...]
    """By name, sorted, as `modality_dropout.audio`."""
    metrics: tuple[str, ...]
    """By name, sorted, as `last.test.mae`."""

    @classmethod
    def read(cls, sweep: SweepStore) -> Trials:
        """Every finished run of a sweep, sorted by its key (see `RunKey`)."""
        rows = sweep.read("runs").to_pylist(maps_as_pydicts="strict")
        configurations = [json.loads(row["configuration"]) for row in rows]
        hyperparameters, metrics = _names(configurations), _names(row["metrics"] for row in rows)
        made = [
            {name: row[name] for name in LEADING}
            | {name: configuration.get(name) for name in hyperparameters}
            | {name: row["metrics"].get(name) for name in metrics}
            | {name: _plain(row[name]) for name in TRAILING}
            for row, configuration in zip(rows, configurations, strict=True)
        ]
        return cls(made, hyperparameters, metrics)

    @property
    def names(self) -> tuple[str, ...]:
        """What is said of every run."""
        return (*LEADING, *self.hyperparameters, *self.metrics, *TRAILING)


def read_records(sweep: SweepStore) -> list[Record]:
    """The records of `Trials.of`."""
    return list(Trials.read(sweep).records)


def to_table(records: Sequence[Mapping[str, Any]], names: Iterable[str]) -> pa.Table:
    """The records as an Arrow table, a column a name; times as instants."""
    return pa.table({name: _column(name, [record[name] for record in records]) for name in names})


def _column(name: str, values: list[Any]) -> pa.Array:
    column = pa.array(values)
    return column.cast(pa.timestamp("us", tz="UTC")) if name in ("started_at", "ended_at") else column


def _names(mappings: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted({name for mapping in mappings for name in mapping}))


def _plain(value: Any) -> Any:
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value
