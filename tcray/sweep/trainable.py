"""A pack as a Ray Tune trial, in an actor that trains one after another."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import ray
from ray import tune

from tcray.search.queue import Circumstances, Pack
from tcray.sweep.report import Report
from tcray.sweep.worker import Train, Worker, in_words

ORDER = "order"
"""The one key of a trial's configuration: an `Order`."""
REPORT = "report"
"""The key of a trial's result that holds a list of one `Report`, to be popped: Tune keeps all results to the end."""


@dataclass(frozen=True)
class Order:
    """A pack on its way to a worker."""

    pack: Pack

    def __deepcopy__(self, memo: object) -> Self:
        """Itself, since nothing in it ever changes: Tune copies every configuration several times."""
        return self

    def __str__(self) -> str:
        """Short: Tune names folders after it."""
        return str(self.pack.number)


@dataclass(frozen=True)
class Workplace:
    """What every worker of a sweep is given, once.

    datasets  by name, in Ray's object store; a worker fetches one when its first pack wants it
    device    `cpu` or `cuda`
    gpu       the share of a card whose memory a worker may fill
    """

    store_uri: str
    sweep_id: str
    datasets: Mapping[str, ray.ObjectRef]
    device: str
    gpu: float
    train: Train

    def worker(self) -> Worker:
        """The worker of this process."""
        import torch

        from tcray.store.store import Store

        if self.device == "cuda":
            torch.cuda.set_per_process_memory_fraction(self.gpu)
        store = Store.open(self.store_uri).sweep(self.sweep_id)
        return Worker(store, lambda name: ray.get(self.datasets[name]), self.device, self.train)


class PackTrainable(tune.Trainable):  # type: ignore[misc]  # Ray has no types
    """Trains the pack of its configuration in a single step."""

    def setup(self, config: dict[str, Any], workplace: Workplace) -> None:
        """Begins nothing that could fail: what an actor's constructor raises, Tune keeps to itself."""
        self._workplace = workplace
        self._worker: Worker | None = None
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Takes the next pack; the worker, and what it has loaded, stay."""
        self._pack: Pack = new_config[ORDER].pack
        return True

    def step(self) -> dict[str, Any]:
        """Trains the pack."""
        return {"done": True, REPORT: [self._report()]}

    def node(self) -> str:
        """The id of the node that this worker is on."""
        return str(ray.get_runtime_context().get_node_id())

    def get_auto_filled_metrics(self, *_: object, **__: object) -> dict[str, Any]:
        """Nothing: Tune would send the configuration back with every result."""
        return {}

    def _report(self) -> Report:
        name = f"{self._pack.number}-{self.trial_id}"
        try:
            self._worker = self._worker or self._workplace.worker()
        except Exception as error:  # noqa: BLE001  whatever keeps a worker from working is no pack's fault
            traceback.print_exc()
            now, host = datetime.now(UTC), socket.gethostname()
            circumstances = Circumstances(host, self._workplace.device, name, len(self._pack.segments), now, now)
            return Report(circumstances, failure="start", reason=in_words(error))
        return self._worker.work(self._pack, name)
