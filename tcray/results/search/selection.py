"""The history of a dataset's searches, trial by trial, and the optimism of their choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from tcray.claims.sweep_runs import DatasetRuns
from tcray.claims.units import Record
from tcray.config.metrics import METRICS
from tcray.statistics.estimate import Estimate, to_finite

Trial = tuple[str, int, int]
"""Key of a trial in its sweep: cell, repeat and number."""


@dataclass(frozen=True, slots=True)
class Optimism:
    """The difference by which the chosen trials were better in the search than in their confirm runs.

    optimism  in the objective's units, above 0 if the search was optimistic; the unit is the repeat (the mean over its
              cells), because equal repeats of all cells share their seeds
    n_chosen  choices, one per cell and repeat
    """

    dataset: str
    source: str
    objective: str
    optimism: Estimate
    n_units: int
    n_chosen: int


@dataclass(frozen=True, slots=True)
class SearchedTrial:
    """One trial of a search.

    order        position in its repeat, from 0
    epoch        the epoch up to which it was trained
    value        the objective at its best epoch; None if it has none
    state        `COMPLETE`, `PRUNED` or `FAILED`
    best_so_far  value of the trial that would be chosen so far: the best of those trained longest
    """

    cell: str
    repeat: int
    order: int
    epoch: int
    value: float | None
    state: str
    best_so_far: float | None


@dataclass(frozen=True, slots=True)
class History:
    """Every ended trial of a dataset's searches, by cell, repeat and order."""

    dataset: str
    source: str
    objective: str
    maximize: bool
    trials: tuple[SearchedTrial, ...]


def trial_key(run: Record) -> Trial:
    """Return the key of a run's trial; for a confirm run, that of the trial its repeat chose."""
    return run["cell"], run["repeat"], run["trial"]


def score(value: float, objective: str) -> float:
    """Return a value of the objective with its sign chosen such that larger is better."""
    return value if is_maximized(objective) else -value


def is_maximized(objective: str) -> bool:
    """Return True if larger values of an objective, such as `valid.loss`, are better."""
    return METRICS[objective.rpartition(".")[2]].maximize


def build_history(dataset_runs: DatasetRuns, searched: Sequence[Record], objective: str) -> History:
    """Return the history of a dataset's search runs, which are sorted by cell, repeat and trial."""
    trials: list[SearchedTrial] = []
    chosen: tuple[int, float] | None = None
    for run in searched:
        if not trials or (trials[-1].cell, trials[-1].repeat) != (run["cell"], run["repeat"]):
            chosen = None
        epoch = run["epochs"] or 0
        value = None if run["state"] == "FAILED" else to_finite(run.get(objective))
        if value is not None:
            reached = (epoch, score(value, objective))
            chosen = reached if chosen is None else max(chosen, reached)
        best = None if chosen is None else score(chosen[1], objective)
        trials.append(SearchedTrial(*trial_key(run), epoch, value, run["state"], best))
    return History(dataset_runs.dataset, dataset_runs.source, objective, is_maximized(objective), tuple(trials))


def measure_optimism(dataset_runs: DatasetRuns, searched: Sequence[Record], objective: str) -> Optimism | None:
    """Return the optimism of the choices of a dataset's searches; None if none of them is confirmed."""
    looked = {trial_key(run): to_finite(run.get(objective)) for run in searched}
    confirmed: dict[Trial, list[float | None]] = {}
    for run in dataset_runs.runs:
        confirmed.setdefault(trial_key(run), []).append(to_finite(run.get(objective)))
    by_repeat: dict[int, list[float]] = {}
    for trial, values in confirmed.items():
        before, after = looked.get(trial), [value for value in values if value is not None]
        if before is not None and len(after) == len(values):
            by_repeat.setdefault(trial[1], []).append(score(before, objective) - score(fmean(after), objective))
    if not by_repeat:
        return None
    return Optimism(
        dataset_runs.dataset,
        dataset_runs.source,
        objective,
        Estimate.from_units([fmean(cells) for cells in by_repeat.values()]),
        n_units=len(by_repeat),
        n_chosen=sum(len(cells) for cells in by_repeat.values()),
    )
