"""Export of all tables of a sweep as rows of plain values, in an order that does not depend on their origin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tcray.store.json_values import to_json_value
from tcray.store.schema import TABLES
from tcray.store.store import SweepStore


def export_rows(sweep: SweepStore, *, reproducible: bool = False) -> Iterator[dict[str, Any]]:
    """Yield every row of every table, sorted by key, with the table's name as `table`.

    With `reproducible`, volatile columns (times, hosts, devices, packs) are left out: two stores give equal answers to
    a question exactly if these rows are equal.
    """
    for table in TABLES.values():
        rows = sweep.read(table.name)
        if reproducible:
            rows = rows.select([name for name in rows.column_names if name not in table.volatile_columns])
        for batch in rows.to_batches(max_chunksize=10_000):
            for row in batch.to_pylist(maps_as_pydicts="strict"):
                yield {"table": table.name, **row}


def to_json_line(row: dict[str, Any]) -> str:
    """Return one row as one line of JSON: equal for equal rows; floats are exact, NaN is null, times are ISO texts."""
    return json.dumps(to_json_value(row), default=lambda value: value.isoformat(), ensure_ascii=False, allow_nan=False)
