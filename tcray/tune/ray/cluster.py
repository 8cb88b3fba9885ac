"""The Ray cluster of a sweep: started on this machine or joined, without Ray's own output."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tcray.errors import InputError, SweepError
from tcray.tune.capacity import AutoscalingLimits, Node
from tcray.tune.head_health import HeadHealthCheck
from tcray.tune.ray.autoscaler_status import AutoscalerStatus, read_autoscaler_status
from tcray.tune.ray.autoscaling_limits import read_limits
from tcray.tune.ray.joining import check_cluster, silence_stderr

OBJECT_STORE_BYTES = 200 * 2**20
"""Size of the object store of a local Ray: it holds the datasets, a few megabytes each; the rest goes to disk."""

SETTINGS: Mapping[str, str] = {
    # Ray's output
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the default of later versions; if unset, this version prints a warning
    "RAY_DEDUP_LOGS_SKIP_REGEX": "^",  # matches every line that other processes would print through the driver
    "RAY_AIR_NEW_OUTPUT": "0",  # the new output prints a table of configurations at every verbosity
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    # Ray's and Tune's behavior
    "RAY_py_gcs_connect_timeout_s": "10",  # the default of 30 delays the error for an address that is not Ray's
    "RAY_worker_niceness": "0",  # at the default of 15 a worker hardly progresses beside other computations
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1e9",  # the store is the only persistent state
    "TUNE_MAX_PENDING_TRIALS_PG": "1000000",  # the searcher itself limits the number of trials
}
"""Environment variables that Ray reads when it is imported, and later."""

QUIET: Mapping[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}

TIMEOUT_SECONDS = 60.0
"""Time limit for a task on another node, which has to start a process first."""

HEAD = "node:__internal_head__"
"""A resource that Ray assigns to the head node only."""

_SEE_LOGS = "Ray's logs in %s on its nodes contain the reason."

POLL_SECONDS = 1.0
"""Interval at which callbacks are called during the wait for a GPU."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The Ray cluster that this process is connected to.

    logs     Ray's log folder, the same on each node
    joined   False if the cluster was started for this sweep and therefore has a single host
    """

    logs: str
    joined: bool

    def nodes(self) -> tuple[Node, ...]:
        """Return the nodes that are up."""
        import ray
        from ray._private.state import state

        draining = state.get_draining_nodes()
        return tuple(_to_node(entry, draining) for entry in ray.nodes() if entry["Alive"])

    def limits(self) -> AutoscalingLimits:
        """Return the limits of the autoscaler, read on the head node. Raises SweepError if the head does not answer."""
        import ray
        from ray.exceptions import RayError

        head = next((node["NodeID"] for node in ray.nodes() if node["Alive"] and HEAD in node["Resources"]), None)
        if head in (None, ray.get_runtime_context().get_node_id()):
            return read_limits(self.logs)
        try:
            limits: AutoscalingLimits = ray.get(
                _task_on_node(head, read_limits).remote(self.logs), timeout=TIMEOUT_SECONDS
            )
        except RayError as error:
            raise SweepError("the head node did not report its autoscaling limits", _SEE_LOGS % self.logs) from error
        return limits

    def autoscaler_status(self) -> AutoscalerStatus:
        """Return the status of the autoscaler."""
        return read_autoscaler_status(self.logs)

    def node_of(self, worker: Any) -> str:
        """Return the id of the node that an actor is or was on, without calling the actor."""
        from ray._private import state

        return str(state.actors(worker._actor_id.hex())["Address"]["NodeID"])  # noqa: SLF001  no public attribute has it

    def run_on_other_nodes(self, function: Callable[..., Any], *arguments: object) -> list[tuple[str, Any]]:
        """Run a function on every node except this one; return each node's name and result.

        Nodes that have left meanwhile or take longer than `TIMEOUT_SECONDS` are missing from the results.
        """
        import ray
        from ray.exceptions import RayError

        here = ray.get_runtime_context().get_node_id()
        others = [node for node in self.nodes() if node.id != here]
        names = {_task_on_node(node.id, function).remote(*arguments): node.name for node in others}
        done = ray.wait(list(names), num_returns=len(names), timeout=TIMEOUT_SECONDS)[0] if names else ()
        results = []
        for task in done:
            with contextlib.suppress(RayError):
                results.append((names[task], ray.get(task)))
        return results

    def sees_cuda(
        self, cpu: float, gpu: float, workers: int, on_wait: Callable[[], None], on_gpu_ready: Callable[[], None]
    ) -> bool:
        """Return True if torch sees a GPU in a worker with these resources; wait for a node that has them.

        workers        number of workers to request, so that an autoscaler sees the whole demand; the first one counts
        on_wait        called about every `POLL_SECONDS` during the wait
        on_gpu_ready   called when the resources are available, possibly on a node that has just joined

        Raises SweepError if the worker fails.
        """
        import ray
        from ray.exceptions import RayError
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        groups = [ray.util.placement_group([{"CPU": cpu, "GPU": gpu}]) for _ in range(workers)]
        try:
            while not (ready := [group for group in groups if group.wait(0)]):
                on_wait()
                time.sleep(POLL_SECONDS)
            on_gpu_ready()
            probe = ray.remote(num_cpus=cpu, num_gpus=gpu)(_sees_cuda)
            answer = probe.options(scheduling_strategy=PlacementGroupSchedulingStrategy(ready[0])).remote()
            while not ray.wait([answer], timeout=POLL_SECONDS)[0]:
                on_wait()
            return bool(ray.get(answer))
        except RayError as error:
            reason = str(error).strip().splitlines()[-1]
            raise SweepError(f"testing if torch sees a GPU failed: {reason}", _SEE_LOGS % self.logs) from error
        finally:
            # Placement groups, because canceling a task that has just finished ends this process.
            for group in groups:
                ray.util.remove_placement_group(group)


def _task_on_node(node_id: str, function: Callable[..., Any]) -> Any:
    """Return a Ray task that runs on this node."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    on_node = NodeAffinitySchedulingStrategy(node_id, soft=False)
    return ray.remote(num_cpus=0, max_retries=0)(function).options(scheduling_strategy=on_node)


@contextlib.contextmanager
def connect(address: str | None) -> Iterator[Cluster]:
    """Connect to the Ray at `address` or RAY_ADDRESS, else start one on this machine; disconnect at the end.

    If this process is connected already, it stays connected. Raises InputError if there is no cluster at the address.
    """
    with _environment(SETTINGS):
        logging.getLogger("ray.widgets").setLevel(logging.WARNING)  # in notebooks it advises to install ipywidgets
        import ray

        if ray.is_initialized():
            yield _connected_cluster(joined=True)
            return
        target = address or os.environ.get("RAY_ADDRESS") or "local"
        try:
            _start() if target == "local" else _join(target)
            with HeadHealthCheck(ray.get_runtime_context().gcs_address):
                yield _connected_cluster(joined=target != "local")
        finally:
            ray.shutdown()


def _start() -> None:
    import ray

    try:
        with silence_stderr():
            ray.init("local", include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES, **QUIET)
    except Exception as error:  # Ray raises a plain Exception if it does not start
        reason = str(error).strip().partition("\n")[0]
        raise SweepError(f"Ray does not start on this machine: {reason}", "Read its logs in /tmp/ray.") from error


def _join(address: str) -> None:
    import ray

    check_cluster(address)
    try:
        with silence_stderr():
            ray.init(address, **QUIET)
    except (ConnectionError, RuntimeError, ValueError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"the Ray cluster at {address} cannot be joined: {reason}") from error


def _connected_cluster(*, joined: bool) -> Cluster:
    import ray

    context = ray.get_runtime_context()
    return Cluster(f"{context.get_temp_dir()}/{context.get_session_name()}/logs", joined)


def _to_node(entry: Mapping[str, Any], draining: Container[str]) -> Node:
    resources, node_id = entry["Resources"], entry["NodeID"]
    return Node(
        name=entry["NodeManagerHostname"],
        cpus=resources.get("CPU", 0.0),
        gpus=resources.get("GPU", 0.0),
        id=node_id,
        address=entry["NodeManagerAddress"],
        draining=node_id in draining,
    )


def _sees_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


@contextlib.contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, and restore the whole environment at the end."""
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
