"""`tcray results`: the analyses of a sweep, in the terminal and as files."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result

from tcray.cli import cached_analysis, main, progress
from tcray.config.sweep import Confirm
from tcray.results.output.document import build_results_schema
from tests.claims.factories import (
    MOSI,
    RunOutcome,
    SyntheticDataset,
    make_labels,
    make_predictions,
    make_recorded_store,
    make_sweep,
)

SWEEP = make_sweep(
    question="Where does rank do best?",
    claims=("rank-generalisation",),
    factors={"rank": (1, 2, 4, 8, 16)},
    tune={},
    search=None,
    confirm=Confirm(seeds=6),
)
ERROR = {1: 1.0, 2: 0.9, 4: 0.7, 8: 0.9, 16: 1.0}
"""By rank: best at 4, far beyond the noise."""


MANIFEST = {"engine": "2", "sessions": [], "planned_runs": 30, "device": "cpu", "objective": "valid.loss"}
"""What a driver writes beside."""


def make_outcome(levels: Any, repeat: int, seed: int) -> RunOutcome:
    """Return a run whose error is that of its rank, with a little noise."""
    noise = np.random.default_rng([levels["rank"], seed]).normal(0, 0.01, len(make_labels(MOSI)))
    metrics = {"valid.loss": ERROR[levels["rank"]], "train.loss": 1 / levels["rank"] + noise[0], "last.test.loss": 1.0}
    return RunOutcome(make_predictions(make_labels(MOSI), ERROR[levels["rank"]] + noise), metrics=metrics)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory, with the sweep in `trials/`; set a terminal of 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    make_recorded_store(tmp_path, SWEEP, SyntheticDataset.of(MOSI, make_outcome), **MANIFEST)
    return tmp_path


def run(*arguments: str | Path) -> Result:
    """Run `tcray results`."""
    return CliRunner().invoke(main, ["results", *map(str, arguments)])


def test_the_output_goes_from_the_question_to_the_ranking(folder: Path) -> None:
    """Verdicts, one table per claim, the optima, then cells and baselines; no line exceeds 80 columns."""
    result = run("small")
    assert (result.exit_code, result.stderr) == (0, "sweep small-1, started 2026-01-01 00:00\n")
    lines = result.stdout.splitlines()
    places = [
        lines.index("Where does rank do best?"),
        next(n for n, line in enumerate(lines) if line.startswith("  SUPPORTED     mosi (p < 0.001, 6 seeds)")),
        lines.index("rank-generalisation"),
        next(n for n, line in enumerate(lines) if line.split()[:4] == ["mosi", "MAE", "4", "4"]),
        next(n for n, line in enumerate(lines) if line.startswith("ridge: all")),
    ]
    assert sorted(places) == places
    assert max(map(len, lines)) <= 80


def test_the_document_is_valid_and_reproducible(folder: Path) -> None:
    """`tcray schema --results` prints its schema; the same store gives the same bytes."""
    result = run("small", "--json", "results.json")
    assert (result.exit_code, result.stderr.splitlines()[1:]) == (0, ["results.json is written"])
    schema = json.loads(CliRunner().invoke(main, ["schema", "--results"]).stdout)
    assert schema == build_results_schema()
    first = Path("results.json").read_bytes()
    jsonschema.validate(json.loads(first), schema)
    run("small", "--json", "results.json")
    assert Path("results.json").read_bytes() == first
    assert sorted(path.name for path in folder.iterdir()) == ["results.json", "trials"]


def test_report_and_document_can_both_be_written(folder: Path) -> None:
    """The terminal shows the same as without them."""
    result = run("small", "--html", "report.html", "--json", "results.json")
    assert result.stderr.splitlines()[1:] == ["report.html is written", "results.json is written"]
    assert result.stdout == run("small").stdout
    assert Path("report.html").read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("file", "why"),
    [("nowhere/file", "there is no folder nowhere"), ("trials", "it is a folder")],
)
@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_file_that_cannot_be_written_is_named(folder: Path, option: str, file: str, why: str) -> None:
    """The exit code is 2, and no file is left behind."""
    before = sorted(folder.rglob("*"))
    result = run("small", option, file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[1:] == [f"Error: {file} cannot be written: {why}", "Name another file."]
    assert sorted(folder.rglob("*")) == before


def test_a_full_disk_leaves_the_old_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other file is left beside it."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    Path("results.json").write_text("before")
    monkeypatch.setattr(Path, "replace", full)
    result = run("small", "--json", "results.json")
    assert result.exit_code == 2
    assert result.stderr.endswith(
        "Error: results.json cannot be written: No space left on device\nName another file.\n"
    )
    assert [path.read_text() for path in folder.iterdir() if path.is_file()] == ["before"]


def test_a_link_stays_a_link(folder: Path) -> None:
    """Its target is written."""
    Path("link.json").symlink_to("real.json")
    run("small", "--json", "link.json")
    assert Path("link.json").is_symlink()
    assert json.loads(Path("real.json").read_text("utf-8"))["sweep_id"] == "small-1"


def test_a_pipe_is_written_to_and_not_replaced(folder: Path) -> None:
    """The same holds for devices such as /dev/stdout."""
    os.mkfifo("pipe")
    with ThreadPoolExecutor() as threads:
        read = threads.submit(Path("pipe").read_text, "utf-8")
        run("small", "--json", "pipe")
    assert json.loads(read.result())["sweep_id"] == "small-1"
    assert Path("pipe").is_fifo()


def test_an_unfinished_sweep_has_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results use the finished runs, and a note states this; a claim that lacks runs is not testable."""
    monkeypatch.chdir(tmp_path)

    def begun(levels: Any, repeat: int, seed: int) -> RunOutcome | None:
        return make_outcome(levels, repeat, seed) if levels["rank"] < 4 and seed < 2 else None

    make_recorded_store(tmp_path, SWEEP, SyntheticDataset.of(MOSI, begun), finished_at=None, **MANIFEST)
    result = run("small")
    assert result.exit_code == 0, result.stderr
    assert "The sweep is not finished: these results use the runs that have ended so far" in result.stdout
    assert "NOT TESTABLE  mosi" in result.stdout
    assert "The sweep is not finished: 4 of its runs have ended." in result.stdout


def test_a_sweep_without_runs_has_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No claim is testable, and the reason is printed."""
    monkeypatch.chdir(tmp_path)
    make_recorded_store(tmp_path, SWEEP, SyntheticDataset.of(MOSI, lambda *_: None), finished_at=None, **MANIFEST)
    result = run("small", "--json", "results.json")
    assert result.exit_code == 0, result.stderr
    assert "NOT TESTABLE  mosi\n    No confirm run on mosi is complete: run the sweep to its end.\n" in result.stdout
    jsonschema.validate(json.loads(Path("results.json").read_text("utf-8")), build_results_schema())


def test_a_slow_analysis_is_announced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines are on stderr, and stdout is the same; the cached analysis is not announced."""
    quick = run("small").stdout
    monkeypatch.setattr(progress, "DELAY_SECONDS", 0.05)
    monkeypatch.setattr(cached_analysis, "open_cache", lambda: None)
    result = run("small", "--html", "report.html")
    assert result.stderr.splitlines()[1:] == [
        "analyzing the runs of small-1 …",
        "drawing the figures of the report …",
        "report.html is written",
    ]
    assert result.stdout == quick


def test_the_report_is_opened_in_the_browser(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --html the report is named after the sweep; without a browser the file is named."""
    opened: list[str] = []

    def open_twice(uri: str) -> bool:
        opened.append(uri)
        return len(opened) < 3

    monkeypatch.setattr("webbrowser.open", open_twice)
    assert run("small", "--open").stderr.splitlines()[1:] == ["small-1.html is written"]
    run("small", "--open", "--html", "my report.html")
    assert opened == [(folder / name).as_uri() for name in ("small-1.html", "my report.html")]
    assert run("small", "--open").stderr.splitlines()[-1] == "no browser was found; open small-1.html in one"


@pytest.mark.slow
def test_the_backend_of_a_notebook_is_ignored(folder: Path) -> None:
    """Jupyter names a backend of its own environment to its children, which this environment need not have."""
    ran = subprocess.run(
        [sys.executable, "-m", "tcray", "results", "small", "--html", "report.html"],
        env={**os.environ, "MPLBACKEND": "module://a_backend_of_another_environment"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, Path("report.html").is_file()) == (0, True), ran.stderr


def test_an_unknown_sweep_is_wrong_input(folder: Path) -> None:
    """The remedy has the nearest names."""
    result = run("smal1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Did you mean small-1 or small?" in result.stderr
