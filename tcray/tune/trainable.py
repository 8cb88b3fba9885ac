"""Trainable of Ray Tune: an actor that trains one pack per trial and is reused for the next trial."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import ray
from ray import tune
from ray.actor import ActorHandle

from tcray.errors import TcrayError
from tcray.search.queue import Execution, Pack
from tcray.store.store import SweepStore
from tcray.tune.blobs import RelayedBlobs, sees_store
from tcray.tune.capacity import WorkerResources
from tcray.tune.versions import Versions, check_matches_driver
from tcray.tune.worker import Report, Train, Worker, summarize_error

REQUEST = "request"
"""The only key of a trial's configuration: a `PlacementRequest`."""
REPORT = "report"
"""Key of a trial's result: a list with its `Report`, to be popped because Tune keeps all results until the end."""


@dataclass(frozen=True)
class PlacementRequest:
    """The resources of a worker, and the ids of the nodes on which it must not be placed."""

    resources: WorkerResources
    excluded_nodes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return a short text, because Tune names folders after it."""
        return self.resources.device


def to_placement_group(config: Mapping[str, PlacementRequest]) -> tune.PlacementGroupFactory:
    """Return the placement group of a trial with this configuration."""
    request = config[REQUEST]
    excluded = request.excluded_nodes
    labels = [{"ray.io/node-id": f"!in({','.join(excluded)})"}] if excluded else None
    bundle = {"CPU": request.resources.cpu, "GPU": request.resources.gpu}
    return tune.PlacementGroupFactory([bundle], bundle_label_selector=labels)


@dataclass(frozen=True)
class WorkerContext:
    """Values that every worker of a sweep gets once.

    lease       token of the driver's lease, by which a host recognizes the same store
    relay       actor that serves the store to hosts that do not see it; None if every host does
    datasets    by name, in Ray's object store; a worker fetches a dataset for its first pack
    versions    the driver's
    """

    store: SweepStore
    lease: str
    relay: ActorHandle | None
    datasets: Mapping[str, ray.ObjectRef]
    versions: Versions
    train: Train

    def create_worker(self, resources: WorkerResources) -> Worker:
        """Create the worker of this process; on a GPU it may use its share of the card's memory.

        Raises SweepError if this process has other versions than the driver.
        """
        import torch

        check_matches_driver(self.versions)
        if resources.device == "cuda":
            torch.cuda.set_per_process_memory_fraction(resources.gpu)
        relayed = self.relay is not None and not sees_store(self.store, self.lease)
        blobs = RelayedBlobs(self.store.paths, self.relay) if relayed else self.store
        return Worker(blobs, lambda name: ray.get(self.datasets[name]), resources.device, self.train, relayed)


class PackTrainable(tune.Trainable):  # type: ignore[misc]  # Ray has no types
    """Trainable whose single step trains the assigned pack; without a pack the step does nothing."""

    def setup(self, config: dict[str, Any], context: WorkerContext) -> None:
        """Store the context; anything that can fail comes later, because Tune hides exceptions of constructors."""
        self._context = context
        self._worker: Worker | None = None
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Prepare for the next trial; the worker and its loaded datasets stay."""
        # Tune reuses an actor only for equal requests, so the resources never change.
        self._resources: WorkerResources = new_config[REQUEST].resources
        self._pack: Pack | None = None
        return True

    def take_pack(self, pack: Pack) -> None:
        """Take the pack that the next step trains."""
        self._pack = pack

    def step(self) -> dict[str, Any]:
        """Train the pack and return its report."""
        return {"done": True, REPORT: [self._train(self._pack)] if self._pack else []}

    def get_auto_filled_metrics(self, *_: object, **__: object) -> dict[str, Any]:
        """Return nothing; otherwise Tune would send the configuration back with every result."""
        return {}

    def _train(self, pack: Pack) -> Report:
        name = f"{pack.number}-{self.trial_id}"
        try:
            self._worker = self._worker or self._context.create_worker(self._resources)
        except Exception as error:  # noqa: BLE001  no failure to start is the fault of a pack
            traceback.print_exc()
            now, host = datetime.now(UTC), socket.gethostname()
            execution = Execution(host, self._resources.device, name, len(pack.segments), now, now)
            reason = str(error) if isinstance(error, TcrayError) else summarize_error(error)
            return Report(execution, failure="start", reason=reason)
        return self._worker.train_pack(pack, name)
