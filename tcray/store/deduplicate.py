"""The order of a table's rows, and which of several rows of one key is the one that counts."""

from __future__ import annotations

import functools

import pyarrow as pa
import pyarrow.compute as pc

from tcray.store.schema import RETRYABLE, TableSchema

_ATTEMPT = "attempt"


def deduplicate(rows: pa.Table, table: TableSchema) -> pa.Table:
    """`rows`, in order of writing, sorted by key; of a key's rows a result before an attempt, else the first written.

    A run that FAILED for want of memory or in a crash has no result: its row is an attempt, and gives way when the run
    is tried again.
    """
    ordered = sort_rows(rows, table.key)
    repeated = find_duplicates(ordered, table.key)
    if not pc.any(repeated).as_py():
        return ordered
    if table.has_retryable:
        marked = rows.append_column(_ATTEMPT, find_retryable(rows))
        ordered = sort_rows(marked, (*table.key, _ATTEMPT)).drop_columns([_ATTEMPT])
    first = pa.chunked_array([pa.array([True]), *pc.invert(repeated).chunks])
    return ordered.filter(first)


def find_duplicates(ordered: pa.Table, key: tuple[str, ...]) -> pa.ChunkedArray:
    """For each row of a sorted table but the first, whether it has the key of the row before; nulls are equal."""
    before, after = ordered.slice(0, max(len(ordered) - 1, 0)), ordered.slice(1)
    return functools.reduce(pc.and_, (_equal(before[name], after[name]) for name in key))


def _equal(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.coalesce(pc.equal(one, other), pc.and_(pc.is_null(one), pc.is_null(other)))


def find_retryable(rows: pa.Table) -> pa.ChunkedArray:
    """For each row whether it is an attempt: FAILED, and for a reason that says nothing of the configuration."""
    failed = pc.equal(rows["state"], "FAILED")
    unlucky = pc.is_in(rows["reason"], value_set=pa.array(RETRYABLE))
    return pc.fill_null(pc.and_(failed, unlucky), False)


def sort_rows(rows: pa.Table, names: tuple[str, ...]) -> pa.Table:
    """`rows` sorted by the named columns, nulls last; rows that agree in them stay in order."""
    return rows.take(pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in names]))
