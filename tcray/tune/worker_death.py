"""Cause of a worker's death: its own process or its whole node."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal, Self

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from tcray.search.queue import Pack

DIAGNOSIS_SECONDS = 120.0
"""A node that has not answered after this time counts as lost; Ray itself gives up after a minute of silence."""

Cause = Literal["host_lost", "crashed", "failed_to_start"]


@dataclass(frozen=True)
class WorkerDeath:
    """A dead worker with its pack, and a probe of its node that may take a while to return.

    pack_taken   Ray's reference to the worker's acknowledgement of its pack
    """

    pack: Pack
    pack_taken: ray.ObjectRef
    probe: ray.ObjectRef
    deadline: float

    @classmethod
    def on_node(cls, node_id: str, pack: Pack, pack_taken: ray.ObjectRef) -> Self:
        """Return a death with a newly started probe of the node."""
        on_node = NodeAffinitySchedulingStrategy(node_id, soft=False)
        probe = ray.remote(num_cpus=0)(_return_nothing).options(scheduling_strategy=on_node).remote()
        return cls(pack, pack_taken, probe, time.monotonic() + DIAGNOSIS_SECONDS)


def diagnose_worker_death(death: WorkerDeath) -> Cause | None:
    """Return the cause of a worker's death; None as long as the probe of its node has not returned.

    host_lost         the node is gone
    failed_to_start   the node is alive, but the worker died before it took its pack
    crashed           the worker died while it trained its pack
    """
    if time.monotonic() > death.deadline:
        return "host_lost"
    if not ray.wait([death.probe], timeout=0)[0]:
        return None
    if not _succeeded(death.probe):
        return "host_lost"
    return "crashed" if _succeeded(death.pack_taken) else "failed_to_start"


def _return_nothing() -> None:
    """Run on a node to prove that it is alive."""


def _succeeded(task: ray.ObjectRef) -> bool:
    try:
        ray.get(task)
    except RayError:
        return False
    return True
