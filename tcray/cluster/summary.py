"""What a cluster file would bring up: which machines, how many of them, and how many packs they hold at a time."""

from __future__ import annotations

from dataclasses import dataclass

from tcray.cluster.cluster_file import SPOT_FIRST, ClusterFile
from tcray.cluster.node_types import NodeType, node_types

CPU, GPU = 1.0, 0.25
"""What a pack takes here: a share of a card that suits these models, and one CPU to feed it."""


@dataclass(frozen=True, slots=True)
class ClusterSummary:
    """A cluster of a cloud."""

    types: tuple[NodeType, ...]
    workers: int
    """At most, of all types together."""
    stands_in: bool
    """Whether machines on demand take the place of spot machines that there are not."""

    @classmethod
    def of(cls, file: ClusterFile) -> ClusterSummary:
        """The outline of a file with which nothing is wrong."""
        most = file.value("max_workers")
        types = node_types(file)
        workers = [kind.most for kind in types if not kind.is_head]
        at_most = most if isinstance(most, int) else sum(workers)
        return cls(types, min(at_most, sum(workers)), file.value("provider", "module") == SPOT_FIRST)

    @property
    def share(self) -> float:
        """What a pack takes of a card: nothing where no type has one."""
        return GPU if any(kind.has("GPU") for kind in self.types) else 0.0

    def packs(self, kind: NodeType) -> int | None:
        """How many packs one machine holds at a time; None where that is not known."""
        return kind.packs(CPU, self.share)

    @property
    def most_packs(self) -> int | None:
        """How many packs all machines that there may be hold at a time; None where that is not known of one of them."""
        packs = {kind.name: self.packs(kind) for kind in self.types}
        if None in packs.values():
            return None
        counts = {name: count or 0 for name, count in packs.items()}
        total, left = sum(counts[kind.name] for kind in self.types if kind.is_head), self.workers
        for kind in sorted(self.types, key=lambda kind: counts[kind.name], reverse=True):
            if not kind.is_head:
                number = min(kind.most, left)
                total, left = total + number * counts[kind.name], left - number
        return total
