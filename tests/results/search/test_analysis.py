"""Importance of tuned hyperparameters in the search, including pruned trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tcray.claims.sweep_runs import SweepRuns
from tcray.config.domains import Choice, Int, LogInt, LogUniform, Uniform
from tcray.config.sweep import Asha, Confirm, Search
from tcray.results.search.analysis import EVALUATOR, Importance, SearchAnalysis, analyze_search
from tests.claims.factories import MOSI, make_run, make_store, make_sweep

RUNG, EPOCHS = 1, 3
TUNE = {"lr": LogUniform(1e-4, 1e-1), "dropout": Uniform(0.0, 0.5)}
Losses = Callable[[dict[str, Any]], Sequence[float]]
"""Function from tuned values to the objective at each rung: two values, or one if the trial is pruned."""


def quadratic_loss(tuned: dict[str, Any]) -> float:
    """Return a loss with its minimum at a learning rate of 3e-3."""
    return abs(math.log(tuned["lr"] / 3e-3))


def analyze_random_searches(
    folder: Path, losses: Losses, trials: int = 30, repeats: int = 2, **changes: Any
) -> SearchAnalysis:
    """Return the analysis of random searches on MOSI in which `losses` gives the objective of a trial."""
    sweep = make_sweep(
        **{
            "factors": {"rank": (2,)},
            "tune": TUNE,
            "search": Search(trials=trials, wave=4, pruner=Asha(RUNG)),
            "confirm": Confirm(1, repeats),
            **changes,
        }
    )
    draws = np.random.default_rng(11)
    runs, ledger = [], []
    for repeat in range(repeats):
        for trial in range(trials):
            drawn: dict[str, Any] = {"lr": 10 ** draws.uniform(-4, -1), "dropout": draws.uniform(0, 0.5)}
            tuned = {**drawn, "latent_dim": int(draws.choice([8, 16])), "hidden_dim": int(draws.integers(4, 9))}
            known = losses(tuned)
            state = {0: "FAILED", 1: "PRUNED", 2: "COMPLETE"}[len(known)]
            run = make_run(
                {"valid.loss": known[-1]} if known else {},
                phase="search",
                repeat=repeat,
                trial=trial,
                seed=0,
                state=state,
                reason="" if known else "diverged",
                **tuned,
            )
            key = {name: run[name] for name in ("phase", "repeat", "trial", "seed", "run_id")} | {"cell": "mosi/rank=2"}
            runs.append({**run, **key})
            ledger += [
                {"kind": "value", **key, "rung": rung, "value": loss, "metrics": {"valid.loss": loss}}
                for rung, loss in zip((RUNG, EPOCHS), known, strict=False)
            ]
    store = make_store(folder, runs, sweep=sweep)
    store.append("ledger", ledger)
    return analyze_search(SweepRuns.load(store))


def compute_importance(folder: Path, losses: Losses, **changes: Any) -> Importance:
    """Return the importance of the only dataset."""
    (found,) = analyze_random_searches(folder, losses, **changes).importances
    return found


def test_the_decisive_hyperparameter_is_the_most_important(tmp_path: Path) -> None:
    """If only the learning rate matters, its share is above 0.8; shares sum to 1."""
    found = compute_importance(tmp_path, lambda tuned: [quadratic_loss(tuned)] * 2)
    assert list(found.importances) == ["lr", "dropout"]
    assert found.importances["lr"] > 0.8
    assert sum(found.importances.values()) == pytest.approx(1)
    assert (found.evaluator, found.n_cells, found.n_trials, found.spread["lr"]) == (EVALUATOR, 1, 60, None)


def test_trials_are_compared_at_the_lowest_rung(tmp_path: Path) -> None:
    """Importance uses the objective at the first rung, which all trials reached."""

    def misleading(tuned: dict[str, Any]) -> list[float]:
        begun = quadratic_loss(tuned)
        return [begun] if begun > 1 else [begun, 5 * tuned["dropout"]]

    pruned = compute_importance(tmp_path / "pruned", misleading)
    whole = compute_importance(tmp_path / "whole", lambda tuned: [quadratic_loss(tuned)] * 2)
    assert pruned.importances == whole.importances
    assert (pruned.rung, pruned.n_trials) == (RUNG, 60)
    assert (whole.n_censored, 0 < pruned.n_censored < 60) == (0, True)


def test_a_diverged_trial_is_ranked_worst(tmp_path: Path) -> None:
    """If the upper third of learning rates diverges and the rest is equal, the learning rate is most important."""

    def diverging(tuned: dict[str, Any]) -> list[float]:
        return [] if tuned["lr"] > 1e-2 else [1.0 + 1e-3 * math.sin(1e4 * tuned["dropout"])] * 2

    found = compute_importance(tmp_path, diverging)
    assert found.importances["lr"] > found.importances["dropout"]
    assert found.n_trials == 60


def test_ranks_are_taken_within_repeats(tmp_path: Path) -> None:
    """An offset between repeats does not change the importances."""
    found = compute_importance(tmp_path, lambda tuned: [quadratic_loss(tuned)] * 2, trials=15, repeats=4)
    assert found.importances["lr"] > 0.6


def test_every_kind_of_domain_has_an_importance(tmp_path: Path) -> None:
    """Integers, log-uniform integers and choices have importances."""
    tune = {"lr": TUNE["lr"], "latent_dim": Choice((8, 16)), "hidden_dim": Int(4, 8)}
    found = compute_importance(tmp_path / "int", lambda tuned: [quadratic_loss(tuned)] * 2, tune=tune)
    assert set(found.importances) == set(tune)
    logarithmic = {"lr": TUNE["lr"], "hidden_dim": LogInt(4, 8)}
    assert (
        compute_importance(tmp_path / "log", lambda t: [quadratic_loss(t)] * 2, tune=logarithmic).importances["lr"]
        > 0.8
    )


def test_too_few_trials_have_no_importance(tmp_path: Path) -> None:
    """A note states the remedy."""
    found = analyze_random_searches(tmp_path, lambda tuned: [quadratic_loss(tuned)] * 2, trials=7)
    assert found.importances == ()
    assert found.notes[-1] == (
        "mosi: no cell has 15 trials that differ in valid.loss, so the importance of hyperparameters is unknown; "
        "raise `search.trials` or `confirm.repeats`."
    )


def test_a_constant_objective_has_no_importance(tmp_path: Path) -> None:
    """If all trials have the same objective, there is no importance."""
    assert analyze_random_searches(tmp_path, lambda tuned: [1.0, 1.0]).importances == ()


def test_a_single_hyperparameter_has_no_importance(tmp_path: Path) -> None:
    """The share of a single hyperparameter would always be 1."""
    found = analyze_random_searches(tmp_path, lambda tuned: [quadratic_loss(tuned)] * 2, tune={"lr": TUNE["lr"]})
    assert found.importances == ()
    assert found.notes[-1] == "mosi: only one hyperparameter is tuned, so its importance cannot be compared."


def test_a_sweep_that_tunes_nothing_has_no_search(tmp_path: Path) -> None:
    """A note says that nothing was tuned, and all parts are empty."""
    store = make_store(tmp_path, [], sweep=make_sweep(tune={}, search=None, confirm=Confirm(2)), cards=[MOSI])
    expected = SearchAnalysis(notes=("Nothing is tuned, so there was no search.",))
    assert analyze_search(SweepRuns.load(store)) == expected


def test_a_store_without_runs_has_an_empty_history(tmp_path: Path) -> None:
    """A store without runs has neither trials nor optimism."""
    found = analyze_search(SweepRuns.load(make_store(tmp_path, [])))
    assert [history.trials for history in found.histories] == [()]
    assert found.notes[0] == "mosi: no choice of its searches is confirmed yet."
