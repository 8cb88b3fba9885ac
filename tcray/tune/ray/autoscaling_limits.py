"""Limits of a cluster's autoscaler: as a platform reports them to Ray, or from the file of `ray up` on the head."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tcray.tune.capacity import AutoscalingLimits, NodeType

CONFIG, LOGS = "--autoscaling-config=", "--logs-dir="
"""Command-line options of the process in which Ray's autoscaler runs."""


def read_limits(logs: str) -> AutoscalingLimits:
    """Return the limits of the cluster that this process is connected to; called on the head node.

    logs   Ray's log folder, the same on each node
    """
    from ray._private.state import state

    config = state.get_cluster_config()
    if config is not None and config.node_group_configs:
        return limits_of_platform(config)
    file = find_cluster_file(logs)
    return limits_of_cluster_file(file) if file else AutoscalingLimits()


def find_cluster_file(logs: str) -> Path | None:
    """Return the cluster file that the autoscaler uses; None if the autoscaler does not run on this machine.

    Ray has no API for it; only the autoscaler's command line contains the path.
    """
    import psutil  # a dependency of Ray, which is imported by now

    for process in psutil.process_iter(["cmdline"]):
        arguments = process.info["cmdline"] or ()
        if f"{LOGS}{logs}" in arguments:
            for argument in arguments:
                if argument.startswith(CONFIG):
                    return Path(argument.removeprefix(CONFIG)).expanduser()
    return None


def limits_of_platform(config: Any) -> AutoscalingLimits:
    """Return the limits in Ray's `ClusterConfig`, in which -1 means no limit."""
    types = (
        NodeType(group.name, group.resources.get("CPU", 0), group.resources.get("GPU", 0), _to_limit(group.max_count))
        for group in config.node_group_configs
    )
    cpus, gpus = (_to_limit(config.max_resources.get(name, -1)) for name in ("CPU", "GPU"))
    return AutoscalingLimits(tuple(types), cpus=cpus, gpus=gpus)


def limits_of_cluster_file(file: Path) -> AutoscalingLimits:
    """Return the limits in a cluster file, as completed by `ray up`'s provider."""
    from ray.autoscaler.v2.instance_manager.config import FileConfigReader

    config = FileConfigReader(str(file)).get_cached_autoscaling_config()
    types = (
        NodeType(name, kind.resources.get("CPU", 0), kind.resources.get("GPU", 0), kind.max_worker_nodes)
        for name, kind in config.get_node_type_configs().items()
        if name != config.get_head_node_type()
    )
    return AutoscalingLimits(tuple(types), hosts=config.get_max_num_worker_nodes() + 1)


def _to_limit(count: int) -> int:
    return sys.maxsize if count < 0 else int(count)
