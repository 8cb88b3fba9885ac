"""How far a cluster's autoscaler may let it grow: as a platform tells it to Ray, or as `ray up` left it on the head."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tcray.tune.nodes import AutoscalingLimits, NodeType

CONFIG, LOGS = "--autoscaling-config=", "--logs-dir="
"""Options of the process in which Ray's autoscaler runs."""


def limits(logs: str) -> AutoscalingLimits:
    """The limits of the cluster that this process is connected to, whose logs are in this folder on each node."""
    from ray._private.state import state

    told = state.get_cluster_config()
    if told is not None and told.node_group_configs:
        return of_platform(told)
    file = launched(logs)
    return of_launcher(file) if file else AutoscalingLimits()


def launched(logs: str) -> Path | None:
    """The cluster file by which the autoscaler of this cluster works; None where it does not run on this machine.

    Ray tells nobody; only the autoscaler's command line says it.
    """
    import psutil  # Ray brings it along, and was imported by now

    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or ()
        if f"{LOGS}{logs}" in words:
            for word in words:
                if word.startswith(CONFIG):
                    return Path(word.removeprefix(CONFIG)).expanduser()
    return None


def of_platform(told: Any) -> AutoscalingLimits:
    """The limits of Ray's `ClusterConfig`, where -1 is no limit."""
    types = (
        NodeType(group.name, group.resources.get("CPU", 0), group.resources.get("GPU", 0), _most(group.max_count))
        for group in told.node_group_configs
    )
    most = {name: _most(told.max_resources.get(name, -1)) for name in ("CPU", "GPU")}
    return AutoscalingLimits(tuple(types), cpus=most["CPU"], gpus=most["GPU"])


def of_launcher(file: Path) -> AutoscalingLimits:
    """The limits of the launcher's cluster file, which its provider has completed."""
    from ray.autoscaler.v2.instance_manager.config import FileConfigReader

    config = FileConfigReader(str(file)).get_cached_autoscaling_config()
    types = (
        NodeType(name, kind.resources.get("CPU", 0), kind.resources.get("GPU", 0), kind.max_worker_nodes)
        for name, kind in config.get_node_type_configs().items()
        if name != config.get_head_node_type()
    )
    return AutoscalingLimits(tuple(types), hosts=config.get_max_num_worker_nodes() + 1)


def _most(count: int) -> int:
    return sys.maxsize if count < 0 else int(count)
