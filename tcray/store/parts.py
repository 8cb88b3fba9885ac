"""One part of a table: rows to the bytes of an immutable Parquet file, and back, with every doubt named."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tcray.errors import StoreError
from tcray.store.filesystem import Entry, StoreFilesystem
from tcray.store.paths import PART, TMP_SUFFIX
from tcray.store.schema import SCHEMA_VERSION, TableSchema

_VERSION, _TABLE, _SWEEP = b"tcray.schema", b"tcray.table", b"tcray.tune"

_DAMAGED = "Move the file away and run the sweep again: it trains what is missing. Or restore the file from a copy."
_FOREIGN = "Move the file out of the store; only tcray writes there."


def encode(rows: Sequence[Mapping[str, Any]], table: TableSchema, sweep_id: str) -> bytes:
    """The bytes of a part that holds `rows`, metrics by name; a column that a row leaves out is null there.

    Raises `ValueError` for a column that the table does not have, or a null where it allows none.
    """
    known = set(table.names)
    for row in rows:
        if unknown := row.keys() - known:
            raise ValueError(f"table {table.name} has no column {', '.join(sorted(unknown))}")
    stamped = table.columns.with_metadata(
        {_VERSION: str(SCHEMA_VERSION), _TABLE: table.name, _SWEEP: sweep_id},
    )
    content = pa.Table.from_pylist([_filled(row, sweep_id) for row in rows], stamped)
    sink = pa.BufferOutputStream()
    parquet.write_table(content, sink, write_statistics=False)
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def _filled(row: Mapping[str, Any], sweep_id: str) -> dict[str, Any]:
    filled = {**row, "sweep_id": sweep_id}
    if row.get("metrics"):
        filled["metrics"] = dict(sorted(row["metrics"].items()))
    return filled


def checksum(content: bytes) -> str:
    """Eight hexadecimal digits that stand in the name of the part with this content."""
    return hashlib.blake2b(content, digest_size=4).hexdigest()


def decode(content: bytes, table: TableSchema, sweep_id: str, columns: Sequence[str], shown: str) -> pa.Table:
    """The named columns of a part; `shown`, which ends in its name, is what messages call it.

    Raises `StoreError` for a part that is damaged, of another schema version, table or sweep, or not tcray's at all.
    """
    if not shown.endswith(f"-{checksum(content)}.parquet"):
        raise StoreError(f"{shown} is truncated or damaged", _DAMAGED)
    try:
        part = parquet.ParquetFile(pa.BufferReader(content))
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{shown} was not written by tcray", _FOREIGN) from error
    _check_origin(part.schema_arrow, table, sweep_id, shown)
    return part.read(columns=list(columns), use_threads=False).replace_schema_metadata(None)


def _check_origin(schema: pa.Schema, table: TableSchema, sweep_id: str, shown: str) -> None:
    stamp = schema.metadata or {}
    version = stamp.get(_VERSION, b"").decode()
    if not version:
        raise StoreError(f"{shown} was not written by tcray", _FOREIGN)
    if version != str(SCHEMA_VERSION):
        raise StoreError(
            f"{shown} has schema version {version}, and this tcray reads version {SCHEMA_VERSION}",
            "Use the version of tcray that wrote it, or begin another store with --store.",
        )
    origin = (stamp.get(_TABLE, b"").decode(), stamp.get(_SWEEP, b"").decode())
    if origin != (table.name, sweep_id):
        raise StoreError(f"{shown} belongs to {'/'.join(origin)}, and lies in {table.name}/{sweep_id}", _FOREIGN)
    if not schema.equals(table.columns):
        raise StoreError(f"{shown} does not have the columns of table {table.name}", _FOREIGN)


def list_parts(filesystem: StoreFilesystem, folder: str) -> list[str]:
    """The names of a folder's parts in the order of writing; raises `StoreError` for what is none and no `.tmp`."""
    return [
        entry.name
        for entry in filesystem.entries(folder)
        if is_part(entry, filesystem.display_path(f"{folder}/{entry.name}"))
    ]


def is_part(entry: Entry, shown: str) -> bool:
    """Whether this is a part, or a `.tmp` that was to become one; raises `StoreError` for anything else."""
    if entry.is_file and PART.fullmatch(entry.name):
        return True
    if entry.is_file and entry.name.endswith(TMP_SUFFIX):
        return False
    raise StoreError(f"{shown} is no part of a trial store", _FOREIGN)
