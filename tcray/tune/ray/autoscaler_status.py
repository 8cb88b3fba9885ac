"""Status of a cluster's autoscaler: hosts that it is starting, and hosts that the cloud refuses."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 5
RECENT_SECONDS = 120.0
"""A refusal counts for this time; as long as hosts of a type are needed, the autoscaler retries every few seconds."""

TAIL_BYTES = 2**18
MAX_REASON_LENGTH = 240
"""Characters of a refusal that are shown; a cloud may answer with pages."""

UNKNOWN_REASON = "see monitor.log on the head node for the reason"

_FAILED = re.compile(r"Failed to launch \d+ nodes of type (?P<type>.+?)(?: with request id \S+)?: ?(?P<reason>.*)")
_EXCEPTION = re.compile(r"^Node Launch Exception \((\w+)\)")


@dataclass(frozen=True, slots=True)
class AutoscalerStatus:
    """Hosts that are starting, and hosts that are not available.

    starting   number of hosts, by node type
    refused    the cloud's reason, by node type that it could not provide recently
    """

    starting: Mapping[str, int]
    refused: Mapping[str, str]


NO_AUTOSCALER = AutoscalerStatus({}, {})


def read_autoscaler_status(logs: str) -> AutoscalerStatus:
    """Return the status of the autoscaler; `NO_AUTOSCALER` if there is none or if Ray does not answer.

    logs   Ray's log folder on this node
    """
    import ray
    from ray.autoscaler.v2.sdk import get_cluster_status
    from ray.exceptions import RayError

    try:
        status = get_cluster_status(ray.get_runtime_context().gcs_address, timeout=TIMEOUT_SECONDS)
    except RayError:
        return NO_AUTOSCALER
    return parse_cluster_status(status, Path(logs) / "monitor.log")


def parse_cluster_status(status: Any, log: Path) -> AutoscalerStatus:
    """Return the status from Ray's `ClusterStatus` and from the autoscaler's log, which only the head node has.

    If the autoscaler asks a cloud (and not Kubernetes), its status lacks the cloud's reason, but its log contains it.
    """
    starting = Counter(node.ray_node_type_name for node in status.pending_nodes)
    failed = [launch for launch in status.failed_launches if launch.failed_ts_s > time.time() - RECENT_SECONDS]
    refused = {
        launch.ray_node_type_name: _find_reason(launch.details)
        for launch in sorted(failed, key=lambda launch: launch.failed_ts_s)
        if launch.ray_node_type_name not in starting
    }
    for launch in status.pending_launches:
        if launch.ray_node_type_name not in refused:
            starting[launch.ray_node_type_name] += launch.count
    logged = dict(_read_refusals(log)) if "" in refused.values() else {}
    refused = {name: reason or logged.get(name, UNKNOWN_REASON) for name, reason in refused.items()}
    return AutoscalerStatus(dict(starting), refused)


def _find_reason(details: str) -> str:
    failed = _FAILED.search(details)
    return _shorten(failed["reason"] if failed else details)


def _read_refusals(log: Path) -> Iterator[tuple[str, str]]:
    """Yield node type and reason of each refusal at the end of the log, most recent last."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            tail = file.read().decode(errors="replace")
    except OSError:  # this node is not the head
        return
    for failed in _FAILED.finditer(tail):
        if failed["reason"]:  # the log also contains the status, without a reason
            yield failed["type"], _shorten(failed["reason"])


def _shorten(reason: str) -> str:
    """Return the first line, such as `InsufficientInstanceCapacity: We currently do not have …`."""
    return _EXCEPTION.sub(r"\1", next(iter(reason.splitlines()), ""))[:MAX_REASON_LENGTH].strip()
