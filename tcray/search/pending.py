"""The segments that wait to be trained, and the packs that are taken from them."""

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

    A `bisected` pack is part of one whose process died. It is handed out unchanged, so that the run that kills its
    process ends up alone.
    """

    number: int
    segments: tuple[Segment, ...]
    bisected: bool = False

    @property
    def signature(self) -> Signature:
        """The signature shared by all segments: everything on which the shapes of their tensors depend."""
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
    """Pending segments, grouped by what may share a pack; oldest first within a group and between groups."""

    def __init__(self) -> None:
        """Start empty."""
        self._groups: dict[Any, list[tuple[int, Segment]]] = {}
        """Heaps of segments by age."""
        self._bisected: deque[tuple[Segment, ...]] = deque()
        self._ages: dict[tuple[RunKey, int], int] = {}
        self._clock = count()
        self._numbers = count(1)

    def __len__(self) -> int:
        """Return the number of pending segments."""
        return sum(self.count_by_signature().values())

    def count_by_signature(self) -> Mapping[Signature, int]:
        """Return the number of pending segments of each signature."""
        counts: Counter[Signature] = Counter()
        for group, heap in self._groups.items():
            counts[group[0]] += len(heap)
        for segments in self._bisected:
            counts[segments[0].run.signature] += len(segments)
        return counts

    def add(self, segment: Segment) -> None:
        """Add a segment; one that was pending before returns to its old place."""
        group = (segment.run.signature, segment.start, segment.stop, segment.confirm)
        key = (segment.key, segment.start)
        age = self._ages[key] if key in self._ages else self._ages.setdefault(key, next(self._clock))
        heapq.heappush(self._groups.setdefault(group, []), (age, segment))

    def peek(self) -> Signature | None:
        """Return the signature of the pack that `take` would return; None if nothing is pending."""
        if self._bisected:
            return self._bisected[0][0].run.signature
        return self._groups[self._oldest_group()][0][1].run.signature if self._groups else None

    def take(self, limit: int) -> Pack | None:
        """Remove and return the oldest segments of the group with the oldest of all, at most `limit`; None if empty."""
        if self._bisected:
            together = self._bisected.popleft()
            if together[limit:]:
                self._bisected.appendleft(together[limit:])
            return Pack(next(self._numbers), together[:limit], bisected=True)
        if not self._groups:
            return None
        group = self._oldest_group()
        heap = self._groups[group]
        segments = tuple(heapq.heappop(heap)[1] for _ in range(min(limit, len(heap))))
        if not heap:
            del self._groups[group]
        return Pack(next(self._numbers), segments)

    def requeue(self, pack: Pack) -> None:
        """Put the segments of a pack back in their old places."""
        if pack.bisected:
            self._bisected.appendleft(pack.segments)
        else:
            for segment in pack.segments:
                self.add(segment)

    def bisect(self, pack: Pack) -> None:
        """Put the halves of a pack first, not to be joined with other segments; a lone segment stays whole."""
        for half in reversed(_split_in_half(pack.segments)):
            self._bisected.appendleft(half)

    def _oldest_group(self) -> Any:
        return min(self._groups, key=lambda group: self._groups[group][0][0])


def _split_in_half(segments: Sequence[Segment]) -> list[tuple[Segment, ...]]:
    middle = (len(segments) + 1) // 2
    return [tuple(half) for half in (segments[:middle], segments[middle:]) if half]
