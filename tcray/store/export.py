"""The whole of a sweep as rows of plain values, in an order that does not depend on how they came about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tcray.store.json_values import to_json_value
from tcray.store.schema import TABLES
from tcray.store.store import SweepStore


def export_rows(sweep: SweepStore, *, reproducible: bool = False) -> Iterator[dict[str, Any]]:
    """Every row of every table, sorted by key, with its table's name under `table`.

    With `reproducible` the circumstances (times, hosts, devices, packs) are left out: two stores answer one question
    equally exactly when these rows are equal.
    """
    for table in TABLES.values():
        left_out = table.volatile_columns if reproducible else frozenset()
        rows = sweep.read(table.name, [name for name in table.names if name not in left_out])
        for batch in rows.to_batches(max_chunksize=10_000):
            for row in batch.to_pylist(maps_as_pydicts="strict"):
                yield {"table": table.name, **row}


def to_json_line(row: dict[str, Any]) -> str:
    """One row as a line of JSON that is equal for equal rows; floats survive it, NaN is null, times are ISO texts."""
    return json.dumps(to_json_value(row), default=lambda value: value.isoformat(), ensure_ascii=False, allow_nan=False)
