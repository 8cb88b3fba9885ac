"""Machines of one's own: their addresses, and Ray's two autoscalers, one of which miscounts them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tcray.cluster.checks.findings import Finding, note, required, wrong
from tcray.cluster.checks.providers import LOCAL
from tcray.cluster.checks.shell import said_to_ray
from tcray.cluster.cluster_file import UNFILLED, ClusterFile
from tcray.cluster.node_types import TYPES
from tcray.config.messages import clip_text, format_value

_ADDRESS = re.compile(r"[\w.:-]+")
_NEWER = "RAY_enable_autoscaler_v2"
_LOCAL_TYPE = "local.cluster.node"


def check(file: ClusterFile) -> Iterator[Finding]:
    """The addresses, and how many of the machines behind them come to be nodes."""
    if not file.is_local or file.value("provider", "coordinator_address") is not None:
        return  # a coordinator knows the machines, and the file does not
    for key in ("head_ip", "worker_ips"):
        yield from required(file, ("provider",), key, LOCAL)
    workers = file.texts("provider", "worker_ips")
    times = Counter(workers)
    for i, address in enumerate(workers):
        node = file.node("provider", "worker_ips", i)
        if UNFILLED in address:
            continue
        if not _ADDRESS.fullmatch(address):
            yield wrong(node, f"expected an address, found {format_value(address)}")
        elif address == file.value("provider", "head_ip"):
            yield wrong(node, f"{clip_text(address)} is the head, which computes without being named here")
        elif times[address] > 1 and i > workers.index(address):
            yield wrong(node, f"{clip_text(address)} is given twice")
    yield from _counts(file, len(workers))


def _counts(file: ClusterFile, workers: int) -> Iterator[Finding]:
    """How many of the machines Ray's autoscaler brings up, of which there are two."""
    least, most = file.value("min_workers"), file.value("max_workers")
    at_once = min(workers, least) if isinstance(least, int) else workers
    if isinstance(least, int) and least > workers:
        yield wrong(file.node("min_workers"), f"at least {least}, and worker_ips has {workers}", "provider.worker_ips")
    elif isinstance(most, int) and most < at_once:
        sentence = f"at most {most}, and {at_once} workers are to be up"
        yield wrong(file.node("max_workers"), sentence, "min_workers", "provider.worker_ips")
    elif at_once < workers:
        yield note(
            file.node("min_workers"), f"at first {at_once} of the {workers} workers, and more when packs wait for them"
        )
    starts = {i: said for i, said in enumerate(file.texts("head_start_ray_commands")) if "--autoscaling-config" in said}
    if not starts or not workers or any(said_to_ray(line).get(_NEWER) == "0" for line in starts.values()):
        return
    newer = "Ray's newer autoscaler counts the head among the workers"
    least = file.value(TYPES, _LOCAL_TYPE, "min_workers")
    if least is None:
        node = file.node("head_start_ray_commands", next(iter(starts)))
        yield wrong(node, f"{newer}, and leaves one out; say {_NEWER}=0 before `ray start`")
    elif least != workers + 1:
        node = file.node(TYPES, _LOCAL_TYPE, "min_workers")
        yield wrong(
            node, f"{newer}: expected {workers + 1} for these {workers} and the head, found {format_value(least)}"
        )
