"""How far a cluster's autoscaler may let it grow: as a platform tells it to Ray, or as `ray up` left it on the head."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tcray.sweep.nodes import Limits, NodeType

LAUNCHED = Path("~/ray_bootstrap_config.yaml")
"""The cluster file that the autoscaler works by. The launcher leaves it on the head node; Ray itself tells nobody."""


def limits(*, on_head: bool) -> Limits:
    """The limits of the cluster that this process is connected to: if not `on_head`, only what Ray knows of them."""
    from ray._private.state import state

    told = state.get_cluster_config()
    if told is not None and told.node_group_configs:
        return of_platform(told)
    file = LAUNCHED.expanduser()
    return of_launcher(file) if on_head and file.exists() else Limits()


def of_platform(told: Any) -> Limits:
    """The limits of Ray's `ClusterConfig`, where -1 is no limit."""
    types = (
        NodeType(group.name, group.resources.get("CPU", 0), group.resources.get("GPU", 0), _most(group.max_count))
        for group in told.node_group_configs
    )
    most = {name: _most(told.max_resources.get(name, -1)) for name in ("CPU", "GPU")}
    return Limits(tuple(types), cpus=most["CPU"], gpus=most["GPU"])


def of_launcher(file: Path) -> Limits:
    """The limits of the launcher's cluster file, which its provider has completed."""
    from ray.autoscaler.v2.instance_manager.config import FileConfigReader

    config = FileConfigReader(str(file)).get_cached_autoscaling_config()
    types = (
        NodeType(name, kind.resources.get("CPU", 0), kind.resources.get("GPU", 0), kind.max_worker_nodes)
        for name, kind in config.get_node_type_configs().items()
        if name != config.get_head_node_type()
    )
    return Limits(tuple(types), hosts=config.get_max_num_worker_nodes() + 1)


def _most(count: int) -> int:
    return sys.maxsize if count < 0 else int(count)
