"""Positions of the levels of a factor on an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes

from tcray.results.display.labels import format_level

WIDE = 6.0
"""Positive levels are spaced by their logarithm if the largest is more than this many times the smallest."""


@dataclass(frozen=True, slots=True)
class LevelAxis:
    """The levels of a factor and their positions on an axis."""

    levels: tuple[Any, ...]
    positions: tuple[float, ...]

    @classmethod
    def of(cls, levels: Sequence[Any]) -> LevelAxis:
        """Return the axis of levels: numbers at their value or its logarithm, other levels at even steps.

        Numbers over a wide range that includes zero are also at even steps, unless all are at most 1.
        """
        levels = tuple(levels)
        if len(levels) > 1 and all(isinstance(level, int | float) for level in levels):
            positive = [level for level in levels if level > 0]
            wide = max(positive, default=1.0) > WIDE * min(positive, default=1.0)
            if len(positive) == len(levels) and wide:
                return cls(levels, tuple(math.log2(level) for level in levels))
            if not wide or max(levels) <= 1:
                return cls(levels, tuple(float(level) for level in levels))
        return cls(levels, tuple(float(position) for position in range(len(levels))))

    def position(self, level: Any) -> float:
        """Return the position of one level."""
        return self.positions[self.levels.index(level)]

    @property
    def step(self) -> float:
        """The smallest distance between two levels."""
        ordered = sorted(self.positions)
        return min((b - a for a, b in pairwise(ordered)), default=1.0)

    def edges(self, chosen: Sequence[Any]) -> tuple[float, float]:
        """Return the ends of the stretch of neighboring levels, each halfway to the next level outside it."""
        ordered = sorted(self.positions)
        positions = sorted(self.position(level) for level in chosen)
        first, last = ordered.index(positions[0]), ordered.index(positions[-1])
        low = (ordered[first - 1] + positions[0]) / 2 if first else positions[0] - self.step / 2
        high = (ordered[last + 1] + positions[-1]) / 2 if last + 1 < len(ordered) else positions[-1] + self.step / 2
        return low, high

    def apply(self, axes: Axes) -> None:
        """Set the ticks at the levels, and limits with a little padding on both sides."""
        axes.set_xticks(self.positions, [format_level(level) for level in self.levels])
        padding = 0.06 * ((max(self.positions) - min(self.positions)) or 1.0)
        axes.set_xlim(min(self.positions) - padding, max(self.positions) + padding)
