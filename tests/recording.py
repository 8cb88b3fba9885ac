"""Whole sweeps recorded without Ray: the real queue, engine and store, driven by a loop in this process."""

from __future__ import annotations

from pathlib import Path

from tcray.config.sweep import Sweep
from tcray.search.plan import Plan, find_cards, plan
from tcray.search.queue import Queue
from tcray.store.store import Store, SweepStore
from tcray.training import pack as engine
from tcray.training.baselines import fit_baselines
from tcray.tune import manifest
from tcray.tune.datasets import LazyDatasets, LazyTestExamples
from tcray.tune.worker import Train, Worker

LARGEST_PACK = 64
"""Runs trained together; no result depends on it."""


def record_sweep(path: str | Path, sweep: Sweep, train: Train = engine.train) -> SweepStore:
    """Run `sweep` to its end and return its store at `path`, with everything that `tcray sweep` would have recorded.

    train  trains packs; the real engine by default. A pack that fails raises AssertionError: nothing is retried.
    """
    planned = plan(sweep, find_cards(sweep))
    store = Store.open(str(path), create=True).sweep(planned.sweep_id())
    datasets = LazyDatasets(planned.cards, sweep.data.root)
    _write_manifest(planned, store, datasets)
    queue = Queue(planned, store, LazyTestExamples(datasets))
    worker = Worker(store, datasets.__getitem__, "cpu", train)
    while (pack := queue.take(LARGEST_PACK)) is not None:
        report = worker.train_pack(pack, f"{pack.number}")
        assert report.failure is None, report.reason
        queue.record(pack, report.outcomes, report.execution)
    assert queue.finished
    store.write_manifest({**store.read_manifest(), "finished_at": manifest.format_now()})
    return store


def _write_manifest(planned: Plan, store: SweepStore, datasets: LazyDatasets) -> None:
    """Write the manifest of the sweep's start, with the baselines."""
    baselines = {name: fit_baselines(dataset) for name, dataset in datasets.items()}
    written = manifest.new_manifest(planned, store.sweep_id, baselines)
    store.write_manifest(manifest.add_session(written, manifest.new_session("cpu")))
