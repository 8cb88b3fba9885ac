"""A pack as a Ray Tune trial, in an actor that trains one after another."""

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
from tcray.store.filesystem import StoreFilesystem
from tcray.store.store import SweepStore
from tcray.tune.blobs import RelayedBlobs, is_seen
from tcray.tune.placement import WorkerResources
from tcray.tune.report import Report
from tcray.tune.versions import Installed, expect_driver
from tcray.tune.worker import Train, Worker, in_words

ORDER = "order"
"""The one key of a trial's configuration: an `Order`."""
REPORT = "report"
"""The key of a trial's result that holds a list with its `Report`, to be popped: Tune keeps all results to the end."""


@dataclass(frozen=True)
class PlacementRequest:
    """What a worker is given of a node, and which node that may be.

    pins   the ids of the only nodes that will do; empty where any will
    bars   the ids of those that will not
    """

    share: WorkerResources
    pins: tuple[str, ...] = ()
    bars: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Short: Tune names folders after it."""
        return self.share.device


def requested(config: Mapping[str, PlacementRequest]) -> tune.PlacementGroupFactory:
    """What a trial of this configuration asks Ray for."""
    order = config[ORDER]
    nodes, others = order.pins or order.bars, "" if order.pins else "!"
    labels = [{"ray.io/node-id": f"{others}in({','.join(nodes)})"}] if nodes else None
    return tune.PlacementGroupFactory([{"CPU": order.share.cpu, "GPU": order.share.gpu}], bundle_label_selector=labels)


@dataclass(frozen=True)
class WorkerContext:
    """What every worker of a sweep is given, once.

    lease       the token of the driver's, by which a host knows whether it sees the store
    relay       is the store for hosts that do not; None where every host does
    datasets    by name, in Ray's object store; a worker fetches one when its first pack wants it
    installed   at the driver
    """

    store_uri: str
    sweep_id: str
    lease: str
    relay: ActorHandle | None
    datasets: Mapping[str, ray.ObjectRef]
    installed: Installed
    train: Train

    def worker(self, share: WorkerResources) -> Worker:
        """The worker of this process; it may fill the memory of a card as far as its share goes.

        Raises SweepError where this process has other versions than the driver.
        """
        import torch

        expect_driver(self.installed)
        if share.device == "cuda":
            torch.cuda.set_per_process_memory_fraction(share.gpu)
        relayed = self.relay is not None and not is_seen(self.store_uri, self.sweep_id, self.lease)
        store = SweepStore(StoreFilesystem.at(self.store_uri), self.sweep_id)
        blobs = RelayedBlobs(store.paths, self.relay) if relayed else store
        return Worker(blobs, lambda name: ray.get(self.datasets[name]), share.device, self.train, relayed)


class PackTrainable(tune.Trainable):  # type: ignore[misc]  # Ray has no types
    """Trains a pack in a single step; without one it does nothing."""

    def setup(self, config: dict[str, Any], workplace: WorkerContext) -> None:
        """Begins nothing that could fail: what an actor's constructor raises, Tune keeps to itself."""
        self._workplace = workplace
        self._worker: Worker | None = None
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Waits for the next pack; the worker, and what it has loaded, stay."""
        self._share: WorkerResources = new_config[
            ORDER
        ].share  # the same again: Tune uses an actor for equal requests only
        self._pack: Pack | None = None
        return True

    def take(self, pack: Pack) -> None:
        """Takes the pack that the next step is to train."""
        self._pack = pack

    def step(self) -> dict[str, Any]:
        """Trains the pack."""
        return {"done": True, REPORT: [self._report(self._pack)] if self._pack else []}

    def get_auto_filled_metrics(self, *_: object, **__: object) -> dict[str, Any]:
        """Nothing: Tune would send the configuration back with every result."""
        return {}

    def _report(self, pack: Pack) -> Report:
        name = f"{pack.number}-{self.trial_id}"
        try:
            self._worker = self._worker or self._workplace.worker(self._share)
        except Exception as error:  # noqa: BLE001  whatever keeps a worker from working is no pack's fault
            traceback.print_exc()
            now, host = datetime.now(UTC), socket.gethostname()
            execution = Execution(host, self._share.device, name, len(pack.segments), now, now)
            reason = str(error) if isinstance(error, TcrayError) else in_words(error)
            return Report(execution, failure="start", reason=reason)
        return self._worker.work(pack, name)
