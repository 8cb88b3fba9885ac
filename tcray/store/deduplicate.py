"""Order of a table's rows, and selection of the row that counts among several with the same key."""

from __future__ import annotations

import functools

import pyarrow as pa
import pyarrow.compute as pc

from tcray.store.schema import RETRYABLE, TableSchema

_RETRYABLE = "retryable"


def deduplicate(rows: pa.Table, table: TableSchema) -> pa.Table:
    """Return the rows sorted by key, one row per key: the first result, or the first row if there is no result.

    A run that FAILED because of a crash or a lack of memory has no result: its row is retryable and is replaced when
    the run is repeated.

    rows   in the order of writing
    """
    ordered = sort_rows(rows, table.key)
    repeated = find_duplicates(ordered, table.key)
    if not pc.any(repeated).as_py():
        return ordered
    if table.has_retryable:
        marked = rows.append_column(_RETRYABLE, find_retryable(rows))
        ordered = sort_rows(marked, (*table.key, _RETRYABLE)).drop_columns([_RETRYABLE])
    first = pa.chunked_array([pa.array([True]), *pc.invert(repeated).chunks])
    return ordered.filter(first)


def find_duplicates(ordered: pa.Table, key: tuple[str, ...]) -> pa.ChunkedArray:
    """Return a Boolean per row except the first: True if the row has the key of the previous one; nulls are equal."""
    before, after = ordered.slice(0, max(len(ordered) - 1, 0)), ordered.slice(1)
    return functools.reduce(pc.and_, (_equal(before[name], after[name]) for name in key))


def _equal(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.coalesce(pc.equal(one, other), pc.and_(pc.is_null(one), pc.is_null(other)))


def find_retryable(rows: pa.Table) -> pa.ChunkedArray:
    """Return a Boolean per row: True if the run FAILED for a reason that does not depend on its configuration."""
    failed = pc.equal(rows["state"], "FAILED")
    retryable = pc.is_in(rows["reason"], value_set=pa.array(RETRYABLE))
    return pc.fill_null(pc.and_(failed, retryable), False)


def sort_rows(rows: pa.Table, names: tuple[str, ...]) -> pa.Table:
    """Return `rows` sorted by the named columns, nulls last; the sort is stable."""
    return rows.take(pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in names]))
