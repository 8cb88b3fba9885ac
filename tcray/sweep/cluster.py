"""Ray's lifetime: started on this machine or joined, quiet, and looked at as nodes."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tcray.errors import InputError, SweepError
from tcray.sweep.growth import limits
from tcray.sweep.joining import expect_cluster
from tcray.sweep.nodes import Limits, Node
from tcray.sweep.pulse import Pulse

OBJECT_STORE_BYTES = 200 * 2**20
"""Of a local Ray: datasets pass through it, a few megabytes each, and what does not fit goes to disk."""

SETTINGS: Mapping[str, str] = {
    # what Ray says
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the default of later versions; unset, this one warns of the change
    "RAY_DEDUP_LOGS_SKIP_REGEX": "^",  # every line that other processes would have the driver print
    "RAY_AIR_NEW_OUTPUT": "0",  # the new output prints a table of configurations whatever the verbosity
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    # what Ray and Tune do
    "RAY_py_gcs_connect_timeout_s": "10",  # not 30: until an address is known to be no Ray's
    "RAY_worker_niceness": "0",  # not 15: beside anything else that computes, a worker would hardly get on
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1e9",  # the store is the only memory
    "TUNE_MAX_PENDING_TRIALS_PG": "1000000",  # the searcher gives out as many packs as there are slots, and no more
}
"""Environment variables that Ray reads as it is imported, and later."""

QUIET: Mapping[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}

LOOK_SECONDS = 60.0
"""How long a node may take to answer what is asked of every one: a process has to start there."""

WAIT_SECONDS = 1.0
"""Between two calls of whoever is to do something while a GPU is waited for."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The Ray that this process is connected to.

    logs     the folder of Ray's logs, on each node
    joined   others started it
    """

    logs: str
    joined: bool

    def nodes(self) -> tuple[Node, ...]:
        """The nodes that are up."""
        import ray
        from ray._private.state import state

        draining = state.get_draining_nodes()
        return tuple(_node(found, draining) for found in ray.nodes() if found["Alive"])

    def limits(self) -> Limits:
        """How far its autoscaler may let it grow."""
        return limits(self.logs)

    def node_of(self, worker: Any) -> str:
        """The id of the node that a worker is on, or was; the worker is not asked."""
        from ray._private import state

        return str(state.actors(worker._actor_id.hex())["Address"]["NodeID"])  # noqa: SLF001  a handle tells it nowhere else

    def elsewhere(self, function: Callable[..., Any], *arguments: object) -> list[tuple[str, Any]]:
        """What a function returns on every node but this one, with the node's name.

        Those that have gone by then are left out, and those that take longer than `LOOK_SECONDS`.
        """
        import ray
        from ray.exceptions import RayError
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        task, here = ray.remote(num_cpus=0, max_retries=0)(function), ray.get_runtime_context().get_node_id()
        asked = {}
        for node in self.nodes():
            if node.id != here:
                there = NodeAffinitySchedulingStrategy(node.id, soft=False)
                asked[task.options(scheduling_strategy=there).remote(*arguments)] = node.name
        answered = ray.wait(list(asked), num_returns=len(asked), timeout=LOOK_SECONDS)[0] if asked else ()
        found = []
        for answer in answered:
            with contextlib.suppress(RayError):
                found.append((asked[answer], ray.get(answer)))
        return found

    def sees_cuda(self, cpu: float, gpu: float, hosts_for: int, wait: Callable[[], None]) -> bool:
        """Whether torch, in a worker that was given a share of a GPU, sees it.

        hosts_for   how many shares are asked for, of which the first that is had answers: an autoscaler is to see all
        wait        called while there is none
        """
        import ray
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        shares = [ray.util.placement_group([{"CPU": cpu, "GPU": gpu}]) for _ in range(hosts_for)]
        try:
            while not (had := [share for share in shares if share.wait(0)]):
                wait()
                time.sleep(WAIT_SECONDS)
            probe = ray.remote(num_cpus=cpu, num_gpus=gpu)(_sees_cuda)
            answer = probe.options(scheduling_strategy=PlacementGroupSchedulingStrategy(had[0])).remote()
            while not ray.wait([answer], timeout=WAIT_SECONDS)[0]:
                wait()
            return bool(ray.get(answer))
        finally:
            for share in shares:  # not tasks that are cancelled: where one is just done, that ends the process
                ray.util.remove_placement_group(share)


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[Cluster]:
    """Connects to the Ray at `address` or RAY_ADDRESS, else starts one on this machine; disconnects at the end.

    A process that is connected already stays so. Raises InputError where nothing answers.
    """
    with _environment(SETTINGS):
        import ray

        if ray.is_initialized():
            yield _cluster(joined=False)
            return
        at = address or os.environ.get("RAY_ADDRESS") or "local"
        try:
            _start() if at == "local" else _join(at)
            with Pulse(ray.get_runtime_context().gcs_address):
                yield _cluster(joined=at != "local")
        finally:
            ray.shutdown()


def _start() -> None:
    import ray

    try:
        ray.init("local", include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES, **QUIET)
    except Exception as error:  # a plain one is what Ray raises when it does not come up
        reason = str(error).strip().partition("\n")[0]
        raise SweepError(f"Ray does not start on this machine: {reason}", "Its logs are in /tmp/ray.") from error


def _join(address: str) -> None:
    import ray

    expect_cluster(address)
    try:
        ray.init(address, **QUIET)
    except (ConnectionError, RuntimeError, ValueError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"the Ray cluster at {address} cannot be joined: {reason}") from error


def _cluster(*, joined: bool) -> Cluster:
    import ray

    context = ray.get_runtime_context()
    return Cluster(f"{context.get_temp_dir()}/{context.get_session_name()}/logs", joined)


def _node(found: Mapping[str, Any], draining: Container[str]) -> Node:
    resources, node_id = found["Resources"], found["NodeID"]
    return Node(
        name=found["NodeManagerHostname"],
        cpus=resources.get("CPU", 0.0),
        gpus=resources.get("GPU", 0.0),
        id=node_id,
        address=found["NodeManagerAddress"],
        draining=node_id in draining,
    )


def _sees_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


@contextlib.contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Sets environment variables, and afterwards leaves all of them as they were."""
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
