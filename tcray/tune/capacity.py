"""Worker slots of a cluster: those of the nodes that are up, and those of hosts that its autoscaler may add."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Device = Literal["cpu", "cuda"]

REFRESH_SECONDS = 1.0
"""The list of nodes is refreshed at most this often."""

UNITS = 10_000
"""Ray's resolution of a CPU or a GPU; it drops smaller fractions."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node that is up, and the resources that it declares.

    draining    the node will leave soon; no new work should start there
    """

    name: str
    cpus: float
    gpus: float
    id: str = ""
    address: str = ""
    draining: bool = False


@dataclass(frozen=True, slots=True)
class NodeType:
    """A type of host that an autoscaler can start, at most `max_count` of them."""

    name: str
    cpus: float
    gpus: float
    max_count: int = sys.maxsize


@dataclass(frozen=True, slots=True)
class AutoscalingLimits:
    """Limits of a cluster's autoscaler; without node types there is no autoscaler.

    hosts, cpus, gpus    totals for the whole cluster, including the head
    """

    types: tuple[NodeType, ...] = ()
    hosts: int = sys.maxsize
    cpus: float = sys.maxsize
    gpus: float = sys.maxsize

    def headroom(self, nodes: Sequence[Node], slots: Callable[[NodeType], int]) -> int:
        """Return how many slots the hosts have that may be started besides `nodes`, counting the largest types first.

        slots   returns the number of slots of one host of a type
        """
        hosts, cpus, gpus = self.hosts - len(nodes), self.cpus, self.gpus
        cpus -= sum(node.cpus for node in nodes)
        gpus -= sum(node.gpus for node in nodes)
        total = 0
        for kind in sorted(self.types, key=slots, reverse=True):
            # Ray does not report the type of a node, so nodes with the same resources count.
            up = sum((node.cpus, node.gpus) == (kind.cpus, kind.gpus) for node in nodes)
            count = min(kind.max_count - up, hosts, _quotient(cpus, kind.cpus), _quotient(gpus, kind.gpus))
            if count > 0:
                hosts, cpus, gpus = hosts - count, cpus - count * kind.cpus, gpus - count * kind.gpus
                total += count * slots(kind)
        return total


def _quotient(whole: float, part: float) -> int:
    return int(whole // part) if part else sys.maxsize


@dataclass(frozen=True, slots=True)
class WorkerResources:
    """The share of a node that a worker gets, and the device on which it computes."""

    cpu: float
    gpu: float
    device: Device

    def slots(self, node: Node | NodeType) -> int:
        """Return how many workers fit on the node; a share of a GPU never spans two cards."""
        by_cpu = int(node.cpus * UNITS) // int(self.cpu * UNITS)
        return min(by_cpu, int(node.gpus) * (UNITS // int(self.gpu * UNITS))) if self.gpu else by_cpu


@dataclass(slots=True)
class Capacity:
    """The slots of a changing cluster: nodes join and leave, and some may be excluded.

    list_nodes    returns the nodes that are up
    """

    resources: WorkerResources
    list_nodes: Callable[[], Sequence[Node]]
    limits: AutoscalingLimits
    _up: Sequence[Node] = field(default=(), init=False)
    _nodes: Sequence[Node] = field(default=(), init=False)
    _excluded: dict[str, None] = field(default_factory=dict, init=False)
    _schedulable: frozenset[str] = field(default=frozenset(), init=False)
    _refreshed_at: float = field(default=float("-inf"), init=False)

    def refresh(self) -> None:
        """List the nodes again, no matter how recent the current list is."""
        self._up, self._refreshed_at = self.list_nodes(), time.monotonic()
        self._nodes = [node for node in self._up if node.id not in self._excluded]
        self._schedulable = frozenset(node.id for node in self._nodes if not node.draining)

    def exclude_node(self, node_id: str) -> bool:
        """Exclude a node from now on; return False if it was excluded before."""
        if node_id in self._excluded:
            return False
        self._excluded[node_id] = None
        self.refresh()
        return True

    @property
    def excluded_nodes(self) -> tuple[str, ...]:
        """Return the ids of excluded nodes."""
        return tuple(self._excluded)

    def nodes(self) -> Sequence[Node]:
        """Return the nodes that are up and not excluded; the list is at most `REFRESH_SECONDS` old."""
        if time.monotonic() - self._refreshed_at >= REFRESH_SECONDS:
            self.refresh()
        return self._nodes

    def schedulable_nodes(self) -> frozenset[str]:
        """Return the ids of the nodes that are neither excluded nor draining."""
        self.nodes()
        return self._schedulable

    def slots(self) -> int:
        """Return how many workers fit on the schedulable nodes."""
        return sum(self.resources.slots(node) for node in self.nodes() if not node.draining)

    def headroom(self) -> int:
        """Return how many more workers would fit if the autoscaler started every host that it may.

        Excluded nodes are up, so the autoscaler starts no replacement for them.
        """
        self.nodes()
        return self.limits.headroom(self._up, self.resources.slots)
