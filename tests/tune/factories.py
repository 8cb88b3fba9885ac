"""A small sweep, and its store after training it by a plain loop over the queue, without Ray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tcray.config.load import load_sweep
from tcray.config.sweep import Sweep
from tcray.search.plan import find_cards, plan
from tcray.search.queue import Queue
from tcray.store.export import export_rows, to_json_line
from tcray.store.parts import list_parts
from tcray.store.store import Store, SweepStore
from tcray.tune.datasets import LazyDatasets, LazyTestExamples
from tcray.tune.worker import Train, Worker

SWEEP_YAML = """\
name: small
question: Does a rank help?
datasets: [mosi]
data: {{root: {root}, missing: twin}}
factors: {{rank: [1, 4]}}
tune: {{lr: {{log_uniform: [1.0e-3, 1.0e-2]}}}}
fixed: {{latent_dim: 8, hidden_dim: 16, batch_size: 128}}
training: {{epochs: 4}}
search: {{sampler: random, trials: 6, wave: 3, pruner: {{asha: {{min_epochs: 1, reduction_factor: 2}}}}}}
confirm: {{repeats: 2, seeds: 2}}
resources: {{device: cpu, cpu: 1, pack: 6, max_failures: 2}}
"""
"""24 search runs with rungs at epochs 1 and 2, and 8 confirm runs."""


def write_sweep_file(folder: Path) -> Path:
    """Write the sweep file, with twins as datasets; return its path."""
    path = folder / "small.yaml"
    path.write_text(SWEEP_YAML.format(root=folder / "data"))
    return path


def make_sweep(folder: Path, *overrides: str) -> Sweep:
    """Return the sweep with overrides as of `--set`."""
    return load_sweep(write_sweep_file(folder), overrides)


def make_queue(folder: Path, sweep: Sweep) -> tuple[Queue, SweepStore, LazyDatasets]:
    """Return the queue of a new sweep in `folder`, its store, and its datasets."""
    planned = plan(sweep, find_cards(sweep))
    store = Store.open(str(folder), create=True).sweep(planned.sweep_id())
    datasets = LazyDatasets(planned.cards, sweep.data.root)
    return Queue(planned, store, LazyTestExamples(datasets)), store, datasets


def run_without_ray(folder: Path, sweep: Sweep, train: Train) -> SweepStore:
    """Return the store in `folder` after the sweep was trained without any failure."""
    queue, store, datasets = make_queue(folder, sweep)
    worker = Worker(store, datasets.__getitem__, "cpu", train)
    while (pack := queue.take(5)) is not None:
        report = worker.train_pack(pack, "without Ray")
        assert report.failure is None, report.reason
        queue.record(pack, report.outcomes, report.execution)
    assert queue.finished
    return store


def export(store: SweepStore) -> list[str]:
    """Return all rows that two equal stores have in common, one line per row."""
    return [to_json_line(row) for row in export_rows(store, reproducible=True)]


def ledger_values(store: SweepStore) -> list[tuple[Any, ...]]:
    """Return run id and rung of every value in the ledger as written, including duplicates."""
    folder = store.paths.table("ledger")
    parts = [
        store.read_part("ledger", part, ("kind", "run_id", "rung")) for part in list_parts(store.filesystem, folder)
    ]
    rows = [row for part in parts for row in part.to_pylist() if row["kind"] == "value"]
    return [(row["run_id"], row["rung"]) for row in rows]
