"""Where the levels of a factor stand on an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes

from tcray.results.display.labels import format_level

WIDE = 6.0
"""Positive levels are spaced by their logarithm where the largest is this many times the smallest."""


@dataclass(frozen=True, slots=True)
class LevelAxis:
    """The levels of a factor and their places: even steps, unless they are numbers that tell better distances."""

    levels: tuple[Any, ...]
    places: tuple[float, ...]

    @classmethod
    def of(cls, levels: Sequence[Any]) -> LevelAxis:
        """Numbers at their value, or its logarithm; even steps for words, and for a range of zero and magnitudes."""
        levels = tuple(levels)
        if len(levels) > 1 and all(isinstance(level, int | float) for level in levels):
            positive = [level for level in levels if level > 0]
            wide = max(positive, default=1.0) > WIDE * min(positive, default=1.0)
            if len(positive) == len(levels) and wide:
                return cls(levels, tuple(math.log2(level) for level in levels))
            if not wide or max(levels) <= 1:
                return cls(levels, tuple(float(level) for level in levels))
        return cls(levels, tuple(float(place) for place in range(len(levels))))

    def place(self, level: Any) -> float:
        """Of one level."""
        return self.places[self.levels.index(level)]

    @property
    def step(self) -> float:
        """The least distance between two of them."""
        ordered = sorted(self.places)
        return min((b - a for a, b in pairwise(ordered)), default=1.0)

    def edges(self, chosen: Sequence[Any]) -> tuple[float, float]:
        """The stretch of axis that belongs to neighbouring levels: to half-way to the next on either side."""
        ordered = sorted(self.places)
        places = sorted(self.place(level) for level in chosen)
        first, last = ordered.index(places[0]), ordered.index(places[-1])
        low = (ordered[first - 1] + places[0]) / 2 if first else places[0] - self.step / 2
        high = (ordered[last + 1] + places[-1]) / 2 if last + 1 < len(ordered) else places[-1] + self.step / 2
        return low, high

    def draw(self, axes: Axes) -> None:
        """Ticks at the levels, and a little room on both sides."""
        axes.set_xticks(self.places, [format_level(level) for level in self.levels])
        room = 0.06 * ((max(self.places) - min(self.places)) or 1.0)
        axes.set_xlim(min(self.places) - room, max(self.places) + room)
