"""The hosts of a cluster as a driver sees them: which are there, what they hold, and what they have done."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tcray.store.driver_status import Host
from tcray.tune.nodes import Node

RATE_SECONDS = 600.0
"""A host's pace is that of the last minutes; of its first minutes, as long as there are no more."""

FIRST_SECONDS = 60.0
"""So long nothing is said of a host's pace."""

SAMPLE_SECONDS = 10.0


@dataclass(slots=True)
class Pace:
    """Runs an hour, from how many had ended at what time."""

    _samples: deque[tuple[float, int]] = field(default_factory=deque)

    def heard(self, runs: int) -> None:
        """So many have ended by now."""
        now = time.monotonic()
        if not self._samples or now - self._samples[-1][0] >= SAMPLE_SECONDS:
            self._samples.append((now, runs))
        while len(self._samples) > 1 and self._samples[1][0] <= now - RATE_SECONDS:
            self._samples.popleft()

    def per_hour(self, runs: int) -> float | None:
        """The pace up to now; None after too short a time, which is longer where no run has ended yet."""
        since, before = self._samples[0]
        seconds = time.monotonic() - since
        if seconds < (FIRST_SECONDS if runs else RATE_SECONDS):
            return None
        return (runs - before) / seconds * 3600


@dataclass(slots=True)
class Hosts:
    """Remembers every host that ever had a slot. It is a name and an address, however many nodes Ray had there.

    slots   how many packs a node holds at a time
    """

    slots: Callable[[Node], int]
    _ids: dict[tuple[str, str], set[str]] = field(default_factory=dict, init=False)
    _paces: dict[tuple[str, str], Pace] = field(default_factory=dict, init=False)

    def look(self, nodes: Sequence[Node], packs: Mapping[str, int], runs: Mapping[str, int]) -> tuple[Host, ...]:
        """The hosts, by name, those that are gone last.

        nodes   that are up
        packs   under way on a node, by its id
        runs    that have ended on a node, by its id
        """
        up: dict[tuple[str, str], list[Node]] = {}
        for node in nodes:
            up.setdefault((node.name, node.address), []).append(node)
        for place, there in up.items():
            if place in self._ids or any(map(self.slots, there)):
                self._ids.setdefault(place, set()).update(node.id for node in there)
        hosts = [self._host(place, up.get(place, ()), packs, runs) for place in self._ids]
        return tuple(sorted(hosts, key=lambda host: (host.state == "gone", host.name, host.address)))

    def _host(
        self, place: tuple[str, str], nodes: Sequence[Node], packs: Mapping[str, int], runs: Mapping[str, int]
    ) -> Host:
        ended = sum(runs.get(node_id, 0) for node_id in self._ids[place])
        pace = self._paces.setdefault(place, Pace())
        pace.heard(ended)
        return Host(
            *place,
            state="gone" if not nodes else "leaving" if all(node.draining for node in nodes) else "up",
            slots=sum(map(self.slots, nodes)),
            packs=sum(packs.get(node.id, 0) for node in nodes),
            runs=ended,
            per_hour=pace.per_hour(ended) if nodes else None,
        )
