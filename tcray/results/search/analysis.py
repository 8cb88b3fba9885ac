"""The search phase: importance of the tuned hyperparameters, optimism of the choices, and the history of trials.

Importance is Optuna's PED-ANOVA (Watanabe et al. 2023): how far the best `TOP` share of the trials differs, in one
hyperparameter, from all proposed trials, as a share of the sum over hyperparameters; without any effect all shares are
equal. `evaluate_on_local` prevents the sampler's preferences from counting as importance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from tcray.claims.sweep_runs import DatasetRuns, SweepRuns
from tcray.claims.units import Record
from tcray.config.domains import Choice, Domain, Int, LogInt, LogUniform, Uniform
from tcray.results.display.grouping import group_by
from tcray.results.search.selection import (
    History,
    Optimism,
    SearchedTrial,
    Trial,
    build_history,
    measure_optimism,
    score,
    trial_key,
)
from tcray.statistics.estimate import to_finite
from tcray.store.schema import RETRYABLE

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["EVALUATOR", "History", "Importance", "Optimism", "SearchAnalysis", "SearchedTrial", "analyze_search"]

TOP = 1 / 3
"""The share of trials that is compared with all trials (γ' of PED-ANOVA)."""
EVALUATOR = "PED-ANOVA, the best third of the trials against all of them"
MIN_TRIALS = 15
"""Trials needed in a cell.

Five in its best third; with fewer, according to Optuna's documentation, PED-ANOVA is unstable.
"""


@dataclass(frozen=True, slots=True)
class Importance:
    """The share of each tuned hyperparameter in what sets the best trials apart; the shares sum to 1.

    The searches of a cell form one study, in which a trial's value is its rank within its own repeat: by the objective
    at its best epoch up to `rung`, which every trial reached, pruned later or not. Trials that diverged before the rung
    come last; trials that crashed are left out. No censored value enters, and trials are ranked by their early epochs.

    importances  the mean over cells, largest first; 0 for a hyperparameter that a cell lacks
    spread       standard deviation between cells; None with one cell
    rung         the lowest epoch at which trials were compared; the last epoch if nothing is pruned
    n_cells      cells with enough trials
    n_trials     ranked trials
    n_censored   ranked trials that were not trained to the end
    """

    dataset: str
    source: str
    evaluator: str
    importances: Mapping[str, float]
    spread: Mapping[str, float | None]
    rung: int
    n_cells: int
    n_trials: int
    n_censored: int


@dataclass(frozen=True, slots=True)
class SearchAnalysis:
    """The analysis of the search phase; each of `notes` states in one sentence why a part is missing."""

    importances: tuple[Importance, ...] = ()
    optimisms: tuple[Optimism, ...] = ()
    histories: tuple[History, ...] = ()
    notes: tuple[str, ...] = ()


def analyze_search(sweep_runs: SweepRuns) -> SearchAnalysis:
    """Return the analysis of a sweep's search phase; without a search it is empty, with a note."""
    if sweep_runs.sweep.search is None:
        return SearchAnalysis(notes=("Nothing is tuned, so there was no search.",))
    importances, optimisms, histories = [], [], []
    notes: list[str] = []
    by_rung = _values_by_rung(sweep_runs)
    for dataset_runs in sweep_runs.datasets:
        searched = [run for run in sweep_runs.runs if run["phase"] == "search" and _of(run, dataset_runs)]
        histories.append(build_history(dataset_runs, searched, sweep_runs.sweep.objective))
        if (found := measure_optimism(dataset_runs, searched, sweep_runs.sweep.objective)) is not None:
            optimisms.append(found)
        else:
            notes.append(f"{dataset_runs.dataset}: no choice of its searches is confirmed yet.")
        importance = _importance(sweep_runs, dataset_runs, searched, by_rung)
        if isinstance(importance, Importance):
            importances.append(importance)
        else:
            notes.append(f"{dataset_runs.dataset}: {importance}")
    return SearchAnalysis(tuple(importances), tuple(optimisms), tuple(histories), tuple(notes))


def _of(run: Record, dataset_runs: DatasetRuns) -> bool:
    return (run["dataset"], run["source"]) == (dataset_runs.dataset, dataset_runs.source)


def _values_by_rung(sweep_runs: SweepRuns) -> dict[int, dict[Trial, float]]:
    """Return, by rung, the objective of the search's trials at their best epoch up to the rung."""
    import pyarrow.compute as pc

    rows = sweep_runs.store.read("ledger", ("kind", "phase", "cell", "repeat", "trial", "rung", "metrics"))
    rows = rows.filter(pc.and_(pc.equal(rows["kind"], "value"), pc.equal(rows["phase"], "search")))
    values = pc.map_lookup(rows["metrics"], sweep_runs.sweep.objective, "first").to_pylist()
    by_rung: dict[int, dict[Trial, float]] = {}
    names = ("rung", "cell", "repeat", "trial")
    for value, rung, *trial in zip(values, *(rows[name].to_pylist() for name in names), strict=True):
        cell, repeat, number = trial
        if (known := to_finite(value)) is not None:
            by_rung.setdefault(rung, {})[cell, repeat, number] = known
    return by_rung


def _importance(
    sweep_runs: SweepRuns,
    dataset_runs: DatasetRuns,
    searched: Sequence[Record],
    by_rung: Mapping[int, Mapping[Trial, float]],
) -> Importance | str:
    """Return the importance, or the reason why there is none."""
    if len(sweep_runs.sweep.tune) < 2:
        return "only one hyperparameter is tuned, so its importance cannot be compared."
    rung = min(by_rung, default=sweep_runs.sweep.training.epochs)
    cells = group_by((run for run in searched if run["reason"] not in RETRYABLE), lambda run: str(run["cell"]))
    shares: list[dict[str, float]] = []
    counted: list[Record] = []
    for runs in cells.values():
        ranks = _ranks(runs, by_rung.get(rung, {}), sweep_runs.sweep.objective)
        if len(runs) >= MIN_TRIALS and len(set(ranks)) > 1:
            shares.append(_ped_anova(sweep_runs.sweep.tune, runs, ranks))
            counted += runs
    if not shares:
        return (
            f"no cell has {MIN_TRIALS} trials that differ in {sweep_runs.sweep.objective}, so the "
            "importance of hyperparameters is unknown; raise `search.trials` or `confirm.repeats`."
        )
    by_name = {name: [share.get(name, 0.0) for share in shares] for name in sweep_runs.sweep.tune}
    return Importance(
        dataset=dataset_runs.dataset,
        source=dataset_runs.source,
        evaluator=EVALUATOR,
        importances=dict(sorted(((n, fmean(v)) for n, v in by_name.items()), key=lambda item: -item[1])),
        spread={name: stdev(values) if len(values) > 1 else None for name, values in by_name.items()},
        rung=rung,
        n_cells=len(shares),
        n_trials=len(counted),
        n_censored=sum(run["state"] != "COMPLETE" for run in counted),
    )


def _ranks(runs: Sequence[Record], by_rung: Mapping[Trial, float], objective: str) -> list[float]:
    """Return each trial's rank within its repeat as a share of the repeat's trials, best first.

    Ties share their mean.
    """
    from scipy.stats import rankdata

    repeats: dict[int, list[int]] = {}
    for place, run in enumerate(runs):
        repeats.setdefault(run["repeat"], []).append(place)
    ranks = [math.nan] * len(runs)
    for places in repeats.values():
        values = [by_rung.get(trial_key(runs[place])) for place in places]
        ordered = rankdata([math.inf if value is None else -score(value, objective) for value in values])
        for place, rank in zip(places, ordered, strict=True):
            ranks[place] = float(rank) / len(places)
    return ranks


def _ped_anova(tune: Mapping[str, Domain], runs: Sequence[Record], ranks: Sequence[float]) -> dict[str, float]:
    """Return the share of every hyperparameter that all of these trials have."""
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import create_trial

    optuna.logging.set_verbosity(optuna.logging.WARNING)  # or the study announces itself on stderr
    domains = {name: _distribution(d) for name, d in tune.items() if all(run.get(name) is not None for run in runs)}
    study = optuna.create_study(direction="minimize")
    for run, rank in zip(runs, ranks, strict=True):
        params = {name: run[name] for name in domains}
        study.add_trial(create_trial(params=params, distributions=domains, value=rank))
    evaluator = PedAnovaImportanceEvaluator(target_quantile=TOP, region_quantile=1.0, evaluate_on_local=True)
    return dict(get_param_importances(study, evaluator=evaluator))


def _distribution(domain: Domain) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match domain:
        case Uniform(low, high):
            return FloatDistribution(low, high)
        case LogUniform(low, high):
            return FloatDistribution(low, high, log=True)
        case Int(low, high):
            return IntDistribution(low, high)
        case LogInt(low, high):
            return IntDistribution(low, high, log=True)
        case Choice(options):
            return CategoricalDistribution(options)
