"""Tests of exports: all rows of a sweep as text, so that two stores can be compared."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tcray.store.export import export_rows, to_json_line
from tcray.store.store import Store, SweepStore

from .factories import SWEEP_ID, make_manifest, make_run, make_stored_sweep, record, runs


def export_lines(sweep: SweepStore, *, reproducible: bool = True) -> list[str]:
    """Return the lines of an export."""
    return [to_json_line(row) for row in export_rows(sweep, reproducible=reproducible)]


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """Return another empty store."""
    return Store.open(str(tmp_path / "other"), create=True)


def test_every_row_of_every_table_is_exported(store: Store):
    """Each of twelve runs has a proposal, a value and three epochs; confirm runs have further tables."""
    tables = Counter(json.loads(row)["table"] for row in export_lines(make_stored_sweep(store)))
    assert tables == {"ledger": 24, "runs": 12, "curves": 36, "evaluations": 8, "predictions": 16, "spectra": 8}


def test_order_and_volatile_columns_make_no_difference(store: Store, other: Store):
    """Exports are equal despite other packs, hosts, times, another order and retries after a crash."""
    one = make_stored_sweep(store)
    shuffled = runs(later=timedelta(days=3))
    random.Random(0).shuffle(shuffled)
    another = other.sweep(SWEEP_ID)
    another.append("runs", [make_run(state="FAILED", reason="crash").run()])
    for pack in (shuffled[:1], shuffled[1:8], shuffled[8:], shuffled[3:5]):
        record(another, pack)
    assert export_lines(one) == export_lines(another)
    assert export_lines(one, reproducible=False) != export_lines(another, reproducible=False)


@pytest.mark.parametrize("change", [{"loss": 0.1 + 2**-55}, {"state": "PRUNED"}, {"trial": 5}, {"rank": 2}])
def test_any_other_difference_changes_the_export(change: dict[str, Any], store: Store, other: Store):
    """The last bit of a value, a state, a key or a configuration may differ."""
    one, another = make_stored_sweep(store), make_stored_sweep(other)
    assert export_lines(one) == export_lines(another)
    one.append("runs", [make_run(trial=9, loss=0.1).run()])
    another.append("runs", [make_run(**{"trial": 9, "loss": 0.1, **change}).run()])
    assert export_lines(one) != export_lines(another)


def test_a_line_contains_the_values_of_the_row(store: Store):
    """Floats keep every bit, NaN is null, times are ISO texts, and the table's name comes first."""
    sweep = store.sweep(SWEEP_ID)
    sweep.append("runs", [make_run(loss=1 / 3).run()])
    (row,) = [json.loads(row) for row in export_lines(sweep, reproducible=False)]
    assert list(row)[:3] == ["table", "sweep_id", "phase"]
    assert row["metrics"] == {"valid.loss": 1 / 3, "test.mae": 1 / 3 + 0.25, "train.loss": None}
    assert row["started_at"] == "2026-05-04T12:30:00+00:00"
    (row,) = [json.loads(row) for row in export_lines(sweep)]
    assert row.keys().isdisjoint(
        {"started_at", "ended_at", "seconds", "pack", "pack_size", "host", "device", "at"},
    )


def test_the_order_of_metrics_makes_no_difference(store: Store, other: Store):
    """A mapping of metrics has no order."""
    row = make_run().run()
    for one, metrics in ((store, {"a": 1.0, "b": 2.0}), (other, {"b": 2.0, "a": 1.0})):
        one.sweep(SWEEP_ID).append("runs", [{**row, "metrics": metrics}])
    assert export_lines(store.sweep(SWEEP_ID)) == export_lines(other.sweep(SWEEP_ID))


def test_the_manifest_is_not_exported(store: Store, other: Store):
    """Manifests of two machines differ although their results may be equal."""
    one, another = make_stored_sweep(store), make_stored_sweep(other, manifest={"host": "elsewhere"})
    assert another.read_manifest() != make_manifest()
    assert export_lines(one) == export_lines(another)
