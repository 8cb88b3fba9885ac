"""`tcray trials`: every run of a sweep."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet

from tcray.cli import main
from tcray.cli.trials import command
from tcray.errors import InputError
from tcray.store.store import Store
from tcray.store.trials import records
from tests.store.recorded import SWEEP_ID, a_manifest, a_sweep


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The small sweep in `trials/`, and a terminal of 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    opened = Store.open("trials/", create=True)
    a_sweep(opened)
    return opened


def said(*arguments: str) -> Result:
    """What `tcray trials` says; a TcrayError is raised, as it would be to `tcray`."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_json_is_a_list_of_records(store: Store):
    """An object a run, in the order and with the names of `records`; NaN is null."""
    result = said("rank", "--format", "json")
    assert result.exit_code == 0
    expected = [{**record, "train.loss": None} for record in records(store.sweep(SWEEP_ID))]
    assert json.loads(result.stdout) == expected
    assert list(json.loads(result.stdout)[0]) == list(expected[0])
    assert result.stderr == "sweep rank-1a2b3c4d5e6f, started 2026-05-04 12:30\n"


def test_csv_has_a_header_and_a_line_a_run(store: Store):
    """What does not apply, and NaN, is empty."""
    rows = list(csv.DictReader(io.StringIO(said("rank", "--format", "csv").stdout)))
    assert len(rows) == 12
    assert [rows[0][name] for name in ("dataset", "rank", "test.mae", "test.f1", "train.loss")] == [
        "mosi",
        "1",
        "0.75",
        "",
        "",
    ]


def test_parquet_goes_to_a_file_or_a_pipe(store: Store):
    """With a column a name."""
    assert said("rank", "--format", "parquet", "-o", "runs.parquet").stdout == ""
    piped = pa.BufferReader(said("rank", "--format", "parquet").stdout_bytes)
    assert parquet.read_table("runs.parquet").num_rows == 12
    assert parquet.read_table(piped).column_names == parquet.read_table("runs.parquet").column_names


def test_parquet_is_not_thrown_at_a_terminal(store: Store, monkeypatch: pytest.MonkeyPatch):
    """It names the option that is missing."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(InputError) as caught:
        command.callback("rank", "trials/", None, "parquet", None)
    assert caught.value.message == "parquet is not for reading in a terminal"
    assert caught.value.remedy == "Name a file with -o."


def test_the_table_fits_eighty_columns(store: Store):
    """Dataset, state, what the sweep asks about, its objective, what bears verdicts; then what else differs."""
    lines = said("rank").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["dataset", "state", "rank", "valid.loss", "test.mae", "test.f1", "lr"]
    assert lines[1].split() == ["mosi", "COMPLETE", "1", "0.5", "0.75", "0.01"]
    assert lines[-2].split() == ["mustard", "(twin)", "FAILED:", "diverged", "4", "0.9", "1.15", "0.02"]
    assert lines[-1] == "12 runs, 4 more columns in a wider terminal or with --format csv"


def test_a_wide_terminal_shows_all_in_which_runs_differ(store: Store, monkeypatch: pytest.MonkeyPatch):
    """And nothing in which they do not."""
    monkeypatch.setenv("COLUMNS", "1000")
    lines = said("rank").stdout.splitlines()
    assert {"phase", "seed", "run_id"} < set(lines[0].split())
    assert not {"fusion", "host", "repeat", "modalities", "modality_dropout.audio", "train.loss"} & set(
        lines[0].split()
    )
    assert lines[-1] == "12 runs"


def test_where_keeps_the_runs_for_which_it_holds(store: Store):
    """In every format."""
    kept = json.loads(said("rank", "--where", 'rank == 4 and state == "COMPLETE"', "--format", "json").stdout)
    assert [(run["rank"], run["state"]) for run in kept] == [(4, "COMPLETE")] * 4
    assert said("rank", "--where", "rank == 5", "--format", "json").stdout == "[]\n"
    assert said("rank", "--where", "rank == 5", "--format", "csv").stdout.count("\n") == 1
    assert said("rank", "--where", "rank == 5").stdout == "no run\n"


def test_where_names_the_nearest_column(store: Store):
    """An InputError, which ends with exit code 2."""
    with pytest.raises(InputError) as caught:
        said("rank", "--where", "rnk == 4")
    assert caught.value.message == "--where: there is no column 'rnk'"
    assert caught.value.remedy.startswith("Did you mean rank?")


def test_a_sweep_without_runs_says_so(store: Store):
    """Whatever is asked of it."""
    store.sweep("new-1").write_manifest(a_manifest("new-1", name="new"))
    assert said("new").stdout == "no run\n"
    assert said("new", "--where", "rank == 4", "--format", "json").stdout == "[]\n"


def test_a_file_that_cannot_be_written_is_named(store: Store):
    """Another can be named."""
    with pytest.raises(InputError) as caught:
        said("rank", "-o", "nowhere/runs.txt")
    assert (
        str(caught.value) == "nowhere/runs.txt cannot be written: No such file or directory\nName another file with -o."
    )


def test_what_is_wrong_is_said_on_stderr(store: Store):
    """In a sentence and a remedy, with exit code 2; nothing goes to stdout."""
    result = CliRunner().invoke(main, ["trials", "rnak"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: no sweep is called 'rnak' in {store.uri}\nDid you mean rank?\n"


def test_an_unknown_format_is_a_usage_error(store: Store):
    """Exit code 2, with those there are."""
    result = CliRunner().invoke(command, ["rank", "--format", "xml"])
    assert result.exit_code == 2
    assert "'table', 'csv', 'json', 'parquet'" in result.stderr
