"""Ray Tune run of a sweep: from the queue's first pack to its last."""

from __future__ import annotations

import contextlib
import gc
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ray
from ray import tune
from ray.exceptions import RayError
from ray.tune.error import TuneError
from ray.tune.schedulers import FIFOScheduler
from rich.console import Console

from tcray.config.sweep import Sweep
from tcray.errors import SweepError
from tcray.search.queue import Queue
from tcray.store.lease import Lease
from tcray.store.store import SweepStore
from tcray.tune.blobs import start_relay
from tcray.tune.capacity import Capacity
from tcray.tune.datasets import LazyDatasets
from tcray.tune.interrupt import Interrupt
from tcray.tune.pack_sizes import PackSizes, first_size
from tcray.tune.placement import Placement
from tcray.tune.ray.cluster import Cluster
from tcray.tune.searcher import PackSearcher
from tcray.tune.status.display import print_note
from tcray.tune.status.host_notices import HostNotices
from tcray.tune.status.reporter import reporting_status
from tcray.tune.trainable import PackTrainable, WorkerContext, to_placement_group
from tcray.tune.versions import installed_versions
from tcray.tune.worker import Train


class StopTuning(BaseException):
    """Ends Tune's loop at once; after an Exception, Tune would wait until every worker has finished its pack."""


class SilentReporter(tune.ProgressReporter):  # type: ignore[misc]  # Ray has no types
    """Reporter that prints nothing: Tune's own one for notebooks clears the output of the cell that runs."""

    def should_report(self, trials: Sequence[Any], done: bool = False) -> bool:  # noqa: ARG002  the signature is Tune's
        """Return False."""
        return False


class TuneCallback(tune.Callback):  # type: ignore[misc]  # Ray has no types
    """Callback that passes started workers to the searcher, reports the status, and ends Tune when the sweep is over.

    tick   writes and displays the status
    """

    def __init__(self, searcher: PackSearcher, tick: Callable[[], None]) -> None:
        """Take the searcher and the function that reports the status."""
        self._searcher = searcher
        self._tick = tick

    def __getstate__(self) -> dict[str, Any]:
        """Return an empty state: Tune pickles the callback for a restore that never happens."""
        return {}

    def on_step_begin(self, **_: Any) -> None:
        """Stop if the sweep is over, before Tune requests further trials."""
        if self._searcher.is_over:
            raise StopTuning
        self._tick()

    def on_trial_start(self, *, trial: Any, **_: Any) -> None:
        """Pass the actor of a started trial to the searcher, before its first step."""
        self._searcher.on_worker_ready(trial.trial_id, trial.temporary_state.ray_actor)


class SubmissionOrderScheduler(FIFOScheduler):  # type: ignore[misc]  # Ray has no types
    """Scheduler under which Tune starts trials in the order of their submission.

    Tune's own FIFO scheduler gives a free worker to the oldest trial, and ends a worker that is just starting for that
    trial: if packs are shorter than the start of a worker, a slot would stay empty forever.
    """

    def choose_trial_to_run(self, tune_controller: object) -> None:
        """Return None, so that Tune keeps its own order."""


def run_tuner(
    sweep: Sweep,
    queue: Queue,
    *,
    lease: Lease,
    store: SweepStore,
    cluster: Cluster,
    placement: Placement,
    notices: HostNotices,
    console: Console,
    datasets: LazyDatasets,
    train: Train,
) -> None:
    """Train every pack of the queue.

    Raises StoreError or SweepError if the sweep cannot continue, and KeyboardInterrupt if it was stopped. Packs in
    training are then dropped; their runs resume from their last rung.
    """
    worker_context = WorkerContext(
        store=store,
        lease=lease.token,
        relay=start_relay(store) if cluster.joined and store.filesystem.is_local else None,
        datasets={name: ray.put(dataset) for name, dataset in datasets.items()},
        versions=installed_versions(),
        train=train,
    )
    interrupt = Interrupt(lease)
    searcher = PackSearcher(
        queue=queue,
        lease=lease,
        sizes=PackSizes(first_size(sweep.resources, placement.device), fixed=sweep.resources.pack != "auto"),
        capacity=Capacity(placement.resources, cluster.nodes, cluster.limits()),
        node_of=cluster.node_of,
        notices=notices,
        logs=cluster.logs,
        print_note=partial(print_note, console),
        stop_requested=lambda: interrupt.requested,
    )
    reporting = reporting_status(sweep, store, searcher, cluster.autoscaler_status, console)
    with reporting as tick, interrupt:
        _fit(searcher, TuneCallback(searcher, tick), worker_context, cluster.logs)
    if searcher.failure is not None:
        raise searcher.failure
    if queue.finished:
        return
    if interrupt.requested:
        raise KeyboardInterrupt
    raise SweepError("Ray Tune ended before the sweep was complete", f"Read its logs in {cluster.logs}.")


def _fit(searcher: PackSearcher, callback: TuneCallback, worker_context: WorkerContext, logs: str) -> None:
    """Run Tune until the callback ends it."""
    trainable = tune.with_parameters(PackTrainable, context=worker_context)
    with tempfile.TemporaryDirectory(prefix="tcray-") as folder, contextlib.suppress(StopTuning):
        tuner = tune.Tuner(
            tune.with_resources(trainable, to_placement_group),
            tune_config=tune.TuneConfig(
                search_alg=searcher, scheduler=SubmissionOrderScheduler(), num_samples=-1, reuse_actors=True
            ),
            run_config=tune.RunConfig(
                name="packs",
                storage_path=folder,
                verbose=0,
                progress_reporter=SilentReporter(),
                callbacks=[callback],
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        )
        try:
            tuner.fit()
        except (TuneError, RayError) as error:
            reason = str(error).strip().splitlines()[-1]
            raise SweepError(f"Ray Tune failed: {reason}", f"Read its logs in {logs}.") from error
    gc.collect()  # after an early end this removes Tune's placement groups, and with them the workers
