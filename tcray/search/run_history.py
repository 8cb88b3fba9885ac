"""The history of a run: the segments of epochs it was trained in, and the decisions taken at its rungs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from tcray.config.run import Run
from tcray.search.rungs import WORST_SCORE, Rungs
from tcray.store.keys import RunKey
from tcray.store.outcome import Outcome
from tcray.store.schema import RETRYABLE

State = Literal["COMPLETE", "PRUNED", "FAILED"]


@dataclass(frozen=True, slots=True)
class Execution:
    """The place and time of a pack's training; `pack` is the pack's name, `device` is `cpu` or `cuda`."""

    host: str
    device: str
    pack: str
    pack_size: int
    started_at: datetime
    ended_at: datetime

    def as_row(self) -> dict[str, Any]:
        """Return the columns that the tables `ledger` and `runs` share; each table names the time of the end itself."""
        return {
            "started_at": self.started_at,
            "pack": self.pack,
            "pack_size": self.pack_size,
            "host": self.host,
            "device": self.device,
        }


@dataclass(frozen=True, slots=True)
class Segment:
    """A run to train from epoch `start`, which it has reached, to epoch `stop`."""

    key: RunKey
    run: Run
    start: int
    stop: int
    confirm: bool


@dataclass(frozen=True, slots=True)
class Measurement:
    """The result of one segment: its outcome and its execution; stored as a `value` row of the ledger.

    rung      the epoch that the segment was to reach; `outcome.epoch` is the epoch that it did reach
    outcome   without curve, evaluations and spectra (`Outcome.summary`)
    """

    rung: int
    outcome: Outcome
    execution: Execution

    def as_row(self) -> dict[str, Any]:
        """Return the measurement as columns of the ledger; an objective that is not a number becomes null."""
        outcome = self.outcome
        return {
            "rung": self.rung,
            "state": outcome.state,
            "reason": outcome.reason,
            "epoch": outcome.epoch,
            "value": None if math.isnan(outcome.value) else outcome.value,
            "best_epoch": outcome.best_epoch,
            "metrics": outcome.metrics,
            "seconds": outcome.seconds,
            **self.execution.as_row(),
            "at": self.execution.ended_at,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Measurement:
        """Return the measurement in a `value` row of the ledger: the inverse of `as_row`."""
        outcome = Outcome(
            state=row["state"],
            reason=row["reason"],
            epoch=row["epoch"],
            value=math.nan if row["value"] is None else row["value"],
            best_epoch=row["best_epoch"],
            metrics=dict(row["metrics"]),
            seconds=row["seconds"],
        )
        execution = Execution(row["host"], row["device"], row["pack"], row["pack_size"], row["started_at"], row["at"])
        return cls(row["rung"], outcome, execution)


@dataclass(slots=True)
class RunHistory:
    """A run, the measurements of its segments in order, and the decisions at its rungs."""

    key: RunKey
    wave: int
    run: Run
    rungs: Rungs
    measurements: list[Measurement] = field(default_factory=list)
    promotions: dict[int, bool] = field(default_factory=dict)
    """True (promoted) or False (pruned) by rung; a confirm run is never compared, so it has none."""
    in_flight: bool = False
    """True while the next segment is pending or in training."""
    recorded: bool = False
    """True once the store has the run's row in `runs`."""

    @property
    def position(self) -> int:
        """The epoch up to which the run has been trained and recorded; for a failed run, the end of that segment."""
        return self.measurements[-1].rung if self.measurements else 0

    @property
    def reason(self) -> str:
        """The reason why the run failed; empty if it did not fail."""
        return self.measurements[-1].outcome.reason if self.measurements else ""

    @property
    def state(self) -> State | None:
        """The run's final state; None if the run has not ended."""
        if self.measurements and self.measurements[-1].outcome.state == "FAILED":
            return "FAILED"
        if self.position == self.run.epochs:
            return "COMPLETE"
        return "PRUNED" if self.promotions.get(self.position) is False else None

    @property
    def at_rung(self) -> bool:
        """True if the run waits at a rung for the decision to promote or prune it."""
        return (
            self.key.phase == "search"
            and self.state is None
            and self.position in self.rungs.milestones
            and self.position not in self.promotions
        )

    def next_segment(self) -> Segment:
        """Return the segment to train next: from the present position to the next rung, or to the last epoch."""
        start = self.position
        return Segment(self.key, self.run, start, self.rungs.next_stop(start), self.key.phase == "confirm")

    def value_at(self, rung: int) -> float | None:
        """Return the objective at a rung: NaN if the run diverged before it, None if it crashed or never got there."""
        return next(
            (m.outcome.value for m in self.measurements if m.rung == rung and m.outcome.reason not in RETRYABLE), None
        )

    @property
    def objective(self) -> float:
        """The objective at the best epoch; NaN if there is none, or if the run failed."""
        if not self.measurements or self.state == "FAILED":
            return math.nan
        return self.measurements[-1].outcome.metrics.get(self.run.objective, math.nan)


def score(value: float, *, maximize: bool) -> float:
    """Return an objective turned so that larger is better; `WORST_SCORE` if it is not a finite number."""
    return (value if maximize else -value) if math.isfinite(value) else WORST_SCORE
