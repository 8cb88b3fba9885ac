"""Search histories and the optimism of selected configurations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tcray.claims.sweep_runs import SweepRuns
from tcray.results.search.selection import Optimism, build_history, measure_optimism
from tests.claims.factories import make_run, make_store, make_sweep


def make_search_run(loss: float, trial: int, **changes: Any) -> dict[str, Any]:
    """Return a search run at rank 2 that was trained to the end, with `changes`."""
    return {**make_run({"valid.loss": loss}, phase="search", trial=trial, seed=0, rank=2), **changes}


def make_confirm_run(loss: float, trial: int, seed: int, **changes: Any) -> dict[str, Any]:
    """Return a confirm run of the configuration that a search at rank 2 selected."""
    return make_run({"valid.loss": loss}, trial=trial, seed=seed, **{"rank": 2, **changes})


def load_runs(folder: Path, runs: Iterable[Mapping[str, Any]]) -> SweepRuns:
    """Return the runs of a small sweep on MOSI."""
    return SweepRuns.load(make_store(folder, runs, sweep=make_sweep()))


def list_search_runs(found: SweepRuns) -> list[Mapping[str, Any]]:
    """Return the runs of the search phase."""
    return [run for run in found.runs if run["phase"] == "search"]


def compute_optimism_of(folder: Path, runs: Iterable[Mapping[str, Any]]) -> Optimism | None:
    """Return the optimism on MOSI."""
    found = load_runs(folder, runs)
    return measure_optimism(found.datasets[0], list_search_runs(found), "valid.loss")


def test_the_history_follows_the_selection_rule(tmp_path: Path) -> None:
    """A completed trial is preferred to a pruned one even if the pruned one has a better value."""
    runs = [
        make_search_run(0.9, 0),
        make_search_run(0.4, 1, state="PRUNED", epochs=1),
        make_search_run(0.7, 2),
        make_search_run(0.8, 3),
        make_search_run(0.0, 4, state="FAILED", reason="diverged", epochs=2),
    ]
    found = load_runs(tmp_path, runs)
    trials = build_history(found.datasets[0], list_search_runs(found), "valid.loss").trials
    assert [trial.value for trial in trials] == [0.9, 0.4, 0.7, 0.8, None]
    assert [trial.best_so_far for trial in trials] == [0.9, 0.9, 0.7, 0.7, 0.7]
    assert [trial.epoch for trial in trials] == [3, 1, 3, 3, 2]
    assert [trial.state for trial in trials] == ["COMPLETE", "PRUNED", "COMPLETE", "COMPLETE", "FAILED"]


def test_the_best_value_is_reset_for_each_repeat(tmp_path: Path) -> None:
    """The best value of one repeat does not carry over to the next."""
    found = load_runs(tmp_path, [make_search_run(0.5, 0), make_search_run(0.6, 0, repeat=1)])
    trials = build_history(found.datasets[0], list_search_runs(found), "valid.loss").trials
    assert [(t.repeat, t.order, t.best_so_far) for t in trials] == [(0, 0, 0.5), (1, 0, 0.6)]


def test_optimism_is_the_difference_between_search_and_confirm(tmp_path: Path) -> None:
    """A loss of 0.5 in the search and 0.6 and 0.7 in confirm runs give an optimism of 0.15."""
    found = compute_optimism_of(
        tmp_path,
        [make_search_run(0.5, 4), make_search_run(0.9, 5), make_confirm_run(0.6, 4, 1), make_confirm_run(0.7, 4, 2)],
    )
    assert found is not None
    assert found.optimism.mean == pytest.approx(0.15)
    assert (found.n_units, found.n_chosen) == (1, 1)


def test_the_unit_of_optimism_is_the_repeat(tmp_path: Path) -> None:
    """Two cells of one repeat are averaged: 0.1 and 0.3 in the first repeat count as one unit of 0.2."""
    runs = [
        make_search_run(0.5, 0),
        make_confirm_run(0.6, 0, 1),
        make_run({"valid.loss": 0.5}, phase="search", seed=0, rank=12),
        make_confirm_run(0.8, 0, 1, rank=12),
        make_search_run(0.5, 0, repeat=1),
        make_confirm_run(0.9, 0, 2, repeat=1),
    ]
    found = compute_optimism_of(tmp_path, runs)
    assert found is not None
    assert found.optimism.mean == pytest.approx((0.2 + 0.4) / 2)
    assert (found.n_units, found.n_chosen) == (2, 3)


def test_without_confirm_runs_there_is_no_optimism(tmp_path: Path) -> None:
    """A selection without confirm runs has no value to compare with."""
    assert compute_optimism_of(tmp_path, [make_search_run(0.5, 0)]) is None


def test_an_undefined_objective_has_no_optimism(tmp_path: Path) -> None:
    """A selection is excluded if the objective of its confirm run is not finite."""
    assert (
        compute_optimism_of(
            tmp_path, [make_search_run(0.5, 0), make_confirm_run(0.6, 0, 1), make_confirm_run(float("nan"), 0, 2)]
        )
        is None
    )
