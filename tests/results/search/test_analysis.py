"""Which tuned hyperparameters mattered in the search, pruned trials and all."""

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
"""From tuned values to the objective at the rungs that a trial reaches: two of them, or one if it is pruned."""


def optimum(tuned: dict[str, Any]) -> float:
    """A loss that is least at a learning rate of 3e-3."""
    return abs(math.log(tuned["lr"] / 3e-3))


def analysed(folder: Path, losses: Losses, trials: int = 30, repeats: int = 2, **changes: Any) -> SearchAnalysis:
    """What is said of random searches on MOSI in which a trial's objective is as `losses` has it."""
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


def importance(folder: Path, losses: Losses, **changes: Any) -> Importance:
    """The one importance."""
    (found,) = analysed(folder, losses, **changes).importances
    return found


def test_what_decides_has_the_importance(tmp_path: Path) -> None:
    """Where only the learning rate matters it has more than four fifths of all importance; shares sum to 1."""
    found = importance(tmp_path, lambda tuned: [optimum(tuned)] * 2)
    assert list(found.importances) == ["lr", "dropout"]
    assert found.importances["lr"] > 0.8
    assert sum(found.importances.values()) == pytest.approx(1)
    assert (found.evaluator, found.n_cells, found.n_trials, found.spread["lr"]) == (EVALUATOR, 1, 60, None)


def test_trials_are_compared_at_the_lowest_rung(tmp_path: Path) -> None:
    """Whatever came of those that went on, importances are what all had at the first rung."""

    def misleading(tuned: dict[str, Any]) -> list[float]:
        begun = optimum(tuned)
        return [begun] if begun > 1 else [begun, 5 * tuned["dropout"]]

    pruned = importance(tmp_path / "pruned", misleading)
    whole = importance(tmp_path / "whole", lambda tuned: [optimum(tuned)] * 2)
    assert pruned.importances == whole.importances
    assert (pruned.rung, pruned.n_trials) == (RUNG, 60)
    assert (whole.n_censored, 0 < pruned.n_censored < 60) == (0, True)


def test_a_diverged_trial_is_worse_than_any_other(tmp_path: Path) -> None:
    """The upper third of learning rates diverges, the rest is alike: the learning rate is what matters."""

    def diverging(tuned: dict[str, Any]) -> list[float]:
        return [] if tuned["lr"] > 1e-2 else [1.0 + 1e-3 * math.sin(1e4 * tuned["dropout"])] * 2

    found = importance(tmp_path, diverging)
    assert found.importances["lr"] > found.importances["dropout"]
    assert found.n_trials == 60


def test_repeats_differ_in_level_and_not_in_rank(tmp_path: Path) -> None:
    """A luckier seed in one repeat is no hyperparameter's merit: ranks are taken within repeats."""
    found = importance(tmp_path, lambda tuned: [optimum(tuned)] * 2, trials=15, repeats=4)
    assert found.importances["lr"] > 0.6


def test_every_kind_of_domain_is_known_to_the_evaluator(tmp_path: Path) -> None:
    """Whole numbers, even in their logarithm too, and choices."""
    tune = {"lr": TUNE["lr"], "latent_dim": Choice((8, 16)), "hidden_dim": Int(4, 8)}
    found = importance(tmp_path / "int", lambda tuned: [optimum(tuned)] * 2, tune=tune)
    assert set(found.importances) == set(tune)
    logarithmic = {"lr": TUNE["lr"], "hidden_dim": LogInt(4, 8)}
    assert importance(tmp_path / "log", lambda t: [optimum(t)] * 2, tune=logarithmic).importances["lr"] > 0.8


def test_too_few_trials_have_no_importance(tmp_path: Path) -> None:
    """The note names the remedy."""
    found = analysed(tmp_path, lambda tuned: [optimum(tuned)] * 2, trials=7)
    assert found.importances == ()
    assert found.notes[-1] == (
        "mosi: no cell has 15 trials that differ in valid.loss, so the importance of hyperparameters is unknown; "
        "raise `search.trials` or `confirm.repeats`."
    )


def test_a_constant_objective_has_no_importance(tmp_path: Path) -> None:
    """Trials that are all alike tell nothing."""
    assert analysed(tmp_path, lambda tuned: [1.0, 1.0]).importances == ()


def test_one_hyperparameter_has_nothing_to_be_weighed_against(tmp_path: Path) -> None:
    """All importance would be its own."""
    found = analysed(tmp_path, lambda tuned: [optimum(tuned)] * 2, tune={"lr": TUNE["lr"]})
    assert found.importances == ()
    assert found.notes[-1] == "mosi: only one hyperparameter is tuned, so its importance cannot be compared."


def test_a_sweep_that_tunes_nothing_has_no_search(tmp_path: Path) -> None:
    """That is said, and all else is empty."""
    store = make_store(tmp_path, [], sweep=make_sweep(tune={}, search=None, confirm=Confirm(2)), cards=[MOSI])
    expected = SearchAnalysis(notes=("Nothing is tuned, so there was no search.",))
    assert analyze_search(SweepRuns.load(store)) == expected


def test_a_store_without_runs_has_an_empty_history(tmp_path: Path) -> None:
    """Nor is anything confirmed."""
    found = analyze_search(SweepRuns.load(make_store(tmp_path, [])))
    assert [history.trials for history in found.histories] == [()]
    assert found.notes[0] == "mosi: no choice of its searches is confirmed yet."
