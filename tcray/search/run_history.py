"""A run's way from rung to rung, as far as the store knows it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tcray.config.run import Run
from tcray.search.rungs import NEVER_AS_GOOD, Rungs
from tcray.store.keys import RunKey
from tcray.store.schema import NO_RESULT

State = Literal["COMPLETE", "PRUNED", "FAILED"]


@dataclass(frozen=True, slots=True)
class Execution:
    """Where and when a pack was trained; `pack` names it, `device` is as `cpu` or `cuda`."""

    host: str
    device: str
    pack: str
    pack_size: int
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Segment:
    """A run to be trained from epoch `start`, which it has reached, to epoch `stop`."""

    key: RunKey
    run: Run
    start: int
    stop: int
    confirm: bool


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one segment left; it is a `value` row of the ledger.

    rung        the epoch the segment was to reach
    epoch       the epoch it reached
    value       the objective there, as measured; NaN where there is none
    metrics     at the best epoch so far
    """

    rung: int
    epoch: int
    state: Literal["TRAINED", "FAILED"]
    reason: str
    value: float
    best_epoch: int
    metrics: Mapping[str, float]
    seconds: float
    circumstances: Execution


@dataclass(slots=True)
class RunHistory:
    """A run under its key, with all that was measured of it and decided about it."""

    key: RunKey
    wave: int
    run: Run
    rungs: Rungs
    measured: list[Measurement] = field(default_factory=list)
    verdicts: dict[int, bool] = field(default_factory=dict)
    """Whether it goes on, by rung; a confirm run is never judged."""
    under_way: bool = False
    """Its next segment waits to be trained, or is being trained."""
    recorded: bool = False
    """The store has its row in `runs`."""

    @property
    def position(self) -> int:
        """The epoch up to which it has been trained and recorded; where a failed segment was to end."""
        return self.measured[-1].rung if self.measured else 0

    @property
    def reason(self) -> str:
        """Why it failed; empty if it did not."""
        return self.measured[-1].reason if self.measured and self.measured[-1].state == "FAILED" else ""

    @property
    def state(self) -> State | None:
        """How it ended; None while it has not."""
        if self.measured and self.measured[-1].state == "FAILED":
            return "FAILED"
        if self.position == self.run.epochs:
            return "COMPLETE"
        return "PRUNED" if self.verdicts.get(self.position) is False else None

    @property
    def awaits_verdict(self) -> bool:
        """Whether it stands at a rung, undecided."""
        return (
            self.key.phase == "search"
            and self.state is None
            and self.position in self.rungs.at
            and self.position not in self.verdicts
        )

    def segment(self) -> Segment:
        """What is to be trained of it next."""
        start = self.position
        return Segment(self.key, self.run, start, self.rungs.stop_after(start), self.key.phase == "confirm")

    def value_at(self, rung: int) -> float | None:
        """The objective it had at a rung, NaN if it diverged on the way; None if it never came there, or crashed."""
        return next((m.value for m in self.measured if m.rung == rung and m.reason not in NO_RESULT), None)

    @property
    def objective(self) -> float:
        """The objective at its best epoch; NaN where there is none, or it failed."""
        if not self.measured or self.state == "FAILED":
            return math.nan
        return self.measured[-1].metrics.get(self.run.objective, math.nan)


def worth(value: float, *, maximize: bool) -> float:
    """A measured objective turned so that larger is better; what is no number is worth less than any number."""
    return (value if maximize else -value) if math.isfinite(value) else NEVER_AS_GOOD
