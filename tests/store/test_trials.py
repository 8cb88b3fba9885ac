"""Tests of the runs of a sweep as flat records."""

from __future__ import annotations

import math
from datetime import datetime

import pyarrow as pa

from tcray.store.store import Store
from tcray.store.trials import LEADING, TRAILING, Trials, read_records, to_table

from .factories import SWEEP_ID, make_run, make_stored_sweep, runs


def test_a_record_contains_all_columns_of_a_run(store: Store):
    """A record has the key, hyperparameters and metrics by name, times, host and device."""
    sweep = store.sweep(SWEEP_ID)
    sweep.append("runs", [make_run("mosi", rank=4, trial=1, loss=0.5).run()])
    (record,) = read_records(sweep)
    assert math.isnan(record.pop("train.loss"))
    assert record == {
        "run_id": make_run("mosi", rank=4, trial=1).run_id,
        "sweep_id": SWEEP_ID,
        "phase": "search",
        "repeat": 0,
        "trial": 1,
        "state": "COMPLETE",
        "reason": "",
        "dataset": "mosi",
        "source": "real",
        "seed": 0,
        "cell": "mosi/rank=4",
        "alignment_strength": 0.0,
        "batch_size": 32,
        "conditioning": "none",
        "dropout": 0.0,
        "fusion": "lmf",
        "hidden_dim": 32,
        "latent_dim": 16,
        "lr": 0.02,
        "modalities": "text+audio",
        "modality_dropout.audio": 0.0,
        "modality_dropout.text": 0.0,
        "prior_kernel": "rbf",
        "prior_strength": 0.0,
        "rank": 4,
        "reconstruction_strength": 0.0,
        "weight_decay": 0.0,
        "test.mae": 0.75,
        "valid.loss": 0.5,
        "best_epoch": 2,
        "epochs": 3,
        "started_at": "2026-05-04T12:30:00.000+00:00",
        "ended_at": "2026-05-04T12:30:02.000+00:00",
        "seconds": 2.0,
        "pack_size": 2,
        "host": "host-0:00:00",
        "device": "cpu",
    }


def test_all_records_have_the_same_names(store: Store):
    """A metric or modality that a dataset lacks is None in the records of that dataset only."""
    trials = Trials.read(make_stored_sweep(store))
    assert {tuple(record) for record in trials.records} == {trials.names}
    assert trials.metrics == ("test.f1", "test.mae", "train.loss", "valid.loss")
    for record in trials.records:
        assert (record["test.f1"] is None) == (record["dataset"] == "mosi")
        assert (record["modality_dropout.video"] is None) == (record["dataset"] == "mosi")


def test_records_are_sorted_by_key(store: Store):
    """The order of writing does not matter."""
    found = [
        tuple(record[name] for name in ("phase", "cell", "trial")) for record in read_records(make_stored_sweep(store))
    ]
    assert found == sorted((run.key.phase, run.key.cell, run.key.trial) for run in runs())


def test_a_sweep_without_runs_has_no_records(store: Store):
    """The names that every run has are present nevertheless."""
    trials = Trials.read(store.sweep(SWEEP_ID))
    assert (list(trials.records), trials.names) == ([], (*LEADING, *TRAILING))


def test_the_table_has_one_column_per_name(store: Store):
    """Columns have number and time types, and no records give an empty table."""
    trials = Trials.read(make_stored_sweep(store))
    table = to_table(trials.records, trials.names)
    assert table.column_names == list(trials.names)
    assert table["started_at"][0].as_py() == datetime.fromisoformat("2026-05-04T12:30:00+00:00")
    assert [table.schema.field(name).type for name in ("rank", "test.mae", "modality_dropout.video", "cell")] == [
        pa.int64(),
        pa.float64(),
        pa.float64(),
        pa.string(),
    ]
    assert to_table([], trials.names).num_rows == 0
