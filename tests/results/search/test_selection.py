"""How searches went, and how far what they chose flatters itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tcray.claims.sweep_runs import SweepRuns
from tcray.results.search.selection import Optimism, build_history, measure_optimism
from tests.claims.factories import make_run, make_store, make_sweep


def searched(loss: float, trial: int, **changes: Any) -> dict[str, Any]:
    """A search run of rank 2 that was trained to the end, unless `changes` say otherwise."""
    return {**make_run({"valid.loss": loss}, phase="search", trial=trial, seed=0, rank=2), **changes}


def confirmed_run(loss: float, trial: int, seed: int, **changes: Any) -> dict[str, Any]:
    """A confirm run of what a search of rank 2 chose."""
    return make_run({"valid.loss": loss}, trial=trial, seed=seed, **{"rank": 2, **changes})


def sweep_runs(folder: Path, runs: Iterable[Mapping[str, Any]]) -> SweepRuns:
    """That of a small sweep of MOSI."""
    return SweepRuns.load(make_store(folder, runs, sweep=make_sweep()))


def of_search(found: SweepRuns) -> list[Mapping[str, Any]]:
    """The runs of the search phase."""
    return [run for run in found.runs if run["phase"] == "search"]


def an_optimism(folder: Path, runs: Iterable[Mapping[str, Any]]) -> Optimism | None:
    """That of MOSI."""
    found = sweep_runs(folder, runs)
    return measure_optimism(found.datasets[0], of_search(found), "valid.loss")


def test_the_history_follows_what_would_be_chosen(tmp_path: Path) -> None:
    """A trial trained to the end comes before any that was pruned, however well that one began."""
    runs = [
        searched(0.9, 0),
        searched(0.4, 1, state="PRUNED", epochs=1),
        searched(0.7, 2),
        searched(0.8, 3),
        searched(0.0, 4, state="FAILED", reason="diverged", epochs=2),
    ]
    found = sweep_runs(tmp_path, runs)
    trials = build_history(found.datasets[0], of_search(found), "valid.loss").trials
    assert [trial.value for trial in trials] == [0.9, 0.4, 0.7, 0.8, None]
    assert [trial.best_so_far for trial in trials] == [0.9, 0.9, 0.7, 0.7, 0.7]
    assert [trial.epoch for trial in trials] == [3, 1, 3, 3, 2]
    assert [trial.state for trial in trials] == ["COMPLETE", "PRUNED", "COMPLETE", "COMPLETE", "FAILED"]


def test_every_repeat_begins_anew(tmp_path: Path) -> None:
    """The best of one repeat is not that of the next."""
    found = sweep_runs(tmp_path, [searched(0.5, 0), searched(0.6, 0, repeat=1)])
    trials = build_history(found.datasets[0], of_search(found), "valid.loss").trials
    assert [(t.repeat, t.order, t.best_so_far) for t in trials] == [(0, 0, 0.5), (1, 0, 0.6)]


def test_optimism_is_how_much_the_chosen_fall_back(tmp_path: Path) -> None:
    """Chosen at a loss of 0.5 and confirmed at 0.6 and 0.7, it looked 0.15 better than it is."""
    found = an_optimism(
        tmp_path, [searched(0.5, 4), searched(0.9, 5), confirmed_run(0.6, 4, 1), confirmed_run(0.7, 4, 2)]
    )
    assert found is not None
    assert found.optimism.mean == pytest.approx(0.15)
    assert (found.n_units, found.n_chosen) == (1, 1)


def test_the_unit_of_optimism_is_the_repeat(tmp_path: Path) -> None:
    """Two cells of one repeat share their seeds: 0.1 and 0.3 in the first repeat count as 0.2 once."""
    runs = [
        searched(0.5, 0),
        confirmed_run(0.6, 0, 1),
        make_run({"valid.loss": 0.5}, phase="search", seed=0, rank=12),
        confirmed_run(0.8, 0, 1, rank=12),
        searched(0.5, 0, repeat=1),
        confirmed_run(0.9, 0, 2, repeat=1),
    ]
    found = an_optimism(tmp_path, runs)
    assert found is not None
    assert found.optimism.mean == pytest.approx((0.2 + 0.4) / 2)
    assert (found.n_units, found.n_chosen) == (2, 3)


def test_unconfirmed_choices_have_no_optimism(tmp_path: Path) -> None:
    """There is nothing to hold them against."""
    assert an_optimism(tmp_path, [searched(0.5, 0)]) is None


def test_an_objective_that_is_no_number_has_no_optimism(tmp_path: Path) -> None:
    """A confirm run whose objective is not finite leaves its choice out."""
    assert (
        an_optimism(tmp_path, [searched(0.5, 0), confirmed_run(0.6, 0, 1), confirmed_run(float("nan"), 0, 2)]) is None
    )
