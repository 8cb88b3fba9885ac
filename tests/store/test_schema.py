"""The columns of every table."""

from __future__ import annotations

import pytest

from tcray.store.schema import TABLES, TableSchema


def test_the_tables_are_those_of_the_design():
    """Six tables, in the order of an export."""
    assert list(TABLES) == ["ledger", "runs", "curves", "evaluations", "predictions", "spectra"]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_what_is_said_of_columns_is_said_of_columns_there_are(table: TableSchema):
    """Keys, circumstances and measurements are columns; no key is any of the others."""
    assert set(table.key) | table.volatile_columns | table.measured <= set(table.names)
    assert set(table.key).isdisjoint(table.volatile_columns | table.measured)
    assert table.names[0] == "sweep_id"
