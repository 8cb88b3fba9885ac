"""What the cluster's autoscaler is at, if it has one: hosts that are being started, and those the cloud refuses."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ANSWER_SECONDS = 5
RECENT_SECONDS = 120.0
"""How long a refusal counts: as long as hosts of that type are wanted, the autoscaler asks again every few seconds."""

TAIL_BYTES = 2**18
WORDS = 240
"""Characters of a refusal that are passed on: a cloud may answer with pages."""

UNKNOWN = "monitor.log on the head node tells why"

_FAILED = re.compile(r"Failed to launch \d+ nodes of type (?P<type>.+?)(?: with request id \S+)?: ?(?P<words>.*)")
_EXCEPTION = re.compile(r"^Node Launch Exception \((\w+)\)")


@dataclass(frozen=True, slots=True)
class AutoscalerStatus:
    """Hosts that are not there yet, or cannot be had.

    starting   how many, by node type
    refused    node types of which the cloud gave none just now, and its words
    """

    starting: Mapping[str, int]
    refused: Mapping[str, str]


NONE = AutoscalerStatus({}, {})


def launches(logs: str) -> AutoscalerStatus:
    """What the autoscaler is at; `NONE` where there is none, or Ray does not answer.

    logs   Ray's folder of logs on this node
    """
    import ray
    from ray.autoscaler.v2.sdk import get_cluster_status
    from ray.exceptions import RayError

    try:
        status = get_cluster_status(ray.get_runtime_context().gcs_address, timeout=ANSWER_SECONDS)
    except RayError:
        return NONE
    return told(status, Path(logs) / "monitor.log")


def told(status: Any, log: Path) -> AutoscalerStatus:
    """The same of Ray's `ClusterStatus`, and of the autoscaler's log, which is on the head node alone.

    Where the autoscaler asks a cloud (and not Kubernetes) its status lacks the cloud's words, and its log has them.
    """
    starting = Counter(node.ray_node_type_name for node in status.pending_nodes)
    failed = [one for one in status.failed_launches if one.failed_ts_s > time.time() - RECENT_SECONDS]
    refused = {
        one.ray_node_type_name: _words(one.details)
        for one in sorted(failed, key=lambda one: one.failed_ts_s)
        if one.ray_node_type_name not in starting
    }
    for launch in status.pending_launches:
        if launch.ray_node_type_name not in refused:
            starting[launch.ray_node_type_name] += launch.count
    logged = dict(_logged(log)) if "" in refused.values() else {}
    return AutoscalerStatus(
        dict(starting), {name: words or logged.get(name, UNKNOWN) for name, words in refused.items()}
    )


def _words(details: str) -> str:
    failed = _FAILED.search(details)
    return _plain(failed["words"] if failed else details)


def _logged(log: Path) -> Iterator[tuple[str, str]]:
    """The words of each refusal in the end of the log, by node type, last ones last."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            tail = file.read().decode(errors="replace")
    except OSError:  # this is not the head
        return
    for failed in _FAILED.finditer(tail):
        if failed["words"]:  # it logs its status as well
            yield failed["type"], _plain(failed["words"])


def _plain(words: str) -> str:
    """A line of them, as `InsufficientInstanceCapacity: We currently do not have …`."""
    return _EXCEPTION.sub(r"\1", next(iter(words.splitlines()), ""))[:WORDS].strip()
