"""Sweeps from Python: stated without a file, run anywhere, read back as DataFrames, verdicts and figures."""

from __future__ import annotations

import asyncio
import doctest
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.figure import Figure

import tcray
from tcray.api import sweeps
from tcray.config.load import load_sweep

KEYS: dict[str, Any] = {
    "name": "first",
    "claims": ["rank-generalisation"],
    "datasets": ["twin-flat"],
    "factors": {"rank": [1, 2, 4]},
    "tune": {"lr": {"log_uniform": [1.0e-3, 1.0e-2]}},
    "training": {"epochs": 2},
    "search": {"trials": 2, "wave": 2},
    "confirm": {"repeats": 2, "seeds": 2},
    "resources": {"device": "cpu"},
}


def test_the_package_loads_nothing_heavy() -> None:
    """`import tcray` imports neither torch nor Ray, Optuna, pandas, pyarrow or numpy; every public name is there."""
    script = (
        "import sys, tcray\n"
        "heavy = {'torch', 'ray', 'optuna', 'pandas', 'pyarrow', 'numpy'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
        "assert set(tcray.__all__) <= set(dir(tcray))\n"
        "[getattr(tcray, name) for name in tcray.__all__]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_doctests() -> None:
    """The examples in the docstrings of the package and of `Sweep` hold."""
    for module in (tcray, sweeps):
        outcome = doctest.testmod(module)
        assert (0, True) == (outcome.failed, outcome.attempted > 0)


def test_keys_and_file_are_the_same_sweep(tmp_path: Path) -> None:
    """A sweep of keyword arguments equals that of a file with these keys; so does that of a mapping."""
    file = tmp_path / "first.yaml"
    file.write_text(
        "name: first\nclaims: [rank-generalisation]\ndatasets: [twin-flat]\nfactors: {rank: [1, 2, 4]}\n"
        "tune: {lr: {log_uniform: [1.0e-3, 1.0e-2]}}\ntraining: {epochs: 2}\nsearch: {trials: 2, wave: 2}\n"
        "confirm: {repeats: 2, seeds: 2}\nresources: {device: cpu}\n"
    )
    expected = load_sweep(file).to_document()
    for found in (tcray.Sweep(**KEYS), tcray.load_sweep(KEYS), tcray.load_sweep(file), tcray.load_sweep(str(file))):
        assert isinstance(found, tcray.Sweep)
        assert expected == found.to_document()


def test_every_problem_of_the_keys_is_reported() -> None:
    """Wrong keys raise one InputError that names each of them, and the nearest valid name."""
    with pytest.raises(tcray.InputError) as raised:
        tcray.Sweep(
            name="first", datasets=["twin-flat"], training={"epochs": 0}, factors={"rnk": [1], "rank": [object()]}
        )
    assert "factors.rank[0]: expected a plain value, found object" in str(raised.value)
    with pytest.raises(tcray.InputError) as raised:
        tcray.Sweep(name="first", datasets=["twin-flat"], training={"epochs": 0}, factors={"rnk": [1]})
    assert 'factors.rnk: no such hyperparameter; did you mean "rank"?' in str(raised.value)
    assert "training.epochs: expected at least 1, found 0" in str(raised.value)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tcray.StoredSweep:
    """A small sweep, run in a thread other than the main one, inside a running asyncio loop."""
    store = tmp_path_factory.mktemp("front") / "trials"
    found: list[tcray.StoredSweep] = []

    async def session() -> None:
        found.append(tcray.run(KEYS, store))

    thread = threading.Thread(target=lambda: asyncio.run(session()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.slow
def test_runs_are_one_row_each(stored: tcray.StoredSweep) -> None:
    """Runs come as a DataFrame or an Arrow table with flat columns: hyperparameters and metrics by name."""
    frame, table = stored.runs(), stored.runs(as_="arrow")
    assert isinstance(frame, pd.DataFrame)
    assert isinstance(table, pa.Table)
    assert list(frame.columns) == table.column_names
    confirm = frame[frame["phase"] == "confirm"]
    assert 3 * 2 * 2 == len(confirm)
    assert {"lr", "rank", "valid.loss", "test.mae"} <= set(frame.columns)
    assert {1, 2, 4} == set(frame["rank"])
    with pytest.raises(tcray.InputError, match="expected 'pandas' or 'arrow'"):
        stored.runs(as_="polars")  # type: ignore[call-overload]  # it is refused


@pytest.mark.slow
def test_best_has_the_chosen_configuration_of_each_cell(stored: tcray.StoredSweep) -> None:
    """One row per cell, best on validation first, with the learning rate of its best repeat and mean test metrics."""
    best, runs = stored.best("twin-flat"), stored.runs()
    assert {1, 2, 4} == set(best["rank"])
    assert best["valid.loss"].is_monotonic_increasing
    row = best.iloc[0]
    confirm = runs[(runs["phase"] == "confirm") & (runs["cell"] == row["cell"])]
    by_repeat = confirm.groupby("repeat")["valid.loss"].mean()
    assert by_repeat.mean() == pytest.approx(row["valid.loss"])
    assert confirm[confirm["repeat"] == by_repeat.idxmin()]["lr"].iloc[0] == row["lr"]
    with pytest.raises(tcray.InputError, match="has no dataset 'mosi'\nIt has: twin-flat"):
        stored.best("mosi")


@pytest.mark.slow
def test_verdicts_figures_and_report(stored: tcray.StoredSweep, tmp_path: Path) -> None:
    """Verdicts display as a table; figures are matplotlib's; the report is one file."""
    (verdict,) = stored.verdicts
    assert ("rank-generalisation", "twin-flat", "twin") == (verdict.claim, verdict.dataset, verdict.source)
    assert f"<b>{verdict.verdict}</b>" in stored.verdicts._repr_html_()
    assert [verdict.claim] == list(stored.verdicts.to_frame()["claim"])
    assert isinstance(stored.figure("rank", "twin-flat"), Figure)
    with pytest.raises(tcray.InputError, match="has no figure of 'colour' on 'twin-flat'"):
        stored.figure("colour", "twin-flat")
    assert "</html>" in stored.report(tmp_path / "report.html").read_text("utf-8")


@pytest.mark.slow
def test_a_finished_sweep_opens_by_name_and_trains_nothing(stored: tcray.StoredSweep) -> None:
    """`open_sweep` finds it by name, `list_sweeps` lists it, and running it again trains nothing."""
    store = stored.store_uri
    assert stored.id == tcray.open_sweep("first", store).id
    (row,) = tcray.list_sweeps(store).to_dict("records")
    assert ("first", stored.id, 0) == (row["name"], row["sweep_id"], row["failed"])
    before = stored.runs()["ended_at"].max()
    assert before == tcray.run(stored.sweep, store).runs()["ended_at"].max()
    with pytest.raises(tcray.InputError, match="frist"):
        tcray.open_sweep("frist", store)


@pytest.mark.slow
def test_model_of_a_run(stored: tcray.StoredSweep) -> None:
    """A confirm run has a model; a search run, an unknown run and wrong inputs have a sentence."""
    runs = stored.runs()
    confirm, search = (runs[runs["phase"] == phase]["run_id"].iloc[0] for phase in ("confirm", "search"))
    model = stored.model(confirm)
    inputs = {name: [[0.0] * width] * 3 for name, width in model.modalities.items()}
    assert (3,) == model.predict(inputs).shape
    with pytest.raises(tcray.InputError, match="has no stored weights: it is a search run"):
        stored.model(search)
    with pytest.raises(tcray.InputError, match="has no run 'x'"):
        stored.model("x")
    name = next(iter(model.modalities))
    with pytest.raises(tcray.InputError, match=f"modality '{name}' is missing"):
        model.predict({})
    with pytest.raises(tcray.InputError, match="has shape"):
        model.predict({**inputs, name: [[0.0]]})
