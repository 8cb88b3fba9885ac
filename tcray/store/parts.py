"""Parts of a table: immutable Parquet files, checked when they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tcray.config.commands import format_command
from tcray.errors import StoreError
from tcray.store.filesystem import Entry, StoreFilesystem
from tcray.store.paths import PART, TMP_SUFFIX
from tcray.store.schema import SCHEMA_VERSION, TableSchema, hyperparameter_field, is_hyperparameter

VERSION_KEY, TABLE_KEY, SWEEP_KEY = b"tcray.schema", b"tcray.table", b"tcray.sweep"
"""Metadata of a part: its schema version, table and sweep id."""

_DAMAGED = "Move the file away and run the sweep again to train what is missing, or restore the file from a copy."
_FOREIGN = "Move the file out of the store; only tcray writes there."


def encode(rows: Sequence[Mapping[str, Any]], table: TableSchema, sweep_id: str) -> bytes:
    """Return the bytes of a part with `rows`; columns that a row leaves out are null, metrics are sorted by name.

    Raises `ValueError` for a column that the table does not have, or a null in a column that must not be null.
    """
    schema = _find_schema(rows, table)
    plain = pa.schema([field.remove_metadata() for field in schema])
    return encode_table(pa.Table.from_pylist([_complete(row, sweep_id) for row in rows], plain), table, sweep_id)


def encode_table(content: pa.Table, table: TableSchema, sweep_id: str) -> bytes:
    """Return the bytes of a part with these rows, whose columns are those of the table."""
    metadata = {VERSION_KEY: str(SCHEMA_VERSION), TABLE_KEY: table.name, SWEEP_KEY: sweep_id}
    content = content.replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    parquet.write_table(content, sink, write_statistics=False)
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def _find_schema(rows: Sequence[Mapping[str, Any]], table: TableSchema) -> pa.Schema:
    """Return the table's columns with those of the hyperparameters in `rows`."""
    given = {name for row in rows for name in row} - set(table.names)
    if unknown := [name for name in given if not (table.has_hyperparameters and is_hyperparameter(name))]:
        raise ValueError(f"table {table.name} has no column {', '.join(sorted(unknown))}")
    return table.with_hyperparameters({n: next((r[n] for r in rows if r.get(n) is not None), None) for n in given})


def _complete(row: Mapping[str, Any], sweep_id: str) -> dict[str, Any]:
    complete = {**row, "sweep_id": sweep_id}
    if row.get("metrics"):
        complete["metrics"] = dict(sorted(row["metrics"].items()))
    return complete


def checksum(content: bytes) -> str:
    """Return the eight hexadecimal digits that the name of a part with this content contains."""
    return hashlib.blake2b(content, digest_size=4).hexdigest()


def decode(content: bytes, table: TableSchema, sweep_id: str, columns: Sequence[str] | None, shown: str) -> pa.Table:
    """Return the columns of a part, or those of `columns` that it has.

    shown   the part's path in messages; it ends with the part's name

    Raises `StoreError` for a part that is damaged, of another schema version, table or sweep, or not tcray's.
    """
    part = open_part(content, shown)
    _check_origin(part.schema_arrow, table, sweep_id, shown)
    names = part.schema_arrow.names
    wanted = names if columns is None else [name for name in names if name in set(columns)]
    return part.read(columns=wanted, use_threads=False).replace_schema_metadata(None)


def open_part(content: bytes, shown: str) -> parquet.ParquetFile:
    """Return a part of any schema version; `StoreError` if it is damaged or not tcray's."""
    if not shown.endswith(f"-{checksum(content)}.parquet"):
        raise StoreError(f"{shown} is truncated or damaged", _DAMAGED)
    try:
        part = parquet.ParquetFile(pa.BufferReader(content))
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{shown} was not written by tcray", _FOREIGN) from error
    if VERSION_KEY not in (part.schema_arrow.metadata or {}):
        raise StoreError(f"{shown} was not written by tcray", _FOREIGN)
    return part


def read_version(part: parquet.ParquetFile) -> str:
    """Return the schema version of a part."""
    version: str = part.schema_arrow.metadata[VERSION_KEY].decode()
    return version


def check_version(version: str, shown: str, store_uri: str = "") -> None:
    """Raise `StoreError` with the remedy for anything but the present schema version."""
    if version == str(SCHEMA_VERSION):
        return
    if version == "1":
        option = ["--store", store_uri] if store_uri else []
        remedy = f"Run `{format_command('tcray', 'store', 'upgrade', *option)}` once."
    else:
        remedy = "Use the version of tcray that wrote it, or start another store with --store."
    raise StoreError(f"{shown} has schema version {version}; this version of tcray reads {SCHEMA_VERSION}", remedy)


def _check_origin(schema: pa.Schema, table: TableSchema, sweep_id: str, shown: str) -> None:
    metadata = schema.metadata
    check_version(metadata[VERSION_KEY].decode(), shown)
    origin = (metadata.get(TABLE_KEY, b"").decode(), metadata.get(SWEEP_KEY, b"").decode())
    if origin != (table.name, sweep_id):
        raise StoreError(f"{shown} belongs to {'/'.join(origin)}, and is in {table.name}/{sweep_id}", _FOREIGN)
    others = [field for field in schema if table.has_hyperparameters and is_hyperparameter(field.name)]
    expected = pa.schema([*table.columns, *(hyperparameter_field(field.name, field.type) for field in others)])
    if not schema.equals(expected):
        raise StoreError(f"{shown} does not have the columns of table {table.name}", _FOREIGN)


def list_parts(filesystem: StoreFilesystem, folder: str) -> list[str]:
    """Return the names of a folder's parts in the order of writing; files that are still being written are left out.

    Raises `StoreError` for any other file or folder in it.
    """
    return [
        entry.name
        for entry in filesystem.list_folder(folder)
        if is_part(entry, filesystem.display_path(f"{folder}/{entry.name}"))
    ]


def is_part(entry: Entry, shown: str) -> bool:
    """True for a part, False for a temporary file; raises `StoreError` for anything else."""
    if entry.is_file and PART.fullmatch(entry.name):
        return True
    if entry.is_file and entry.name.endswith(TMP_SUFFIX):
        return False
    raise StoreError(f"{shown} is no part of a trial store", _FOREIGN)
