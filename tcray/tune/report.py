"""What a worker says of a pack: what came of its runs, or why nothing did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tcray.search.queue import Execution
from tcray.store.outcome import Outcome

Failure = Literal["crash", "store", "start"]


@dataclass(frozen=True, slots=True)
class Report:
    """Either an outcome for each run of the pack, in its order, or a failure and its reason in words.

    crash       training raised an exception
    store       the trial store could not be read or written
    start       the worker could not begin to work, whatever the pack

    together    most runs that were trained at a time: fewer than the pack has where memory does not hold them all
    arithmetic  what else than the runs their bits depend on, as `torch 2.13.0 with AVX512`
    relayed     whether states and weights went through the driver's host, since the worker's does not see the store
    """

    execution: Execution
    outcomes: tuple[Outcome, ...] = ()
    failure: Failure | None = None
    reason: str = ""
    together: int = 0
    arithmetic: str = ""
    relayed: bool = False

    @property
    def seconds(self) -> float:
        """The pack's wall time."""
        return (self.execution.ended_at - self.execution.started_at).total_seconds()
