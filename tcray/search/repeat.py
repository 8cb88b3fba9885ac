"""A repeat of a cell: one independent search, wave after wave, and the runs that confirm what it chose.

Everything here is a function of what has been recorded: nothing is drawn, and nothing is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tcray.search.cells import Cell
from tcray.search.plan import Plan
from tcray.search.run_history import RunHistory, worth
from tcray.search.sampler import ObservedTrial
from tcray.store.schema import NO_RESULT


@dataclass(slots=True, eq=False)
class Repeat:
    """One repeat: its courses, and how far it has come."""

    plan: Plan
    cell: Cell
    index: int
    searching: list[RunHistory] = field(default_factory=list)
    """By trial."""
    confirming: list[RunHistory] = field(default_factory=list)
    closed: str = ""
    """Why no more is proposed, where that is before the plan's trials."""
    barren: bool = False
    """The search is over, and there is nothing to confirm."""

    @property
    def courses(self) -> Iterator[RunHistory]:
        """All of them, those of the search first."""
        yield from self.searching
        yield from self.confirming

    @property
    def waves(self) -> int:
        """How many waves have been proposed."""
        return self.searching[-1].wave + 1 if self.searching else 0

    @property
    def to_propose(self) -> int:
        """How many trials of the search have not been proposed yet."""
        return 0 if self.closed else self.plan.trials - len(self.searching)

    @property
    def due(self) -> Literal["wave", "confirm"] | None:
        """What is to be proposed next; None if the search is under way, or nothing is left to propose."""
        if self.barren or self.confirming or any(course.state is None for course in self.searching):
            return None
        if self.to_propose:
            return "wave"
        return "confirm" if self.plan.confirm_seeds(self.index) else None

    @property
    def runs_due(self) -> int:
        """How many runs are to be proposed next."""
        match self.due:
            case "wave":
                return min(self.plan.wave, self.to_propose)
            case "confirm":
                return len(self.plan.confirm_seeds(self.index))
            case None:
                return 0

    def ready(self) -> list[RunHistory]:
        """The courses that can be trained further and are not under way."""
        return [c for c in self.courses if c.state is None and not c.under_way and not c.awaits_verdict]

    def judge(self) -> list[RunHistory]:
        """Decides on every run whose rung is full, and returns them; each stands at the rung that it was judged at."""
        judged: list[RunHistory] = []
        while found := [c for c in self.searching if c.awaits_verdict and self._is_full(c.position, c.wave)]:
            for course in found:
                course.verdicts[course.position] = self._goes_on(course)
            judged += found
        return judged

    def _is_full(self, rung: int, wave: int) -> bool:
        """Whether every run of this wave and those before that reaches the rung is recorded there."""
        return all(c.position >= rung or c.state is not None for c in self.searching if c.wave <= wave)

    def _goes_on(self, course: RunHistory) -> bool:
        rung = course.position
        values = [c.value_at(rung) for c in self.searching if c is not course and c.wave <= course.wave]
        others = [worth(value, maximize=self.plan.maximize) for value in values if value is not None]
        return course.rungs.goes_on(worth(course.measured[-1].value, maximize=self.plan.maximize), others)

    def told(self) -> list[ObservedTrial]:
        """What Optuna hears of the trials so far, all of which have ended.

        One that diverged, or ended without a number, is pruned at step 0 with the worst value of all: below every trial
        pruned at a rung, or the sampler would go back there. One that crashed was never measured.
        """
        last = [_last_value(course) for course in self.searching]
        measured = [value for value in last if math.isfinite(value)]
        worst = min(measured, key=lambda value: worth(value, maximize=self.plan.maximize), default=None)
        return [_told(course, value, worst) for course, value in zip(self.searching, last, strict=True)]

    def chosen(self) -> RunHistory | None:
        """The trial to confirm: of those that came furthest the one with the best objective, ties to the lower number.

        None if every trial failed, or ended without a number.
        """
        candidates = [course for course in self.searching if math.isfinite(course.objective)]
        return max(
            candidates,
            key=lambda c: (c.position, worth(c.objective, maximize=self.plan.maximize), -c.key.trial),
            default=None,
        )


def _last_value(course: RunHistory) -> float:
    """A complete run's objective, a pruned one's value at its last rung; NaN where there is no number."""
    if course.state == "COMPLETE":
        return course.objective
    return course.measured[-1].value if course.state == "PRUNED" else math.nan


def _told(course: RunHistory, value: float, worst: float | None) -> ObservedTrial:
    configuration = course.run.configuration
    if course.reason in NO_RESULT:
        return ObservedTrial(configuration, "FAIL")
    if not math.isfinite(value):
        return ObservedTrial(configuration, "PRUNED", worst)
    return ObservedTrial(configuration, "COMPLETE" if course.state == "COMPLETE" else "PRUNED", value, course.position)
