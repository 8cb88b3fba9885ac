"""States and weights on hosts that do not see the store: an actor on the driver's host reads and writes for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from tcray.errors import StoreError
from tcray.store.filesystem import StoreFilesystem
from tcray.store.lease import last_holder
from tcray.store.paths import SweepPaths
from tcray.store.store import SweepStore

AT_A_TIME = 16
"""Blobs that the driver's host reads or writes at once."""


def is_seen(store_uri: str, sweep_id: str, lease: str) -> bool:
    """Whether this host sees the driver's store, where the driver holds the lease of that token.

    Object storage is the same everywhere, or an error. A folder of that name may be another one here, or none.
    """
    volume = StoreFilesystem.at(store_uri)
    if not volume.is_local:
        return True
    try:
        holder = last_holder(SweepStore(volume, sweep_id))
    except StoreError:
        return False
    return holder is not None and holder.token == lease


def relay(store: SweepStore) -> ActorHandle:
    """An actor on this host that is the store for others; what is large goes through Ray's object store."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(SweepStore).options(
        num_cpus=0, scheduling_strategy=here, max_concurrency=AT_A_TIME, max_restarts=-1, max_task_retries=-1
    )
    return actor.remote(store.volume, store.sweep_id)


@dataclass(frozen=True)
class RelayedBlobs:
    """What is kept in a store that this host does not see."""

    paths: SweepPaths
    relay: ActorHandle

    def read_blob(self, path: str) -> bytes | None:
        """As `SweepStore.read_blob`."""
        content: bytes | None = _answer(self.relay.read_blob.remote(path))
        return content

    def write_blob(self, path: str, content: bytes) -> None:
        """As `SweepStore.write_blob`."""
        _answer(self.relay.write_blob.remote(path, content))


def _answer(asked: ray.ObjectRef) -> Any:
    try:
        return ray.get(asked)
    except RayTaskError as error:
        raise error.cause from None
    except RayError as error:
        raise StoreError("the driver's host does not answer for the store", "Its Ray logs tell why.") from error
