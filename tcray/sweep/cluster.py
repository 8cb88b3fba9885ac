"""Ray's lifetime: started on this machine or joined, quiet, and looked at as nodes."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tcray.errors import InputError, SweepError
from tcray.sweep.placement import Node

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
    "RAY_worker_niceness": "0",  # not 15: beside anything else that computes, a worker would hardly get on
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1e9",  # the store is the only memory
    "TUNE_MAX_PENDING_TRIALS_PG": "1000000",  # the searcher gives out as many packs as there are slots, and no more
}
"""Environment variables that Ray reads as it is imported, and later."""

QUIET: Mapping[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}

ANSWER_SECONDS = 5.0
"""How long an address may take to answer; Ray itself would try for a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The Ray that this process is connected to."""

    logs: str
    """The folder of Ray's logs, on each node."""

    def nodes(self) -> tuple[Node, ...]:
        """The nodes that are up."""
        import ray

        return tuple(_node(found) for found in ray.nodes() if found["Alive"])

    def sees_cuda(self, gpu: float) -> bool:
        """Whether torch, in a worker that was given a share of a GPU, sees it."""
        import ray

        return bool(ray.get(ray.remote(num_cpus=0, num_gpus=gpu)(_sees_cuda).remote()))


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[Cluster]:
    """Connects to the Ray at `address` or RAY_ADDRESS, else starts one on this machine; disconnects at the end.

    A process that is connected already stays so. Raises InputError where nothing answers.
    """
    with _environment(SETTINGS):
        import ray

        if ray.is_initialized():
            yield _cluster()
            return
        joined = address or os.environ.get("RAY_ADDRESS") or "local"
        try:
            _start() if joined == "local" else _join(joined)
            yield _cluster()
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

    remedy = "Start Ray there with `ray start`, and say --address HOST:PORT, or auto on a node of the cluster."
    if "://" in address:
        raise InputError(f"{address} is an address for Ray's client, and the driver is part of the cluster", remedy)
    _expect_answer(address, remedy)
    try:
        ray.init(address, **QUIET)
    except (ConnectionError, RuntimeError, ValueError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"the Ray cluster at {address} cannot be joined: {reason}", remedy) from error


def _expect_answer(address: str, remedy: str) -> None:
    host, colon, port = address.rpartition(":")
    if not (colon and port.isdecimal()):
        return  # a word, as `auto`
    try:
        socket.create_connection((host, int(port)), ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"no Ray cluster answers at {address}", remedy) from error


def _cluster() -> Cluster:
    import ray

    context = ray.get_runtime_context()
    return Cluster(f"{context.get_temp_dir()}/{context.get_session_name()}/logs")


def _node(found: Mapping[str, object]) -> Node:
    resources = found["Resources"]
    assert isinstance(resources, Mapping)
    name = str(found["NodeManagerHostname"])
    return Node(name, resources.get("CPU", 0.0), resources.get("GPU", 0.0))


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
