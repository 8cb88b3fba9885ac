"""Learning curves of cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tcray.claims.units import group_confirm_runs
from tcray.results.runs.learning_curves import load_learning_curves
from tcray.statistics.estimate import Estimate
from tcray.store.trials import read_records
from tests.claims.factories import make_run, make_store, make_sweep


def test_means_and_half_widths_equal_those_of_estimate(tmp_path: Path):
    """Means and half-widths equal those of `Estimate` for any number of runs, metrics and epochs."""
    draw = np.random.default_rng(0)
    runs = [
        make_run({}, rank=rank, repeat=repeat, seed=seed, trial=repeat)
        for rank, repeats in ((2, 3), (12, 4))
        for repeat in range(repeats)
        for seed in range(2 * repeat, 2 * repeat + 2)
    ]
    rows = [
        {**_key(run), "epoch": epoch, "metrics": {"valid.mae": draw.normal(), "train.running_loss": draw.normal()}}
        for run in runs
        for epoch in (1, 2, 3, 4)
    ]
    store = make_store(tmp_path, runs, sweep=make_sweep())
    store.append("curves", rows[::-1])
    cells = {cell: group_confirm_runs([r for r in read_records(store) if r["cell"] == cell]) for cell in _cells(runs)}
    found = load_learning_curves(store, cells)
    for cell, repeats in cells.items():
        assert found[cell].keys() == {"valid.mae", "train.running_loss"}
        for metric, curve in found[cell].items():
            for epoch in (1, 2, 3, 4):
                units = [float(np.mean([_value(rows, run, epoch, metric) for run in repeat])) for repeat in repeats]
                expected = Estimate.from_units(units)
                assert curve.mean[epoch - 1] == pytest.approx(expected.mean, rel=1e-12)
                assert curve.half_width[epoch - 1] == pytest.approx(expected.half_width, rel=1e-9)


def test_search_runs_and_undefined_values_are_excluded(tmp_path: Path):
    """If one unit is not finite at an epoch, there is no mean; a metric that no unit has is omitted."""
    runs = [make_run({}, rank=2, repeat=repeat, seed=repeat) for repeat in (0, 1)]
    search = make_run({}, phase="search", rank=2, seed=7)
    store = make_store(tmp_path, [*runs, search])
    recorded = [(runs[0], 1, 1.0), (runs[1], 1, 3.0), (runs[0], 2, 1.0), (runs[1], 2, float("inf")), (search, 1, 99.0)]
    store.append(
        "curves",
        [{**_key(run), "epoch": e, "metrics": {"valid.loss": v, "valid.r": float("nan")}} for run, e, v in recorded],
    )
    found = load_learning_curves(store, {"mosi/rank=2": [[run] for run in runs]})
    assert found["mosi/rank=2"].keys() == {"valid.loss"}
    assert found["mosi/rank=2"]["valid.loss"].mean.tolist()[:1] == [2.0]
    assert np.isnan(found["mosi/rank=2"]["valid.loss"].mean[1])


def test_cells_without_curves_are_omitted(tmp_path: Path):
    """A cell without units or without recorded curves is omitted."""
    run = make_run({}, rank=2)
    store = make_store(tmp_path, [run])
    assert load_learning_curves(store, {"mosi/rank=2": [[run]], "mosi/rank=12": []}) == {"mosi/rank=2": {}}


def _key(run):
    return {name: run[name] for name in ("phase", "cell", "repeat", "trial", "seed", "run_id")}


def _cells(runs):
    return dict.fromkeys(run["cell"] for run in runs)


def _value(rows, run, epoch, metric):
    same = (row for row in rows if all(row[name] == run[name] for name in ("cell", "repeat", "seed")))
    return next(row["metrics"][metric] for row in same if row["epoch"] == epoch)
