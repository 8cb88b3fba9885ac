"""Ray Tune at work: from the queue's first pack to its last."""

from __future__ import annotations

import contextlib
import gc
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import ray
from ray import tune
from ray.exceptions import RayError
from ray.tune.error import TuneError
from rich.console import Console

from tcray.config.sweep import Resources, Sweep
from tcray.errors import SweepError
from tcray.search.queue import Queue
from tcray.store.lease import Lease
from tcray.store.store import SweepStore
from tcray.tune.blobs import relay
from tcray.tune.callback import StopTuning, TuneCallback
from tcray.tune.datasets import LazyDatasets
from tcray.tune.interrupt import Interrupt
from tcray.tune.pack_sizes import PackSizes
from tcray.tune.placement import Capacity, Device, Placement
from tcray.tune.ray.cluster import Cluster
from tcray.tune.searcher import PackSearcher, SubmissionOrderScheduler
from tcray.tune.status.display import say
from tcray.tune.status.host_notices import HostNotices
from tcray.tune.status.reporter import watched
from tcray.tune.trainable import PackTrainable, WorkerContext, requested
from tcray.tune.versions import installed
from tcray.tune.worker import Train

FIRST_SIZES: Mapping[Device, int] = {"cpu": 16, "cuda": 64}
"""Pack sizes to begin with under `pack: auto`."""


def first_size(resources: Resources, device: Device) -> int:
    """How many runs a pack has at first."""
    return FIRST_SIZES[device] if resources.pack == "auto" else resources.pack


@dataclass(frozen=True)
class Tuning:
    """A queue to be worked off, and all that it takes."""

    sweep: Sweep
    queue: Queue
    lease: Lease
    store: SweepStore
    cluster: Cluster
    placement: Placement
    remarks: HostNotices
    console: Console

    def run(self, library: LazyDatasets, train: Train) -> None:
        """Has every pack trained on the datasets of `library`.

        Raises what kept it from that: StoreError, SweepError, or KeyboardInterrupt, where packs under way are dropped,
        to be trained again from their last rung.
        """
        workplace = WorkerContext(
            store_uri=self.store.uri,
            sweep_id=self.store.sweep_id,
            lease=self.lease.token,
            relay=relay(self.store) if self.cluster.joined and self.store.volume.is_local else None,
            datasets={name: ray.put(dataset) for name, dataset in library.items()},
            installed=installed(),
            train=train,
        )
        room = Capacity(self.placement, self.cluster.nodes, self.cluster.limits())
        interrupt = Interrupt(self.lease)
        searcher = PackSearcher(
            self.queue,
            self.lease,
            self._sizes(),
            room,
            self.cluster.node_of,
            self.remarks,
            self.cluster.logs,
            partial(say, self.console),
            lambda: interrupt.asked,
        )
        watching = watched(self.sweep, self.store, searcher, self.cluster.launches, self.console)
        with watching as tick, interrupt:
            self._fit(searcher, TuneCallback(searcher, tick), workplace)
        if searcher.failure is not None:
            raise searcher.failure
        if self.queue.finished:
            return
        if interrupt.asked:
            raise KeyboardInterrupt
        raise SweepError("Ray Tune ended before the sweep did", f"Its logs are in {self.cluster.logs}.")

    def _sizes(self) -> dict[str, PackSizes]:
        """Of packs, by device."""
        resources = self.sweep.resources
        fixed = resources.pack != "auto"
        return {device: PackSizes(first_size(resources, device), fixed=fixed) for device in FIRST_SIZES}

    def _fit(self, searcher: PackSearcher, watch: TuneCallback, workplace: WorkerContext) -> None:
        trainable = tune.with_parameters(PackTrainable, workplace=workplace)
        with tempfile.TemporaryDirectory(prefix="tcray-") as folder, contextlib.suppress(StopTuning):
            tuner = tune.Tuner(
                tune.with_resources(trainable, requested),
                tune_config=tune.TuneConfig(
                    search_alg=searcher, scheduler=SubmissionOrderScheduler(), num_samples=-1, reuse_actors=True
                ),
                run_config=tune.RunConfig(
                    name="packs",
                    storage_path=folder,
                    verbose=0,
                    callbacks=[watch],
                    checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                ),
            )
            try:
                tuner.fit()
            except (TuneError, RayError) as error:
                reason = str(error).strip().splitlines()[-1]
                raise SweepError(f"Ray Tune gave up: {reason}", f"Its logs are in {self.cluster.logs}.") from error
        gc.collect()  # where Tune was left early: its placement groups go with its objects, and the workers with them
