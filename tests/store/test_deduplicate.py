"""Tests of the order of a table's rows and of the selection among rows with the same key."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tcray.store.deduplicate import deduplicate
from tcray.store.schema import LEDGER, RETRYABLE, SPECTRA

COLUMNS = [*LEDGER.key, "state", "reason", "value"]
SCHEMA = pa.schema([LEDGER.columns.field(name).with_nullable(True) for name in COLUMNS])

rows = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["proposal", "value"]),
        "phase": st.just("search"),
        "cell": st.sampled_from(["a", "b"]),
        "repeat": st.just(0),
        "trial": st.sampled_from([0, 1, None]),
        "seed": st.none(),
        "rung": st.sampled_from([9, None]),
        "state": st.sampled_from(["TRAINED", "FAILED", None]),
        "reason": st.sampled_from(["", "diverged", "crash", "memory", None]),
        "value": st.floats(0, 1),
    }
)


def deduplicate_naively(written: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return, for each key, the first row that is a result, else the first row; sorted by key, nulls last."""
    by_key: dict[tuple[object, ...], list[dict[str, object]]] = {}
    for row in written:
        by_key.setdefault(tuple(row[name] for name in LEDGER.key), []).append(row)
    chosen = [
        next((row for row in same if not (row["state"] == "FAILED" and row["reason"] in RETRYABLE)), same[0])
        for same in by_key.values()
    ]
    return sorted(chosen, key=lambda row: [(row[name] is None, row[name] or 0) for name in LEDGER.key])


@settings(deadline=None)  # the first call is slow because it loads parts of Arrow
@given(st.lists(rows, max_size=12), st.integers(1, 4))
def test_rows_agree_with_the_reference(written: list[dict[str, object]], size: int) -> None:
    """The result does not depend on how the rows are distributed over parts."""
    parts = [pa.Table.from_pylist(written[start : start + size], SCHEMA) for start in range(0, len(written), size)]
    table = pa.concat_tables([SCHEMA.empty_table(), *parts])
    assert deduplicate(table, LEDGER).to_pylist() == deduplicate_naively(written)


def test_the_first_of_several_results_counts() -> None:
    """Repeated measurements may differ on a GPU; decisions were based on the first."""
    names = [*SPECTRA.key, "value"]
    measurements = [
        {**dict.fromkeys(SPECTRA.key, 0), "phase": "confirm", "cell": "a", "kind": "k", "value": v} for v in (1.0, 2.0)
    ]
    table = pa.Table.from_pylist(measurements, pa.schema([SPECTRA.columns.field(name) for name in names]))
    assert deduplicate(table, SPECTRA)["value"].to_pylist() == [1.0]
