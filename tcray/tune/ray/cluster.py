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
from tcray.tune.head_health import HeadHealthCheck
from tcray.tune.nodes import AutoscalingLimits, Node
from tcray.tune.ray.autoscaler_status import AutoscalerStatus, launches
from tcray.tune.ray.autoscaling_limits import limits
from tcray.tune.ray.joining import expect_cluster, hushed

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

ANSWER_SECONDS = 60.0
"""How long a node may take to answer what it is asked: a process has to start there."""

HEAD = "node:__internal_head__"
"""A resource that Ray gives to the head alone."""

_LOGS = "Ray's logs, in %s on its nodes, tell why."

WAIT_SECONDS = 1.0
"""Between two calls of whoever is to do something while a GPU is waited for."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The Ray that this process is connected to.

    logs     the folder of Ray's logs, on each node
    joined   it was not started for this sweep, and may have several hosts
    """

    logs: str
    joined: bool

    def nodes(self) -> tuple[Node, ...]:
        """The nodes that are up."""
        import ray
        from ray._private.state import state

        draining = state.get_draining_nodes()
        return tuple(_node(found, draining) for found in ray.nodes() if found["Alive"])

    def limits(self) -> AutoscalingLimits:
        """How far its autoscaler may let it grow, which is known on the head."""
        import ray
        from ray.exceptions import RayError

        head = next((node["NodeID"] for node in ray.nodes() if node["Alive"] and HEAD in node["Resources"]), None)
        if head in (None, ray.get_runtime_context().get_node_id()):
            return limits(self.logs)
        try:
            found: AutoscalingLimits = ray.get(_on(head, limits).remote(self.logs), timeout=ANSWER_SECONDS)
        except RayError as error:
            raise SweepError("the head node does not tell how far the cluster may grow", _LOGS % self.logs) from error
        return found

    def launches(self) -> AutoscalerStatus:
        """What its autoscaler is at."""
        return launches(self.logs)

    def node_of(self, worker: Any) -> str:
        """The id of the node that a worker is on, or was; the worker is not asked."""
        from ray._private import state

        return str(state.actors(worker._actor_id.hex())["Address"]["NodeID"])  # noqa: SLF001  a handle tells it nowhere else

    def elsewhere(self, function: Callable[..., Any], *arguments: object) -> list[tuple[str, Any]]:
        """What a function returns on every node but this one, with the node's name.

        Those that have gone by then are left out, and those that take longer than `ANSWER_SECONDS`.
        """
        import ray
        from ray.exceptions import RayError

        here = ray.get_runtime_context().get_node_id()
        others = [node for node in self.nodes() if node.id != here]
        asked = {_on(node.id, function).remote(*arguments): node.name for node in others}
        answered = ray.wait(list(asked), num_returns=len(asked), timeout=ANSWER_SECONDS)[0] if asked else ()
        found = []
        for answer in answered:
            with contextlib.suppress(RayError):
                found.append((asked[answer], ray.get(answer)))
        return found

    def sees_cuda(
        self, cpu: float, gpu: float, hosts_for: int, wait: Callable[[], None], had: Callable[[], None]
    ) -> bool:
        """Whether torch, in a worker that was given a share of a GPU, sees it.

        hosts_for   how many shares are asked for, of which the first that is had answers: an autoscaler is to see all
        wait        called while there is none
        had         called once there is one, which may be on a host that has only just come
        """
        import ray
        from ray.exceptions import RayError
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        shares = [ray.util.placement_group([{"CPU": cpu, "GPU": gpu}]) for _ in range(hosts_for)]
        try:
            while not (found := [share for share in shares if share.wait(0)]):
                wait()
                time.sleep(WAIT_SECONDS)
            had()
            probe = ray.remote(num_cpus=cpu, num_gpus=gpu)(_sees_cuda)
            answer = probe.options(scheduling_strategy=PlacementGroupSchedulingStrategy(found[0])).remote()
            while not ray.wait([answer], timeout=WAIT_SECONDS)[0]:
                wait()
            return bool(ray.get(answer))
        except RayError as error:
            reason = str(error).strip().splitlines()[-1]
            raise SweepError(f"torch could not be asked whether it sees a GPU: {reason}", _LOGS % self.logs) from error
        finally:
            for share in shares:  # not tasks that are cancelled: where one is just done, that ends the process
                ray.util.remove_placement_group(share)


def _on(node: str, function: Callable[..., Any]) -> Any:
    """A task of Ray that is run on the node of this id."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(node, soft=False)
    return ray.remote(num_cpus=0, max_retries=0)(function).options(scheduling_strategy=there)


@contextlib.contextmanager
def connect(address: str | None) -> Iterator[Cluster]:
    """Connects to the Ray at `address` or RAY_ADDRESS, else starts one on this machine; disconnects at the end.

    A process that is connected already stays so. Raises InputError where nothing answers.
    """
    with _environment(SETTINGS):
        import ray

        if ray.is_initialized():
            yield _cluster(joined=True)
            return
        at = address or os.environ.get("RAY_ADDRESS") or "local"
        try:
            _start() if at == "local" else _join(at)
            with HeadHealthCheck(ray.get_runtime_context().gcs_address):
                yield _cluster(joined=at != "local")
        finally:
            ray.shutdown()


def _start() -> None:
    import ray

    try:
        with hushed():
            ray.init("local", include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES, **QUIET)
    except Exception as error:  # a plain one is what Ray raises when it does not come up
        reason = str(error).strip().partition("\n")[0]
        raise SweepError(f"Ray does not start on this machine: {reason}", "Its logs are in /tmp/ray.") from error


def _join(address: str) -> None:
    import ray

    expect_cluster(address)
    try:
        with hushed():
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
