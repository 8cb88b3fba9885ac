"""A sweep written by tcray 0.1, with schema 1, keeps every value in an upgrade.

`schema1/trials` was written by that release (predictions reduced to 20 examples, weights left out), and
`schema1/export.jsonl.gz` by its `tcray store export tiny --reproducible`.
"""

from __future__ import annotations

import gzip
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import dataset, parquet

from tcray.errors import StoreBusyError, StoreError
from tcray.results.analysis import analyze
from tcray.store import upgrade
from tcray.store.export import export_rows, to_json_line
from tcray.store.schema import RUNS, TABLES
from tcray.store.store import Store, SweepStore
from tcray.store.upgrade import upgrade_sweep
from tcray.store.verify import verify

from .factories import make_stored_sweep

Row = dict[str, Any]

SCHEMA_1 = Path(__file__).parent / "schema1"
SWEEP_ID = "tiny-a3d172e91e33"
ADDED = ("arithmetic", "reused_from", "learned")


@pytest.fixture
def old(tmp_path: Path) -> SweepStore:
    """Return a copy of the sweep with schema 1."""
    shutil.copytree(SCHEMA_1 / "trials", tmp_path / "trials")
    return Store.open(str(tmp_path / "trials")).sweep(SWEEP_ID)


def read_old_rows() -> list[Row]:
    """Return the rows that tcray 0.1 exported, under the present names."""
    rows = []
    for text in gzip.decompress((SCHEMA_1 / "export.jsonl.gz").read_bytes()).decode().splitlines():
        row = json.loads(text)
        if row["table"] == "runs":
            row |= json.loads(row.pop("configuration"))
        elif row["table"] == "ledger":
            row["promoted"] = row.pop("goes_on")
            row["kind"] = {"verdict": "promotion", "closed": "exhausted"}.get(row["kind"], row["kind"])
        elif row["table"] == "predictions":
            row |= {"label": [row["label"]], "prediction": [row["prediction"]]}
        rows.append(row)
    return rows


def read_new_rows(sweep: SweepStore) -> list[Row]:
    """Return the rows as exported now, without the columns that schema 2 added."""
    rows = [json.loads(to_json_line(row)) for row in export_rows(sweep, reproducible=True)]
    return [{name: value for name, value in row.items() if name not in ADDED} for row in rows]


def sort_rows(rows: list[Row]) -> list[str]:
    """Return rows as sorted texts, independent of the order of rows and columns."""
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def test_an_upgrade_keeps_every_value(old: SweepStore) -> None:
    """Every row exported by the old version equals one exported now, and there are no others."""
    assert upgrade_sweep(old)
    assert sort_rows(read_new_rows(old)) == sort_rows(read_old_rows())
    manifest = old.read_manifest()
    assert (manifest["schema"], manifest["upgraded_from"]) == (2, 1)
    assert ["twin-flat"] == list(manifest["baselines"])
    assert [issue.message.rpartition(" ")[2] for issue in verify(Store(old.filesystem))] == ["weights"] * 2


def test_an_upgrade_removes_what_only_schema_1_used(old: SweepStore) -> None:
    """Old parts, checkpoints and the status are gone; a second upgrade changes nothing."""
    states = Path(old.uri) / "states" / SWEEP_ID
    states.mkdir(parents=True, exist_ok=True)
    (states / "a-000001").write_text("checkpoint")
    assert upgrade_sweep(old)
    files = {path: path.read_bytes() for path in Path(old.uri).rglob("*") if path.is_file()}
    assert not list(states.iterdir())
    assert not list(Path(old.uri).rglob("activity.json"))
    assert {"2"} == {
        parquet.read_schema(path).metadata[b"tcray.schema"].decode() for path in files if path.suffix == ".parquet"
    }
    assert not upgrade_sweep(old)
    assert files == {path: path.read_bytes() for path in Path(old.uri).rglob("*") if path.is_file()}


def test_results_of_an_upgraded_sweep_can_be_analyzed(old: SweepStore) -> None:
    """The ranking of an upgraded sweep has both cells and the baselines."""
    upgrade_sweep(old)
    (table,) = analyze(old).ranking.tables
    assert {"twin-flat/rank=1", "twin-flat/rank=2"} == {row.name for row in table.rows}


@pytest.mark.parametrize("failing_write", range(0, 80, 7))
def test_an_interrupted_upgrade_is_completed_by_the_next(
    old: SweepStore, failing_write: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep is refused until the upgrade is complete, and then every value is there."""
    write, count = upgrade._write, 0

    def fail(*arguments: Any) -> None:
        nonlocal count
        count += 1
        if count == failing_write + 1:
            raise StoreError("the disk is full")
        write(*arguments)

    with monkeypatch.context() as failing:
        failing.setattr(upgrade, "_write", fail)
        try:
            upgrade_sweep(old)
        except StoreError:
            with pytest.raises(StoreError, match="has schema version 1"):
                old.read_manifest()
    upgrade_sweep(old)
    assert sort_rows(read_new_rows(old)) == sort_rows(read_old_rows())
    assert not list(Path(old.uri).rglob("*.tmp"))


def test_old_parts_that_survive_a_crash_are_removed_later(old: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash between the new manifest and the deletion of old files, the next upgrade deletes them."""

    def crash(*_: object) -> None:
        raise StoreError("killed")

    with monkeypatch.context() as crashing:
        crashing.setattr(upgrade, "_delete", crash)
        with pytest.raises(StoreError, match="killed"):
            upgrade_sweep(old)
    with pytest.raises(StoreError, match="has schema version 1") as caught:
        old.read("runs")
    assert "tcray store upgrade" in str(caught.value.remedy)
    assert upgrade_sweep(old)
    assert sort_rows(read_new_rows(old)) == sort_rows(read_old_rows())


def test_a_sweep_of_schema_1_is_refused_with_the_remedy(old: SweepStore) -> None:
    """Reading a sweep of schema 1 names the command that upgrades its store."""
    with pytest.raises(StoreError) as caught:
        Store(old.filesystem).manifests()
    shown = f"{old.uri}/sweeps/{SWEEP_ID}/manifest.json"
    assert caught.value.message == f"{shown} has schema version 1; this version of tcray reads 2"
    assert str(caught.value.remedy).endswith(f"store upgrade --store {old.uri}` once.")
    (issue,) = verify(Store(old.filesystem))
    assert issue.message.startswith(f"{shown} has schema version 1")


def test_a_running_sweep_is_not_upgraded(old: SweepStore) -> None:
    """An upgrade is refused while a driver of the old version holds the lease."""
    lease = next((Path(old.uri) / "sweeps" / SWEEP_ID).glob("lease-*.json"))
    fields = json.loads(lease.read_text())
    fields |= {"released": False, "beat": time.time()}
    fields["process"] |= {"host": "elsewhere"}
    lease.write_text(json.dumps(fields))
    with pytest.raises(StoreBusyError, match="elsewhere"):
        upgrade_sweep(old)


def test_parts_of_several_sweeps_unify(old: SweepStore) -> None:
    """`pyarrow.dataset` reads `runs` of two sweeps with a unified schema; missing hyperparameters are null."""
    upgrade_sweep(old)
    make_stored_sweep(Store(old.filesystem))
    parts = sorted(str(path) for path in (Path(old.uri) / "runs").rglob("*.parquet"))
    schema = pa.unify_schemas([parquet.read_schema(part) for part in parts])
    rows = dataset.dataset(f"{old.uri}/runs", schema=schema).to_table()
    assert (schema.field("lr").type, schema.field("rank").type) == (pa.float64(), pa.int64())
    assert schema.field("modalities").type == pa.string()
    assert schema.field("modality_dropout.audio").type == pa.float64()
    assert rows.num_rows == 8 + 12
    assert rows["modality_dropout.audio"].null_count > 8


def test_every_column_has_a_description() -> None:
    """The reference page of the tables is generated from the columns' metadata."""
    for table in TABLES.values():
        for column in table.with_hyperparameters():
            assert column.metadata[b"description"], (table.name, column.name)


def test_no_hyperparameter_has_the_name_of_another_column() -> None:
    """Hyperparameters are columns of `runs` under their own names, which differ from all other columns."""
    names = RUNS.with_hyperparameters({"modality_dropout.audio": 0.5, "model.width": 3, "model.unused": None}).names
    assert len(names) == len(set(names))
    assert names[-2:] == ["modality_dropout.audio", "model.width"]
    with pytest.raises(ValueError, match="seed is not a hyperparameter"):
        RUNS.with_hyperparameters({"seed": 1})
