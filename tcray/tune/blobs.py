"""Checkpoints and weights on hosts that do not see the store: an actor on the driver's host reads and writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from tcray.errors import StoreError
from tcray.store.lease import last_holder
from tcray.store.paths import SweepPaths
from tcray.store.store import SweepStore

MAX_CONCURRENCY = 16
"""Blobs that the driver's host reads or writes at a time."""


def sees_store(store: SweepStore, lease: str) -> bool:
    """True if this host sees the driver's store, in which the driver holds the lease with the token `lease`.

    Object storage is the same on every host, or raises an error. A local folder may be another one here, or missing.
    """
    if not store.filesystem.is_local:
        return True
    try:
        holder = last_holder(store)
    except StoreError:
        return False
    return holder is not None and holder.token == lease


def start_relay(store: SweepStore) -> ActorHandle:
    """Start an actor on this host that serves the store to other hosts; blobs pass through Ray's object store."""
    on_this_node = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(SweepStore).options(
        num_cpus=0,
        scheduling_strategy=on_this_node,
        max_concurrency=MAX_CONCURRENCY,
        max_restarts=-1,
        max_task_retries=-1,
    )
    return actor.remote(store.filesystem, store.sweep_id)


@dataclass(frozen=True)
class RelayedBlobs:
    """Blobs of a store that this host does not see."""

    paths: SweepPaths
    relay: ActorHandle

    def read_blob(self, path: str) -> bytes | None:
        """Read a blob as `SweepStore.read_blob` does."""
        content: bytes | None = _get(self.relay.read_blob.remote(path))
        return content

    def write_blob(self, path: str, content: bytes) -> None:
        """Write a blob as `SweepStore.write_blob` does."""
        _get(self.relay.write_blob.remote(path, content))


def _get(reference: ray.ObjectRef) -> Any:
    """Return an answer of the relay. Raises the exception that the store raised there."""
    try:
        return ray.get(reference)
    except RayTaskError as error:
        raise error.cause from None
    except RayError as error:
        raise StoreError("the driver's host does not serve the store", "Read Ray's logs on that host.") from error
