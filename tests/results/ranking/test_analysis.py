from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tcray.config.domains import LogUniform
from tcray.config.sweep import Confirm
from tcray.results.ranking.analysis import Row, format_cell_value
from tcray.statistics.estimate import Estimate
from tests.claims.factories import MOSI, MUSTARD, make_run, make_store, make_sweep
from tests.results.factories import rank_store

T2 = 0.95 / math.sqrt(2 * 0.975 * 0.025)
"""The 0.975 quantile of Student's t on two degrees of freedom, in closed form."""


def confirm_runs(values: dict[int, list[tuple[float, float]]], **levels: Any) -> list[dict[str, Any]]:
    """Return confirm runs of a cell, given (valid.loss, test.mae) of each seed by repeat."""
    return [
        make_run(
            {"valid.loss": valid, "test.mae": test, "train.loss": 0.5}, repeat=repeat, seed=1000 * repeat + n, **levels
        )
        for repeat, seeds in values.items()
        for n, (valid, test) in enumerate(seeds, start=1)
    ]


def test_the_unit_is_the_mean_over_the_confirm_seeds_of_a_repeat(tmp_path: Path) -> None:
    """Three repeats of two seeds with means 1, 2 and 3 give mean 2 and the interval of three units, not six."""
    runs = confirm_runs({0: [(1, 0.5), (1, 1.5)], 1: [(1, 1.0), (1, 3.0)], 2: [(1, 3.0), (1, 3.0)]}, rank=2, lr=0.01)
    (table,) = rank_store(make_store(tmp_path, runs)).tables
    (row,) = table.rows
    assert (table.unit, row.repeats, row.seeds) == ("repeat", 3, (2, 2))
    assert row.values["test.mae"].mean == pytest.approx(2.0)
    assert row.values["test.mae"].half_width == pytest.approx(T2 / math.sqrt(3))


def test_the_unit_is_the_seed_if_nothing_is_tuned(tmp_path: Path) -> None:
    """Three seeds of one configuration are three units."""
    sweep = make_sweep(tune={}, search=None, confirm=Confirm(seeds=3))
    runs = [make_run({"valid.loss": 1.0, "test.mae": mae}, seed=n, rank=2) for n, mae in enumerate((1.0, 2.0, 3.0))]
    (table,) = rank_store(make_store(tmp_path, runs, sweep=sweep)).tables
    (row,) = table.rows
    assert (table.unit, row.seeds) == ("seed", (3, 3))
    assert row.values["test.mae"].half_width == pytest.approx(T2 / math.sqrt(3))


def test_cells_are_ordered_by_validation_not_by_test(tmp_path: Path) -> None:
    """The cell that is best on test is ranked below the one that is best on validation."""
    good, lucky = confirm_runs({0: [(0.8, 1.2)]}, rank=12), confirm_runs({0: [(0.9, 0.1)]}, rank=2)
    (table,) = rank_store(make_store(tmp_path, [*lucky, *good])).tables
    assert [row.name for row in table.rows] == ["mosi/rank=12", "mosi/rank=2"]
    assert [row.levels for row in table.rows] == [{"rank": 12}, {"rank": 2}]


def test_an_objective_to_maximize_is_sorted_descending(tmp_path: Path) -> None:
    """With the objective `valid.r` the larger correlation comes first."""
    runs = [make_run({"valid.r": r, "test.mae": 1.0}, rank=rank) for rank, r in ((2, 0.3), (12, 0.6))]
    (table,) = rank_store(make_store(tmp_path, runs, sweep=make_sweep(objective="valid.r"))).tables
    assert [row.name for row in table.rows] == ["mosi/rank=12", "mosi/rank=2"]


def test_search_runs_are_excluded_from_means(tmp_path: Path) -> None:
    """A search trial does not change the estimate of its cell, even if the trial is better."""
    confirm = confirm_runs({0: [(1.0, 1.0)]}, rank=2)
    searched = make_run({"valid.loss": 0.1, "test.mae": 0.1}, phase="search", seed=0, rank=2)
    (table,) = rank_store(make_store(tmp_path, [searched, *confirm])).tables
    assert table.rows[0].values["valid.loss"] == Estimate(1.0)


def test_failed_and_pruned_runs_are_counted_but_excluded_from_means(tmp_path: Path) -> None:
    """If a confirm run diverged, its repeat is the mean of the other seed, and the failure is listed by reason."""
    runs = [
        *confirm_runs({0: [(1.0, 1.0), (1.0, 3.0)], 1: [(1.0, 4.0)]}, rank=2),
        make_run({}, repeat=1, seed=1002, state="FAILED", reason="diverged", rank=2),
        make_run({"valid.loss": 2.0}, phase="search", trial=1, seed=0, state="PRUNED", rank=2),
    ]
    (table,) = rank_store(make_store(tmp_path, runs)).tables
    (row,) = table.rows
    assert (row.failed, row.pruned, row.repeats, row.seeds) == (1, 1, 2, (1, 2))
    assert row.values["test.mae"].mean == pytest.approx(3.0)
    assert "Failed runs are in no mean (diverged 1)." in table.notes


def test_a_metric_that_is_missing_in_one_run_is_undefined(tmp_path: Path) -> None:
    """If Pearson's r is NaN in one run, the mean of the cell is undefined rather than a mean over the others."""
    runs = [make_run({"valid.loss": 1.0, "test.r": r}, repeat=n, rank=2) for n, r in enumerate((0.5, math.nan))]
    (table,) = rank_store(make_store(tmp_path, runs)).tables
    assert table.rows[0].values["test.r"] == Estimate(None, None)


def test_a_cell_without_confirm_runs_comes_last(tmp_path: Path) -> None:
    """A cell without an estimate is ranked below the cells with one."""
    runs = [
        make_run({"valid.loss": 0.1}, phase="search", seed=0, rank=2),
        *confirm_runs({0: [(1.0, 1.0)]}, rank=12),
    ]
    (table,) = rank_store(make_store(tmp_path, runs)).tables
    assert [(row.name, row.repeats, row.seeds) for row in table.rows] == [
        ("mosi/rank=12", 1, (1, 1)),
        ("mosi/rank=2", 0, (0, 0)),
    ]


def test_real_and_twin_runs_have_separate_tables(tmp_path: Path) -> None:
    """Runs of the twin are excluded from the means of the real dataset of the same name."""
    twin = replace(MOSI, source="twin")
    runs = [make_run({"valid.loss": 1.0}, rank=2), make_run({"valid.loss": 3.0}, card=twin, repeat=1, rank=2)]
    tables = rank_store(make_store(tmp_path, runs, cards=(MOSI, twin))).tables
    assert [(t.source, t.rows[0].values["valid.loss"].mean) for t in tables] == [("real", 1.0), ("twin", 3.0)]


def test_the_primary_metric_comes_first(tmp_path: Path) -> None:
    """The first metric of each dataset is the primary metric of its card."""
    tables = rank_store(make_store(tmp_path, [], cards=(MOSI, replace(MUSTARD, primary_metric="auroc")))).tables
    assert [table.metrics[:2] for table in tables] == [("test.mae", "test.acc2"), ("test.auroc", "test.f1")]


def test_a_constant_factor_has_no_column(tmp_path: Path) -> None:
    """Only factors that distinguish cells are columns."""
    sweep = make_sweep(factors={"conditioning": ("jwae",), "rank": (2, 12)})
    runs = [make_run({"valid.loss": 1.0}, conditioning="jwae", rank=rank) for rank in (2, 12)]
    (table,) = rank_store(make_store(tmp_path, runs, sweep=sweep)).tables
    assert table.levels == ("rank",)


def test_baselines_keep_their_order_and_missing_values(tmp_path: Path) -> None:
    """The references are those of the manifest; what JSON calls null is undefined."""
    (table,) = rank_store(make_store(tmp_path, [])).tables
    assert [row.name for row in table.baselines] == ["median", "ridge: all", "best single: text"]
    assert table.baselines[0].values["test.r"] == Estimate(None)
    assert table.baselines[1].values["test.mae"] == Estimate(0.95)


def test_a_note_says_if_the_best_cell_does_not_beat_the_linear_baseline(tmp_path: Path) -> None:
    """The best cell by validation is compared, even if another cell beats ridge on test."""
    runs = [*confirm_runs({0: [(0.8, 0.96)]}, rank=2), *confirm_runs({0: [(0.9, 0.5)]}, rank=12)]
    (table,) = rank_store(make_store(tmp_path, runs)).tables
    assert table.notes == (
        'mosi/rank=2 is best on validation, and does not beat "ridge: all" on test: MAE 0.9600 against 0.9500.',
    )


def test_a_best_cell_that_beats_the_linear_baseline_has_no_note(tmp_path: Path) -> None:
    """F1 is maximized, so 0.71 beats 0.70."""
    runs = [make_run({"valid.loss": 0.5, "test.f1": 0.71}, card=MUSTARD, rank=2)]
    (table,) = rank_store(make_store(tmp_path, runs, cards=(MUSTARD,))).tables
    assert table.notes == ()


def test_without_confirm_the_rows_are_the_ten_best_trials(tmp_path: Path) -> None:
    """The ten best of twelve trials are shown with their tuned hyperparameters; ties are in order of trial number."""
    sweep = make_sweep(factors={}, tune={"lr": LogUniform(1e-4, 1e-1)}, confirm=None)
    losses = [5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 0, 11]
    runs = [
        make_run({"valid.loss": float(loss), "test.mae": 1.0}, phase="search", trial=n, seed=0, lr=0.001 * (n + 1))
        for n, loss in enumerate(losses)
    ]
    shown = rank_store(make_store(tmp_path, runs, sweep=sweep))
    (table,) = shown.tables
    assert (table.unit, table.levels) == ("trial", ("trial", "lr"))
    assert [row.levels["trial"] for row in table.rows] == [5, 10, 4, 3, 2, 1, 0, 6, 7, 8]
    assert table.rows[0] == Row(
        "mosi, trial 5", {n: table.rows[0].values[n] for n in table.rows[0].values}, {"trial": 5, "lr": 0.006}
    )
    assert shown.caption.startswith("Search results, optimistic")


def test_a_sweep_without_factors_shows_the_best_configuration(tmp_path: Path) -> None:
    """A sweep without factors shows the configuration that its best repeat chose."""
    sweep = make_sweep(factors={})
    runs = [
        make_run({"valid.loss": loss, "test.mae": 0.9}, repeat=n, lr=lr)
        for n, (loss, lr) in enumerate([(1, 0.1), (0.5, 0.00123456)])
    ]
    (table,) = rank_store(make_store(tmp_path, runs, sweep=sweep)).tables
    assert table.notes == ("The repeat that is best on validation chose lr 0.001235.",)


def test_a_note_says_if_train_features_saw_the_labels(tmp_path: Path) -> None:
    """A card with `saw_labels` has a note below its table."""
    (table,) = rank_store(make_store(tmp_path, [], cards=(replace(MOSI, saw_labels=True),))).tables
    assert table.notes == (
        "No run of it is complete yet.",
        "The features of its train split were learned from its labels: train loss flatters.",
    )


def test_notes_list_left_out_datasets_and_pending_runs(tmp_path: Path) -> None:
    """A left-out dataset and pending runs have one note each."""
    left_out = [{"dataset": "hateful_memes", "reason": "it has no audio, and factors.rank is about it"}]
    store = make_store(tmp_path, confirm_runs({0: [(1, 1), (2, 2)]}, rank=2), left_out=left_out, finished_at=None)
    assert rank_store(store).notes == (
        "hateful_memes is left out: it has no audio, and factors.rank is about it.",
        "The sweep is not finished: 2 of its runs have ended.",
    )


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (12, "12"), (0.00123456, "0.001235"), ("jwae", "jwae")])
def test_levels_are_short(value: object, text: str) -> None:
    """Levels are shown with at most four significant digits."""
    assert format_cell_value(value) == text
