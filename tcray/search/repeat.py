"""A repeat of a cell: one independent search, wave after wave, and the runs that confirm the selected trial.

Everything here is a function of recorded results: nothing is drawn at random, and nothing is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tcray.search.cells import Cell
from tcray.search.plan import Plan
from tcray.search.run_history import RunHistory, score
from tcray.search.sampler import ObservedTrial
from tcray.store.schema import RETRYABLE


@dataclass(slots=True, eq=False)
class Repeat:
    """One repeat: the histories of its runs, and the state of its search."""

    plan: Plan
    cell: Cell
    index: int
    search_histories: list[RunHistory] = field(default_factory=list)
    """By trial."""
    confirm_histories: list[RunHistory] = field(default_factory=list)
    exhausted: str = ""
    """The reason why no more trials are proposed although the plan has more; empty if the search is not exhausted."""
    nothing_to_confirm: bool = False
    """True if the search is over and no trial has an objective."""

    @property
    def histories(self) -> Iterator[RunHistory]:
        """The histories of all runs, those of the search first."""
        yield from self.search_histories
        yield from self.confirm_histories

    @property
    def waves_proposed(self) -> int:
        """The number of waves proposed so far."""
        return self.search_histories[-1].wave + 1 if self.search_histories else 0

    @property
    def trials_left(self) -> int:
        """The number of trials that the search has yet to propose."""
        return 0 if self.exhausted else self.plan.trials - len(self.search_histories)

    @property
    def next_proposal(self) -> Literal["wave", "confirm"] | None:
        """The kind of runs to propose now; None while the search has unfinished runs, and when all are proposed."""
        if self.nothing_to_confirm or self.confirm_histories or any(h.state is None for h in self.search_histories):
            return None
        if self.trials_left:
            return "wave"
        return "confirm" if self.plan.confirm_seeds(self.index) else None

    @property
    def next_proposal_size(self) -> int:
        """The number of runs in the next proposal; 0 if there is none."""
        match self.next_proposal:
            case "wave":
                return min(self.plan.wave, self.trials_left)
            case "confirm":
                return len(self.plan.confirm_seeds(self.index))
            case None:
                return 0

    def list_trainable(self) -> list[RunHistory]:
        """Return the runs that can be trained further and are neither pending nor in training."""
        return [h for h in self.histories if h.state is None and not h.in_flight and not h.at_rung]

    def prune(self) -> list[RunHistory]:
        """Promote or prune every run whose rung is full, and return these runs, each still at the decided rung."""
        decided: list[RunHistory] = []
        while ready := [h for h in self.search_histories if h.at_rung and self._is_full(h.position, h.wave)]:
            for history in ready:
                history.promotions[history.position] = self._is_promoted(history)
            decided += ready
        return decided

    def _is_full(self, rung: int, wave: int) -> bool:
        """True if every run of this wave and earlier ones has been recorded at the rung, or has ended before it."""
        return all(h.position >= rung or h.state is not None for h in self.search_histories if h.wave <= wave)

    def _is_promoted(self, history: RunHistory) -> bool:
        """True if a run does well enough at its rung, compared with the runs of its own and of earlier waves."""
        rung, maximize = history.position, self.plan.maximize
        compared = [h for h in self.search_histories if h is not history and h.wave <= history.wave]
        others = [score(value, maximize=maximize) for h in compared if (value := h.value_at(rung)) is not None]
        own = score(history.measurements[-1].outcome.value, maximize=maximize)
        return history.rungs.is_promoted(own, others)

    def observations(self) -> list[ObservedTrial]:
        """Return the trials so far, all of which have ended, as the sampler observes them.

        A trial that diverged, or ended without a number, counts as pruned at step 0 with the worst value of all: below
        every trial pruned at a rung, or the sampler would return to its region. A trial that crashed has no value.
        """
        last = [_last_value(history) for history in self.search_histories]
        measured = [value for value in last if math.isfinite(value)]
        worst = min(measured, key=lambda value: score(value, maximize=self.plan.maximize), default=None)
        return [_observe(history, value, worst) for history, value in zip(self.search_histories, last, strict=True)]

    def select_trial(self) -> RunHistory | None:
        """Return the trial to confirm; None if every trial failed, or ended without a number.

        Of the trials that were trained furthest it is the one with the best objective; ties go to the lower number.
        """
        candidates = [history for history in self.search_histories if math.isfinite(history.objective)]
        return max(
            candidates,
            key=lambda h: (h.position, score(h.objective, maximize=self.plan.maximize), -h.key.trial),
            default=None,
        )


def _last_value(history: RunHistory) -> float:
    """Return a complete run's objective, a pruned run's value at its last rung; NaN if there is no number."""
    if history.state == "COMPLETE":
        return history.objective
    return history.measurements[-1].outcome.value if history.state == "PRUNED" else math.nan


def _observe(history: RunHistory, value: float, worst: float | None) -> ObservedTrial:
    configuration = history.run.configuration
    if history.reason in RETRYABLE:
        return ObservedTrial(configuration, "FAIL")
    if not math.isfinite(value):
        return ObservedTrial(configuration, "PRUNED", worst)
    state: Literal["COMPLETE", "PRUNED"] = "COMPLETE" if history.state == "COMPLETE" else "PRUNED"
    return ObservedTrial(configuration, state, value, history.position)
