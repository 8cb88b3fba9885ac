"""Upgrade of sweeps with schema 1, the tables of tcray 0.1, to the present schema.

Schema 1 had the hyperparameters of `runs` as JSON in the column `configuration`; single numbers as labels and
predictions; `verdict` rows with `goes_on`, and `closed` rows, in the ledger; `references` in the manifest; checkpoints
in the folder `states`. An upgraded sweep can be read, but not resumed.

Every step can be repeated, so an interrupted upgrade is completed by running it again:

1. The new parts are written beside the old ones as temporary files, which no version of tcray reads.
2. They get their final names, and the manifest is replaced. From then on the sweep has schema 2.
3. The old parts, checkpoints and status are deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tcray.errors import StoreError
from tcray.store.lease import Lease
from tcray.store.parts import (
    SWEEP_KEY,
    TABLE_KEY,
    check_version,
    checksum,
    encode,
    encode_table,
    list_parts,
    open_part,
    read_version,
)
from tcray.store.paths import TMP_SUFFIX
from tcray.store.retry import retry
from tcray.store.schema import SCHEMA_VERSION, TABLES, TableSchema
from tcray.store.store import RETRY_SECONDS, SweepStore, part_number

Row = dict[str, Any]

_KINDS = {"verdict": "promotion", "closed": "exhausted"}


def upgrade_sweep(sweep: SweepStore) -> bool:
    """Convert a sweep of schema 1 to the present schema in place; return False if there was nothing to do.

    Raises `StoreBusyError` if a driver runs the sweep, and `StoreError` if a file is damaged or cannot be written; run
    it again then.
    """
    manifest = sweep.read_manifest(any_version=True)
    version = str(manifest.get("schema", 1))
    if version != "1":
        check_version(version, sweep.filesystem.display_path(sweep.paths.manifest))
        old = _list_old_files(sweep) if manifest.get("upgraded_from") else []
        if not old:
            return False
        with Lease(sweep):
            _delete(sweep, old)
        return True
    with Lease(sweep):
        for table in TABLES.values():
            _convert_table(sweep, table)
        for table in TABLES.values():
            _rename_parts(sweep, table)
        sweep.write_manifest(_convert_manifest(manifest))
        _delete(sweep, _list_old_files(sweep))
    return True


def _convert_table(sweep: SweepStore, table: TableSchema) -> None:
    """Write the parts of a table in the present schema as temporary files."""
    folder = sweep.paths.table(table.name)
    for name, part in _old_parts(sweep, table):
        content = _convert_part(part.read(), table, sweep.sweep_id)
        path = sweep.paths.part(table.name, part_number(name), checksum(content))
        if not _exists(sweep, folder, path):
            _write(sweep, f"{path}{TMP_SUFFIX}", content)


def _rename_parts(sweep: SweepStore, table: TableSchema) -> None:
    folder = sweep.paths.table(table.name)
    ending = f".parquet{TMP_SUFFIX}"
    for entry in sweep.filesystem.list_folder(folder):
        path = f"{folder}/{entry.name}"
        content = sweep.filesystem.read(path) if entry.name.endswith(ending) else None
        if content is not None:
            target = path.removesuffix(TMP_SUFFIX)
            if target.endswith(f"-{checksum(content)}.parquet"):
                _write(sweep, target, content)
            sweep.filesystem.delete(path)


def _convert_part(old: pa.Table, table: TableSchema, sweep_id: str) -> bytes:
    """Return a part of schema 1 in the present schema."""
    if table.name in ("runs", "ledger"):
        convert = _convert_run if table.name == "runs" else _convert_decision
        return encode([convert(row) for row in old.to_pylist(maps_as_pydicts="strict")], table, sweep_id)
    if table.name == "predictions":
        for name in ("label", "prediction"):
            old = old.set_column(old.column_names.index(name), name, _to_lists(old[name]))
    plain = pa.schema([field.remove_metadata() for field in table.columns])
    return encode_table(old.select(table.names).replace_schema_metadata(None).cast(plain), table, sweep_id)


def _convert_run(row: Row) -> Row:
    configuration = json.loads(row.pop("configuration"))
    return {**row, **configuration}


def _convert_decision(row: Row) -> Row:
    promoted = row.pop("goes_on")
    return {**row, "kind": _KINDS.get(row["kind"], row["kind"]), "promoted": promoted}


def _to_lists(column: pa.ChunkedArray) -> pa.ListArray:
    """Return each number as a list of one."""
    values = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.float64())
    return pa.ListArray.from_arrays(pa.array(range(len(values) + 1), pa.int32()), values)


def _convert_manifest(manifest: Row) -> Row:
    converted = {"baselines" if name == "references" else name: value for name, value in manifest.items()}
    return {**converted, "schema": SCHEMA_VERSION, "upgraded_from": 1}


def _old_parts(sweep: SweepStore, table: TableSchema) -> Iterator[tuple[str, parquet.ParquetFile]]:
    """Yield name and content of each part of schema 1."""
    folder = sweep.paths.table(table.name)
    for name in list_parts(sweep.filesystem, folder):
        path = f"{folder}/{name}"
        shown = sweep.filesystem.display_path(path)
        part = open_part(sweep.filesystem.read(path) or b"", shown)
        if read_version(part) != "1":
            continue
        metadata = part.schema_arrow.metadata
        if (metadata.get(TABLE_KEY, b"").decode(), metadata.get(SWEEP_KEY, b"").decode()) != (
            table.name,
            sweep.sweep_id,
        ):
            raise StoreError(f"{shown} belongs to another table or sweep", "Move the file out of the store.")
        yield name, part


def _list_old_files(sweep: SweepStore) -> list[str]:
    """Return the paths of everything that only schema 1 uses."""
    parts = [
        f"{sweep.paths.table(table.name)}/{name}" for table in TABLES.values() for name, _ in _old_parts(sweep, table)
    ]
    states = f"states/{sweep.sweep_id}"
    checkpoints = [f"{states}/{entry.name}" for entry in sweep.filesystem.list_folder(states)]
    activity = [
        f"{sweep.paths.home}/{entry.name}"
        for entry in sweep.filesystem.list_folder(sweep.paths.home)
        if entry.name == "activity.json"
    ]
    return [*parts, *checkpoints, *activity]


def _delete(sweep: SweepStore, paths: list[str]) -> None:
    for path in paths:
        sweep.filesystem.delete(path)


def _exists(sweep: SweepStore, folder: str, path: str) -> bool:
    return any(f"{folder}/{entry.name}" == path for entry in sweep.filesystem.list_folder(folder))


def _write(sweep: SweepStore, path: str, content: bytes) -> None:
    retry(lambda: sweep.filesystem.write(path, content), RETRY_SECONDS)
