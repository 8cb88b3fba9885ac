"""Summary of a cloud cluster file: node types, number of nodes, and packs at a time."""

from __future__ import annotations

from dataclasses import dataclass

from tcray.cluster.cluster_file import SPOT_FIRST, ClusterFile
from tcray.cluster.node_types import NodeType, read_node_types

CPUS_PER_PACK, GPUS_PER_PACK = 1.0, 0.25
"""Resources of a pack, as assumed here: a quarter of a GPU suits these models, and one CPU feeds it."""


@dataclass(frozen=True, slots=True)
class ClusterSummary:
    """The nodes that a cluster file can start in a cloud."""

    types: tuple[NodeType, ...]
    workers: int
    """Maximum over all node types together."""
    uses_spot_first: bool
    """True if on-demand instances replace spot instances for which there is no capacity."""

    @classmethod
    def from_file(cls, file: ClusterFile) -> ClusterSummary:
        """Return the summary of a valid file."""
        most = file.value("max_workers")
        types = read_node_types(file)
        workers = sum(node_type.max_workers for node_type in types if not node_type.is_head)
        at_most = most if isinstance(most, int) else workers
        return cls(types, min(at_most, workers), file.value("provider", "module") == SPOT_FIRST)

    @property
    def gpus_per_pack(self) -> float:
        """Return the share of a GPU that a pack takes; 0 if no node type has a GPU."""
        return GPUS_PER_PACK if any(node_type.resource("GPU") for node_type in self.types) else 0.0

    def count_packs(self, node_type: NodeType) -> int | None:
        """Return how many packs one node holds at a time; None if that is not known here."""
        return node_type.count_packs(CPUS_PER_PACK, self.gpus_per_pack)

    @property
    def max_packs(self) -> int | None:
        """Return how many packs the largest possible cluster holds at a time; None if a node type is not known here."""
        packs = {node_type.name: self.count_packs(node_type) for node_type in self.types}
        if None in packs.values():
            return None
        counts = {name: count or 0 for name, count in packs.items()}
        total, left = sum(counts[node_type.name] for node_type in self.types if node_type.is_head), self.workers
        for node_type in sorted(self.types, key=lambda node_type: counts[node_type.name], reverse=True):
            if not node_type.is_head:
                number = min(node_type.max_workers, left)
                total, left = total + number * counts[node_type.name], left - number
        return total
