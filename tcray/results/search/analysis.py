"""What the search phase tells: which tuned hyperparameters mattered, how far the chosen flatter, and how it went.

Importance is Optuna's PED-ANOVA (Watanabe et al. 2023): how far the best `TOP` share of the trials differs, in one
hyperparameter, from all trials that were proposed (`evaluate_on_local`, so that where the sampler liked to look is not
taken for what mattered), as a share of the sum over hyperparameters; without any effect each has the same share.
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
from tcray.store.schema import NO_RESULT

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["EVALUATOR", "History", "Importance", "Optimism", "SearchAnalysis", "SearchedTrial", "analyze_search"]

TOP = 1 / 3
"""The share of trials whose hyperparameters are held against those of all (γ' of PED-ANOVA)."""
EVALUATOR = "PED-ANOVA, the best third of the trials against all of them"
MIN_TRIALS = 15
"""Of a cell: five in its best third; with fewer, Optuna's documentation says, PED-ANOVA is not stable."""


@dataclass(frozen=True, slots=True)
class Importance:
    """How much of what sets the best trials apart is due to each tuned hyperparameter; the shares sum to 1.

    The searches of a cell are one study, in which a trial's value is its rank in its own repeat: by the objective at
    its best epoch up to `rung`, which every trial reached, whether it was pruned later or not. One that diverged before
    comes last; one that crashed is left out. So no censored value enters, and what is ranked is how well trials begin.

    importances  the mean over cells, largest first; a hyperparameter that a cell lacks has none in it
    spread       standard deviation between cells; None where there is one
    rung         the lowest epoch at which trials were compared; the last one where nothing is pruned
    n_cells      cells that had enough trials
    n_trials     trials ranked
    n_censored   those of them that were not trained to the end
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
    """What there is to tell of the search phase; `notes` say, a sentence each, why something is not told."""

    importances: tuple[Importance, ...] = ()
    optimisms: tuple[Optimism, ...] = ()
    histories: tuple[History, ...] = ()
    notes: tuple[str, ...] = ()


def analyze_search(sweep_runs: SweepRuns) -> SearchAnalysis:
    """The analysis of a sweep's search phase; empty, and said so, where it has none."""
    if sweep_runs.sweep.search is None:
        return SearchAnalysis(notes=("Nothing is tuned, so there was no search.",))
    importances, optimisms, histories = [], [], []
    notes: list[str] = []
    begun = _begun(sweep_runs)
    for dataset_runs in sweep_runs.datasets:
        searched = [run for run in sweep_runs.runs if run["phase"] == "search" and _of(run, dataset_runs)]
        histories.append(build_history(dataset_runs, searched, sweep_runs.sweep.objective))
        if (found := measure_optimism(dataset_runs, searched, sweep_runs.sweep.objective)) is not None:
            optimisms.append(found)
        else:
            notes.append(f"{dataset_runs.dataset}: nothing of what its searches chose is confirmed yet.")
        importance = _importance(sweep_runs, dataset_runs, searched, begun)
        if isinstance(importance, Importance):
            importances.append(importance)
        else:
            notes.append(f"{dataset_runs.dataset}: {importance}")
    return SearchAnalysis(tuple(importances), tuple(optimisms), tuple(histories), tuple(notes))


def _of(run: Record, dataset_runs: DatasetRuns) -> bool:
    return (run["dataset"], run["source"]) == (dataset_runs.dataset, dataset_runs.source)


def _begun(sweep_runs: SweepRuns) -> dict[int, dict[Trial, float]]:
    """By rung, the objective of the search's trials at their best epoch up to there."""
    import pyarrow.compute as pc

    rows = sweep_runs.store.read("ledger", ("kind", "phase", "cell", "repeat", "trial", "rung", "metrics"))
    rows = rows.filter(pc.and_(pc.equal(rows["kind"], "value"), pc.equal(rows["phase"], "search")))
    values = pc.map_lookup(rows["metrics"], sweep_runs.sweep.objective, "first").to_pylist()
    begun: dict[int, dict[Trial, float]] = {}
    names = ("rung", "cell", "repeat", "trial")
    for value, rung, *trial in zip(values, *(rows[name].to_pylist() for name in names), strict=True):
        cell, repeat, number = trial
        if (known := to_finite(value)) is not None:
            begun.setdefault(rung, {})[cell, repeat, number] = known
    return begun


def _importance(
    sweep_runs: SweepRuns,
    dataset_runs: DatasetRuns,
    searched: Sequence[Record],
    begun: Mapping[int, Mapping[Trial, float]],
) -> Importance | str:
    """The importance, or why there is none."""
    if len(sweep_runs.sweep.tune) < 2:
        return "one hyperparameter is tuned, so there is nothing to weigh it against."
    rung = min(begun, default=sweep_runs.sweep.training.epochs)
    cells: dict[str, list[Record]] = {}
    for run in searched:
        if run["reason"] not in NO_RESULT:
            cells.setdefault(run["cell"], []).append(run)
    shares: list[dict[str, float]] = []
    counted: list[Record] = []
    for runs in cells.values():
        ranks = _ranks(runs, begun.get(rung, {}), sweep_runs.sweep.objective)
        if len(runs) >= MIN_TRIALS and len(set(ranks)) > 1:
            shares.append(_ped_anova(sweep_runs.sweep.tune, runs, ranks))
            counted += runs
    if not shares:
        return (
            f"no cell has {MIN_TRIALS} trials that differ in {sweep_runs.sweep.objective}, so it cannot be told which "
            "hyperparameters matter; raise `search.trials` or `confirm.repeats`."
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


def _ranks(runs: Sequence[Record], begun: Mapping[Trial, float], objective: str) -> list[float]:
    """Each trial's rank within its repeat, as a share of the repeat's trials, the best first; ties share their mean."""
    from scipy.stats import rankdata

    repeats: dict[int, list[int]] = {}
    for place, run in enumerate(runs):
        repeats.setdefault(run["repeat"], []).append(place)
    ranks = [math.nan] * len(runs)
    for places in repeats.values():
        values = [begun.get(trial_key(runs[place])) for place in places]
        ordered = rankdata([math.inf if value is None else -score(value, objective) for value in values])
        for place, rank in zip(places, ordered, strict=True):
            ranks[place] = float(rank) / len(places)
    return ranks


def _ped_anova(tune: Mapping[str, Domain], runs: Sequence[Record], ranks: Sequence[float]) -> dict[str, float]:
    """The share of every hyperparameter that all of these trials have."""
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
