"""Status of every host that took part in a sweep: its slots, its packs, and its throughput."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tcray.store.driver_status import Host
from tcray.tune.capacity import Node

RATE_SECONDS = 600.0
"""Window over which the throughput of a host is measured; shorter for a host that joined later."""

MIN_RATE_SECONDS = 60.0
"""No throughput is reported before this time."""

SAMPLE_SECONDS = 10.0


@dataclass(slots=True)
class RunRate:
    """Runs per hour, from samples of the number of ended runs."""

    _samples: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, runs: int) -> None:
        """Add a sample: the number of runs that have ended so far."""
        now = time.monotonic()
        if not self._samples or now - self._samples[-1][0] >= SAMPLE_SECONDS:
            self._samples.append((now, runs))
        while len(self._samples) > 1 and self._samples[1][0] <= now - RATE_SECONDS:
            self._samples.popleft()

    def per_hour(self, runs: int) -> float | None:
        """Return the current rate; None if measured too briefly, which takes longer as long as no run has ended."""
        since, before = self._samples[0]
        seconds = time.monotonic() - since
        if seconds < (MIN_RATE_SECONDS if runs else RATE_SECONDS):
            return None
        return (runs - before) / seconds * 3600


@dataclass(slots=True)
class HostTracker:
    """All hosts that ever had a slot. A name and an address identify a host, even if Ray gives it several node ids.

    slots   returns the number of packs that fit on a node
    """

    slots: Callable[[Node], int]
    _node_ids: dict[tuple[str, str], set[str]] = field(default_factory=dict, init=False)
    _rates: dict[tuple[str, str], RunRate] = field(default_factory=dict, init=False)

    def update(self, nodes: Sequence[Node], packs: Mapping[str, int], runs: Mapping[str, int]) -> tuple[Host, ...]:
        """Return the status of the hosts, sorted by name; hosts that are gone come last.

        nodes   the nodes that are up
        packs   number of packs in training, by node id
        runs    number of ended runs, by node id
        """
        up: dict[tuple[str, str], list[Node]] = {}
        for node in nodes:
            up.setdefault((node.name, node.address), []).append(node)
        for key, host_nodes in up.items():
            if key in self._node_ids or any(map(self.slots, host_nodes)):
                self._node_ids.setdefault(key, set()).update(node.id for node in host_nodes)
        hosts = [self._status(key, up.get(key, ()), packs, runs) for key in self._node_ids]
        return tuple(sorted(hosts, key=lambda host: (host.state == "gone", host.name, host.address)))

    def _status(
        self, key: tuple[str, str], nodes: Sequence[Node], packs: Mapping[str, int], runs: Mapping[str, int]
    ) -> Host:
        ended = sum(runs.get(node_id, 0) for node_id in self._node_ids[key])
        rate = self._rates.setdefault(key, RunRate())
        rate.add(ended)
        return Host(
            *key,
            state="gone" if not nodes else "leaving" if all(node.draining for node in nodes) else "up",
            slots=sum(map(self.slots, nodes)),
            packs=sum(packs.get(node.id, 0) for node in nodes),
            runs=ended,
            per_hour=rate.per_hour(ended) if nodes else None,
        )
