"""How far a sweep has come."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tcray.search.plan import Plan
from tcray.search.repeat import Repeat
from tcray.search.run_history import RunHistory, worth


@dataclass(frozen=True, slots=True)
class Best:
    """The best objective of a complete run, and the cell that has it."""

    value: float
    cell: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Runs by what became of them, epochs, and the best of each dataset that has a complete run.

    planned         falls when a search ends before its trials, or leaves nothing to confirm
    waiting         segments that could be trained now; a run may also wait for its rung, or not be proposed yet
    epochs_to_do    expected, if every rung keeps one run in η
    ended_in        how many runs ended, by the name of the pack that trained them last
    notes           searches that ended early and why, a line each
    """

    planned: int
    complete: int
    pruned: int
    failed: int
    in_flight: int
    waiting: int
    epochs_done: int
    epochs_to_do: float
    best: Mapping[str, Best]
    ended_in: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def ended(self) -> int:
        """Runs that are over, however they ended."""
        return self.complete + self.pruned + self.failed


def progress(plan: Plan, repeats: Iterable[Repeat], *, in_flight: int, waiting: int) -> Progress:
    """The progress of these repeats, which are all of the plan's."""
    repeats = list(repeats)
    courses = [course for repeat in repeats for course in repeat.courses]
    unproposed = [(_trials_left(plan, repeat), _confirms_left(plan, repeat)) for repeat in repeats]
    trials, confirms = (sum(counts) for counts in zip(*unproposed, strict=True))
    to_do = trials * plan.rungs.expected_epochs() + confirms * plan.rungs.epochs
    ended = Counter(course.state for course in courses)
    return Progress(
        planned=len(courses) + trials + confirms,
        complete=ended["COMPLETE"],
        pruned=ended["PRUNED"],
        failed=ended["FAILED"],
        in_flight=in_flight,
        waiting=waiting,
        epochs_done=sum(course.measured[-1].epoch for course in courses if course.measured),
        epochs_to_do=to_do + sum(_epochs_left(course) for course in courses if course.state is None),
        best=_best(plan, courses),
        ended_in=Counter(course.measured[-1].circumstances.pack for course in courses if course.state is not None),
        notes=tuple(note for repeat in repeats for note in _notes(repeat)),
    )


def _trials_left(plan: Plan, repeat: Repeat) -> int:
    return min(repeat.to_propose, plan.trials_in(repeat.cell) - len(repeat.searching)) if repeat.to_propose else 0


def _confirms_left(plan: Plan, repeat: Repeat) -> int:
    return 0 if repeat.confirming or repeat.barren else len(plan.confirm_seeds(repeat.index))


def _epochs_left(course: RunHistory) -> float:
    if course.key.phase == "confirm":
        return course.run.epochs - course.position
    waits = course.awaits_verdict
    expected = course.rungs.expected_epochs(course.position)
    return expected / course.rungs.reduction_factor if waits else expected


def _best(plan: Plan, courses: Iterable[RunHistory]) -> dict[str, Best]:
    best: dict[str, Best] = {}
    for course in courses:
        if course.state != "COMPLETE" or not math.isfinite(course.objective):
            continue
        found = best.get(course.run.dataset)
        if found is None or worth(course.objective, maximize=plan.maximize) > worth(
            found.value, maximize=plan.maximize
        ):
            best[course.run.dataset] = Best(course.objective, course.key.cell)
    return best


def _notes(repeat: Repeat) -> Iterator[str]:
    where = f"{repeat.cell.key}, repeat {repeat.index}"
    if repeat.closed:
        yield f"{where}: the search ended after {len(repeat.searching)} trials: {repeat.closed}"
    if repeat.barren:
        yield f"{where}: nothing is confirmed, since no trial has an objective"
