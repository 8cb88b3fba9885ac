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
    """The store at `path` in which `sweep` has been run to its end, with all that `tcray sweep` would have recorded.

    train  trains packs; the real engine, unless given. A pack that fails is an error: nothing is tried again.
    """
    planned = plan(sweep, find_cards(sweep))
    store = Store.open(str(path), create=True).sweep(planned.sweep_id())
    library = LazyDatasets(planned.cards, sweep.data.root)
    _begin(planned, store, library)
    queue = Queue(planned, store, LazyTestExamples(library))
    worker = Worker(store, library.__getitem__, "cpu", train)
    while (pack := queue.take(LARGEST_PACK)) is not None:
        report = worker.train_pack(pack, f"{pack.number}")
        assert report.failure is None, report.reason
        queue.record(pack, report.outcomes, report.execution)
    assert queue.finished
    store.write_manifest({**store.read_manifest(), "finished_at": manifest.format_now()})
    return store


def _begin(planned: Plan, store: SweepStore, library: LazyDatasets) -> None:
    """Writes the manifest, reference rows and all."""
    references = {name: fit_baselines(dataset) for name, dataset in library.items()}
    written = manifest.new_manifest(planned, store.sweep_id, references)
    store.write_manifest(manifest.add_session(written, manifest.new_session("cpu")))
