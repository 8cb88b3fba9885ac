"""The line in which segments wait to be trained, and the packs that are taken from it."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from tcray.search.run_history import Segment
from tcray.store.keys import RunKey

Signature = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """Segments that are trained together: of one signature, from one epoch to one other, all confirm or none.

    An `isolated` pack is part of one that died; it is given out as it is, so that the culprit ends up alone.
    """

    number: int
    segments: tuple[Segment, ...]
    isolated: bool = False

    @property
    def signature(self) -> Signature:
        """What the tensors' shapes depend on."""
        return self.segments[0].run.signature

    @property
    def start(self) -> int:
        """The epoch that every segment starts from."""
        return self.segments[0].start

    @property
    def stop(self) -> int:
        """The epoch that every segment is trained to."""
        return self.segments[0].stop


class PendingRuns:
    """Segments by kind, each kind in the order in which they first came; the kind whose eldest is oldest goes first."""

    def __init__(self) -> None:
        """Begins with nobody in line."""
        self._kinds: dict[Any, list[tuple[int, Segment]]] = {}
        self._isolated: deque[tuple[Segment, ...]] = deque()
        self._ages: dict[tuple[RunKey, int], int] = {}
        self._clock = count()
        self._numbers = count(1)

    def __len__(self) -> int:
        """How many segments wait."""
        return sum(self.waiting().values())

    def waiting(self) -> Mapping[Signature, int]:
        """How many segments of each signature wait."""
        waiting: Counter[Signature] = Counter()
        for kind, heap in self._kinds.items():
            waiting[kind[0]] += len(heap)
        for segments in self._isolated:
            waiting[segments[0].run.signature] += len(segments)
        return waiting

    def add(self, segment: Segment) -> None:
        """Puts a segment in line; one that stood there before takes its old place."""
        kind = (segment.run.signature, segment.start, segment.stop, segment.confirm)
        key = (segment.key, segment.start)
        age = self._ages[key] if key in self._ages else self._ages.setdefault(key, next(self._clock))
        heapq.heappush(self._kinds.setdefault(kind, []), (age, segment))

    def take(self, limit: int) -> Pack | None:
        """The oldest segments of the kind with the oldest of all, at most `limit`; None if nobody waits."""
        if self._isolated:
            together = self._isolated.popleft()
            if together[limit:]:
                self._isolated.appendleft(together[limit:])
            return Pack(next(self._numbers), together[:limit], isolated=True)
        if not self._kinds:
            return None
        kind = min(self._kinds, key=lambda kind: self._kinds[kind][0][0])
        heap = self._kinds[kind]
        segments = tuple(heapq.heappop(heap)[1] for _ in range(min(limit, len(heap))))
        if not heap:
            del self._kinds[kind]
        return Pack(next(self._numbers), segments)

    def give_back(self, pack: Pack) -> None:
        """Puts the segments of a pack where they were."""
        if pack.isolated:
            self._isolated.appendleft(pack.segments)
        else:
            for segment in pack.segments:
                self.add(segment)

    def isolate(self, pack: Pack) -> None:
        """Puts the halves of a pack first in line, not to be joined with others; a lone segment stays as it is."""
        for half in reversed(_halves(pack.segments)):
            self._isolated.appendleft(half)


def _halves(segments: Sequence[Segment]) -> list[tuple[Segment, ...]]:
    middle = (len(segments) + 1) // 2
    return [tuple(half) for half in (segments[:middle], segments[middle:]) if half]
