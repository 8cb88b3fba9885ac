"""The hosts of a cluster: those that are up, and those that its autoscaler may still start."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """A host that is up, and all that it declares to have.

    draining    it will leave soon: nothing new is to begin there
    """

    name: str
    cpus: float
    gpus: float
    id: str = ""
    address: str = ""
    draining: bool = False


@dataclass(frozen=True, slots=True)
class NodeType:
    """A type of host that an autoscaler starts, `most` at a time."""

    name: str
    cpus: float
    gpus: float
    most: int = sys.maxsize


@dataclass(frozen=True, slots=True)
class AutoscalingLimits:
    """How far an autoscaler may let the cluster grow; not at all where there is none.

    hosts, cpus, gpus    most of them in all, the head's included
    """

    types: tuple[NodeType, ...] = ()
    hosts: int = sys.maxsize
    cpus: float = sys.maxsize
    gpus: float = sys.maxsize

    def growth(self, nodes: Sequence[Node], slots: Callable[[NodeType], int]) -> int:
        """How many slots the hosts would have that may be started beside `nodes`, those with most slots first."""
        hosts, cpus, gpus = self.hosts - len(nodes), self.cpus, self.gpus
        cpus -= sum(node.cpus for node in nodes)
        gpus -= sum(node.gpus for node in nodes)
        found = 0
        for kind in sorted(self.types, key=slots, reverse=True):
            up = sum((node.cpus, node.gpus) == (kind.cpus, kind.gpus) for node in nodes)  # Ray names no node's type
            count = min(kind.most - up, hosts, _times(kind.cpus, cpus), _times(kind.gpus, gpus))
            if count > 0:
                hosts, cpus, gpus = hosts - count, cpus - count * kind.cpus, gpus - count * kind.gpus
                found += count * slots(kind)
        return found


def _times(part: float, whole: float) -> int:
    return int(whole // part) if part else sys.maxsize
