"""Tests of one part of a table: rows survive a round trip, and invalid files raise errors."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tcray.errors import StoreError
from tcray.store import parts
from tcray.store.filesystem import StoreFilesystem
from tcray.store.parts import checksum, decode, encode, list_parts
from tcray.store.schema import CURVES, LEDGER, RUNS, TableSchema

from .factories import SWEEP_ID, make_run

ROWS = [make_run(trial=trial).run() for trial in range(3)]
LATER = ("reused_from", "arithmetic", "learned")
SOUND = encode(ROWS, RUNS, SWEEP_ID)


def name_part(content: bytes) -> str:
    """Return the path of a part with this content."""
    return f"runs/1-{checksum(content)}.parquet"


def read(content: bytes, table: TableSchema = RUNS) -> pa.Table:
    """Return all columns of a part."""
    return decode(content, table, SWEEP_ID, None, name_part(content))


def test_rows_survive_a_round_trip():
    """Every value is kept, including NaN and the sweep id; a column that a row lacks is null."""
    read_back = read(SOUND).to_pylist(maps_as_pydicts="strict")
    assert repr([row["metrics"] for row in read_back]) == repr([dict(sorted(row["metrics"].items())) for row in ROWS])
    assert [row.pop("metrics") and row for row in read_back] == [
        {**dict.fromkeys(LATER), "sweep_id": SWEEP_ID, **{name: row[name] for name in row if name != "metrics"}}
        for row in ROWS
    ]
    promotion = {"kind": "promotion", "phase": "search", "cell": "c", "repeat": 0, "promoted": True}
    row = read(encode([promotion], LEDGER, SWEEP_ID), LEDGER).to_pylist()[0]
    assert {name: value for name, value in row.items() if value is not None} == {"sweep_id": SWEEP_ID, **promotion}


@pytest.mark.parametrize("number", [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, math.inf, -0.0])
def test_floats_keep_every_bit(number: float):
    """No number is rounded."""
    point = {**make_run().curve()[0], "metrics": {"train.loss": number}}
    table = read(encode([point], CURVES, SWEEP_ID), CURVES)
    assert repr(table.to_pylist(maps_as_pydicts="strict")[0]["metrics"]["train.loss"]) == repr(number)


def test_times_keep_microseconds():
    """Times are stored in UTC with microseconds."""
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    table = read(encode([{**make_run().proposal(), "at": at}], LEDGER, SWEEP_ID), LEDGER)
    assert table["at"][0].as_py() == at


def test_an_unknown_column_raises_an_error():
    """A row with a column that the table lacks is a programming error."""
    with pytest.raises(ValueError, match="table runs has no column color, shape"):
        encode([{**ROWS[0], "shape": 1, "color": "red"}], RUNS, SWEEP_ID)


def test_a_missing_required_column_raises_an_error():
    """A null in a column that does not allow nulls is a programming error."""
    with pytest.raises(ValueError, match="cell"):
        encode([{name: value for name, value in ROWS[0].items() if name != "cell"}], RUNS, SWEEP_ID)


@pytest.mark.parametrize("length", [0, 3, 100, len(SOUND) // 2, len(SOUND) - 1])
def test_a_truncated_part_is_named(length: int):
    """One missing byte is enough."""
    with pytest.raises(StoreError) as caught:
        decode(SOUND[:length], RUNS, SWEEP_ID, ["state"], name_part(SOUND))
    assert caught.value.message == f"{name_part(SOUND)} is truncated or damaged"
    assert caught.value.remedy.startswith("Move the file away and run the sweep again")


def test_a_flipped_byte_is_detected():
    """The name of a part contains the checksum of its content, so that every changed byte is detected."""
    for position in range(0, len(SOUND), 97):
        damaged = bytearray(SOUND)
        damaged[position] ^= 0xFF
        with pytest.raises(StoreError, match="is truncated or damaged"):
            decode(bytes(damaged), RUNS, SWEEP_ID, ["state"], name_part(SOUND))


def test_another_schema_version_is_refused(monkeypatch: pytest.MonkeyPatch):
    """A part that a later version of tcray wrote is not read."""
    with monkeypatch.context() as later:
        later.setattr(parts, "SCHEMA_VERSION", 3)
        content = encode(ROWS, RUNS, SWEEP_ID)
    with pytest.raises(StoreError) as caught:
        read(content)
    assert caught.value.message == f"{name_part(content)} has schema version 3; this version of tcray reads 2"
    assert caught.value.remedy == "Use the version of tcray that wrote it, or start another store with --store."


def test_a_foreign_parquet_file_is_refused():
    """A Parquet file of another program is no part, even with the same columns."""
    sink = pa.BufferOutputStream()
    parquet.write_table(read(SOUND), sink)
    for content in (sink.getvalue().to_pybytes(), b"a, b, c", b""):
        with pytest.raises(StoreError, match=f"{name_part(content)} was not written by tcray"):
            read(content)


def test_a_part_of_another_table_or_sweep_is_refused():
    """The message for a part in the wrong folder names the right folder."""
    with pytest.raises(StoreError, match=f"belongs to curves/{SWEEP_ID}, and is in runs/{SWEEP_ID}"):
        read(encode(make_run().curve(), CURVES, SWEEP_ID))
    with pytest.raises(StoreError, match=f"belongs to runs/other, and is in runs/{SWEEP_ID}"):
        read(encode(ROWS, RUNS, "other"))


def test_other_columns_are_refused():
    """A part must have exactly the columns of its table."""
    sink = pa.BufferOutputStream()
    metadata = parquet.read_schema(pa.BufferReader(SOUND)).metadata
    parquet.write_table(read(SOUND).drop_columns(["host"]).replace_schema_metadata(metadata), sink)
    with pytest.raises(StoreError, match="does not have the columns of table runs"):
        read(sink.getvalue().to_pybytes())


def test_parts_are_listed_in_the_order_of_writing(tmp_path: Path):
    """Unfinished files are skipped; the error for any other file names it."""
    for name in ("00000010-00000000.parquet", "00000009-ffffffff.parquet", "00000011-00000000.parquet.ab.tmp"):
        (tmp_path / name).touch()
    filesystem = StoreFilesystem.from_uri(str(tmp_path.parent))
    assert list_parts(filesystem, tmp_path.name) == ["00000009-ffffffff.parquet", "00000010-00000000.parquet"]
    (tmp_path / "notes.txt").touch()
    with pytest.raises(StoreError) as caught:
        list_parts(filesystem, tmp_path.name)
    assert caught.value.message == f"{tmp_path}/notes.txt is no part of a trial store"
    assert caught.value.remedy == "Move the file out of the store; only tcray writes there."
