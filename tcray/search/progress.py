"""The progress of a sweep: counts of runs and epochs, and the best objective so far."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tcray.search.plan import Plan
from tcray.search.repeat import Repeat
from tcray.search.run_history import RunHistory, score


@dataclass(frozen=True, slots=True)
class BestObjective:
    """The best objective of a dataset's complete runs, and the cell of the run that has it."""

    value: float
    cell: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of runs by state, of epochs, and the best objective of each dataset that has a complete run.

    planned         decreases if a search ends before its trials are proposed, or has nothing to confirm
    waiting         pending segments; further runs may wait at a rung, or may not be proposed yet
    epochs_left     expected number, if every rung keeps one run in η
    ended_by_pack   runs that ended, by the name of the pack that trained them last
    notes           one line per search that ended early, with the reason
    """

    planned: int
    complete: int
    pruned: int
    failed: int
    in_flight: int
    waiting: int
    epochs_done: int
    epochs_left: float
    best: Mapping[str, BestObjective]
    ended_by_pack: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def ended(self) -> int:
        """The number of runs that have ended, in any state."""
        return self.complete + self.pruned + self.failed


def measure_progress(plan: Plan, repeats: Iterable[Repeat], *, in_flight: int, waiting: int) -> Progress:
    """Return the progress of a sweep, given all repeats of its plan."""
    repeats = list(repeats)
    histories = [history for repeat in repeats for history in repeat.histories]
    ended = [history for history in histories if history.state is not None]
    states = Counter(history.state for history in ended)
    trials = sum(_count_trials_left(plan, repeat) for repeat in repeats)
    confirms = sum(_count_confirm_runs_left(plan, repeat) for repeat in repeats)
    unproposed = trials * plan.rungs.expected_epochs() + confirms * plan.rungs.epochs
    return Progress(
        planned=len(histories) + trials + confirms,
        complete=states["COMPLETE"],
        pruned=states["PRUNED"],
        failed=states["FAILED"],
        in_flight=in_flight,
        waiting=waiting,
        epochs_done=sum(h.measurements[-1].outcome.epoch for h in histories if h.measurements),
        epochs_left=unproposed + sum(_expected_epochs_left(h) for h in histories if h.state is None),
        best=_find_best(plan, histories),
        ended_by_pack=Counter(history.measurements[-1].execution.pack for history in ended),
        notes=tuple(note for repeat in repeats for note in _list_notes(repeat)),
    )


def _count_trials_left(plan: Plan, repeat: Repeat) -> int:
    left = repeat.trials_left
    return min(left, plan.count_trials(repeat.cell) - len(repeat.search_histories)) if left else 0


def _count_confirm_runs_left(plan: Plan, repeat: Repeat) -> int:
    return 0 if repeat.confirm_histories or repeat.nothing_to_confirm else len(plan.confirm_seeds(repeat.index))


def _expected_epochs_left(history: RunHistory) -> float:
    if history.key.phase == "confirm":
        return history.run.epochs - history.position
    expected = history.rungs.expected_epochs(history.position)
    return expected / history.rungs.reduction_factor if history.at_rung else expected


def _find_best(plan: Plan, histories: Iterable[RunHistory]) -> dict[str, BestObjective]:
    best: dict[str, RunHistory] = {}
    for history in histories:
        if history.state == "COMPLETE" and math.isfinite(history.objective):
            leader = best.setdefault(history.run.dataset, history)
            if score(history.objective, maximize=plan.maximize) > score(leader.objective, maximize=plan.maximize):
                best[history.run.dataset] = history
    return {dataset: BestObjective(history.objective, history.key.cell) for dataset, history in best.items()}


def _list_notes(repeat: Repeat) -> Iterator[str]:
    name = f"{repeat.cell.key}, repeat {repeat.index}"
    if repeat.exhausted:
        yield f"{name}: the search ended after {len(repeat.search_histories)} trials: {repeat.exhausted}"
    if repeat.nothing_to_confirm:
        yield f"{name}: nothing is confirmed, since no trial has an objective"
