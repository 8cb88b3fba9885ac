"""Node types of a cluster file, and the CPUs and GPUs of common AWS instance types."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tcray.cluster.cluster_file import ClusterFile

TYPES = "available_node_types"

_G: Mapping[str, int] = {
    **dict.fromkeys(("xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge"), 1),
    **dict.fromkeys(("12xlarge", "24xlarge"), 4),
    "48xlarge": 8,
}

GPUS: Mapping[str, Mapping[str, int]] = {
    "g4dn": {size: gpus for size, gpus in _G.items() if size not in ("24xlarge", "48xlarge")},
    "g5": _G,
    "g6": _G,
    "g6e": _G,
    "p3": {"2xlarge": 1, "8xlarge": 4, "16xlarge": 8},
    "p3dn": {"24xlarge": 8},
    "p4d": {"24xlarge": 8},
    "p4de": {"24xlarge": 8},
    "p5": {"4xlarge": 1, "48xlarge": 8},
    "p5e": {"48xlarge": 8},
    "p5en": {"48xlarge": 8},
}
"""GPUs by family and size, from AWS's pages on instance types (2026)."""

_FAMILIES_WITHOUT_GPU = re.compile(r"[cmr][5-8][a-z]*(-flex)?|t3a?|t4g")

_SMALL: Mapping[str, int] = {"medium": 1, "large": 2}
_BURSTABLE: Mapping[str, int] = dict.fromkeys(("nano", "micro", "small", "medium", "large"), 2)


@dataclass(frozen=True, slots=True)
class Instance:
    """Hardware of an instance type; Ray counts a vCPU as a CPU."""

    cpus: int
    gpus: int


def find_instance(name: str) -> Instance | None:
    """Return the hardware of an AWS instance type; None if it is not known here."""
    family, _, size = name.partition(".")
    small = _BURSTABLE if family.startswith("t") else _SMALL
    times = re.fullmatch(r"(\d{0,3})xlarge", size)
    cpus = 4 * int(times[1] or 1) if times else small.get(size)
    gpus = GPUS[family].get(size) if family in GPUS else 0 if _FAMILIES_WITHOUT_GPU.fullmatch(family) else None
    return None if cpus is None or gpus is None else Instance(cpus, gpus)


@dataclass(frozen=True, slots=True)
class NodeType:
    """A node type of the cluster file."""

    name: str
    is_head: bool
    min_workers: int
    max_workers: int
    """The head itself is not counted."""
    declared: Mapping[str, float]
    """The resources that the file declares."""
    asks_aws: bool
    """True if Ray asks AWS for the resources that the file does not declare."""
    config: Mapping[str, Any]
    """The `node_config` of an AWS cluster; empty for other providers, whose keys are not known here."""

    @property
    def instance_type(self) -> str:
        """Return the AWS instance type; empty if there is none."""
        named = self.config.get("InstanceType")
        return named if isinstance(named, str) else ""

    @property
    def instance(self) -> Instance | None:
        """Return the hardware of the instance type; None if it is not known here."""
        return find_instance(self.instance_type)

    @property
    def is_spot(self) -> bool:
        """True for instances of the spot market."""
        options = self.config.get("InstanceMarketOptions")
        return isinstance(options, dict) and options.get("MarketType") == "spot"

    def resource(self, name: str) -> float | None:
        """Return the amount of `CPU` or `GPU` that Ray's autoscaler counts on; None if it is not known here."""
        if name in self.declared or not self.asks_aws:
            return self.declared.get(name, 0.0)
        return None if self.instance is None else {"CPU": self.instance.cpus, "GPU": self.instance.gpus}[name]

    def count_packs(self, cpu: float, gpu: float) -> int | None:
        """Return how many packs of `cpu` CPUs and `gpu` GPUs fit on a node at a time; None if it is not known here."""
        cpus, gpus = self.resource("CPU"), self.resource("GPU") if gpu else 0.0
        by_cpu = None if cpus is None else math.floor(cpus / cpu)
        if by_cpu == 0 or not gpu:
            return by_cpu
        return None if by_cpu is None or gpus is None else min(by_cpu, math.floor(gpus) * math.floor(1 / gpu))


def read_node_types(file: ClusterFile) -> tuple[NodeType, ...]:
    """Return the node types in file order; values of a wrong type are left out."""
    head = file.value("head_node_type")
    most = _to_count(file.value("max_workers"), 0)
    types = []
    for name in file.mapping(TYPES):
        own = file.mapping(TYPES, name)
        resources = file.mapping(TYPES, name, "resources")
        types.append(
            NodeType(
                name,
                is_head=name == head,
                min_workers=_to_count(own.get("min_workers"), 0),
                max_workers=_to_count(own.get("max_workers"), 0 if name == head else most),
                declared={key: value for key, value in resources.items() if _is_number(value)},
                asks_aws=file.string("provider", "type") == "aws",
                config=file.mapping(TYPES, name, "node_config") if file.is_aws else {},
            )
        )
    return tuple(types)


def _to_count(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
