"""The node types of a cluster: what kinds of machine it has, and how many of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tcray.cluster.cluster_file import ClusterFile
from tcray.cluster.instances import Instance, instance

TYPES = "available_node_types"

SPOT = "spot"


@dataclass(frozen=True, slots=True)
class NodeType:
    """One kind of machine."""

    name: str
    is_head: bool
    least: int
    most: int
    """Beside the head itself, of which there is one."""
    declared: Mapping[str, float]
    """What it declares to Ray."""
    is_completed: bool
    """Whether the provider asks the cloud for what it does not declare."""
    config: Mapping[str, Any]
    """What AWS is told of it; of other providers' words none are known here."""

    @property
    def machine(self) -> str:
        """The cloud's name for it; empty where it has none."""
        named = self.config.get("InstanceType")
        return named if isinstance(named, str) else ""

    @property
    def known(self) -> Instance | None:
        """What such a machine has, if that is known here."""
        return instance(self.machine)

    @property
    def is_spot(self) -> bool:
        """Whether it comes from the spot market."""
        options = self.config.get("InstanceMarketOptions")
        return isinstance(options, dict) and options.get("MarketType") == SPOT

    def has(self, resource: str) -> float | None:
        """How much of `CPU` or `GPU` it offers: as Ray's autoscaler will know; None where that is not known here."""
        if resource in self.declared or not self.is_completed:
            return self.declared.get(resource, 0.0)
        known = self.known
        return None if known is None else {"CPU": known.cpus, "GPU": known.gpus}[resource]

    def packs(self, cpu: float, gpu: float) -> int | None:
        """How many packs that each take so much fit at a time; None where what it has is not known."""
        cpus, gpus = self.has("CPU"), self.has("GPU") if gpu else 0.0
        by_cpu = None if cpus is None else math.floor(cpus / cpu)
        if by_cpu == 0 or not gpu:
            return by_cpu
        return None if by_cpu is None or gpus is None else min(by_cpu, math.floor(gpus) * math.floor(1 / gpu))


def node_types(file: ClusterFile) -> tuple[NodeType, ...]:
    """The node types of a cloud's cluster, in file order; what is not as it should be is left out."""
    head = file.value("head_node_type")
    most = _count(file.value("max_workers"), 0)
    types = []
    for name in file.mapping(TYPES):
        own = file.mapping(TYPES, name)
        resources = file.mapping(TYPES, name, "resources")
        types.append(
            NodeType(
                name,
                is_head=name == head,
                least=_count(own.get("min_workers"), 0),
                most=_count(own.get("max_workers"), 0 if name == head else most),
                declared={key: value for key, value in resources.items() if _is_number(value)},
                is_completed=file.text_at("provider", "type") == "aws",
                config=file.mapping(TYPES, name, "node_config") if file.is_aws else {},
            )
        )
    return tuple(types)


def _count(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
