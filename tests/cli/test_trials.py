"""`tcray trials`: the runs of a sweep."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet

from tcray.cli import main
from tcray.cli.trials import Selection, command, sort_runs
from tcray.errors import InputError
from tcray.store.store import Store
from tcray.store.trials import Trials, read_records
from tests.store.factories import SWEEP_ID, make_manifest, make_stored_sweep


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return a store in `trials/` with the small sweep; set a terminal of 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    opened = Store.open("trials/", create=True)
    make_stored_sweep(opened)
    return opened


def run(*arguments: str) -> Result:
    """Run `tcray trials`; a TcrayError is raised, as for `tcray`."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def read_csv(*arguments: str) -> list[dict[str, str]]:
    """Return the rows of `tcray trials rank --format csv`."""
    return list(csv.DictReader(io.StringIO(run("rank", "--format", "csv", *arguments).stdout)))


def test_json_is_a_list_of_records(store: Store) -> None:
    """JSON has one object per run, in the order and with the names of `records`; NaN is null."""
    result = run("rank", "--format", "json")
    assert result.exit_code == 0
    expected = [{**record, "train.loss": None} for record in read_records(store.sweep(SWEEP_ID))]
    assert json.loads(result.stdout) == expected
    assert list(json.loads(result.stdout)[0]) == list(expected[0])
    assert result.stderr == "sweep rank-1a2b3c4d5e6f, started 2026-05-04 12:30\n"


def test_csv_has_a_header_and_one_line_per_run(store: Store) -> None:
    """Values that do not apply, and NaN, are empty."""
    rows = read_csv()
    assert len(rows) == 12
    assert [rows[0][name] for name in ("dataset", "rank", "test.mae", "test.f1", "train.loss")] == [
        "mosi",
        "1",
        "0.75",
        "",
        "",
    ]


def test_parquet_goes_to_a_file_or_a_pipe(store: Store) -> None:
    """Both have one row per run and the same columns."""
    assert run("rank", "--format", "parquet", "-o", "runs.parquet").stdout == ""
    piped = pa.BufferReader(run("rank", "--format", "parquet").stdout_bytes)
    assert parquet.read_table("runs.parquet").num_rows == 12
    assert parquet.read_table(piped).column_names == parquet.read_table("runs.parquet").column_names


def test_parquet_is_not_written_to_a_terminal(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy names the missing option."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert command.callback is not None
    with pytest.raises(InputError) as caught:
        command.callback("rank", "trials/", None, None, None, None, "parquet", None, all_=False)
    assert caught.value.message == "parquet is not readable in a terminal"
    assert caught.value.remedy == "Name a file with -o."


def test_the_table_fits_eighty_columns(store: Store) -> None:
    """The objective follows dataset and state, then factors and primary metrics, then the other columns that differ."""
    lines = run("rank").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["dataset", "state", "valid.loss", "rank", "test.mae", "test.f1", "lr"]
    assert lines[1].split() == ["mosi", "COMPLETE", "0.1", "4", "0.35", "0.01"]
    assert lines[-2].split() == ["mustard", "(twin)", "FAILED:", "diverged", "0.9", "4", "1.15", "0.02"]
    assert lines[-1] == "12 runs; 4 more columns in a wider terminal, with --columns or with --format csv"


def test_a_wide_terminal_shows_all_columns_in_which_runs_differ(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns in which no two runs of a dataset differ are left out."""
    monkeypatch.setenv("COLUMNS", "1000")
    lines = run("rank").stdout.splitlines()
    assert {"phase", "seed", "run_id"} < set(lines[0].split())
    assert not {"fusion", "host", "repeat", "modalities", "modality_dropout.audio", "train.loss"} & set(
        lines[0].split()
    )
    assert lines[-1] == "12 runs"


def select(store: Store, runs: list[dict[str, Any]], **changes: Any) -> list[str]:
    """Return the lines of the table of `runs`, in a wide terminal."""
    trials = Trials.read(store.sweep(SWEEP_ID))
    manifest = store.sweep(SWEEP_ID).read_manifest() | changes.pop("manifest", {})
    options = {"sort": None, "limit": 20, "columns": None, **changes}
    return Selection(trials, runs, manifest, **options).format_table(1000).splitlines()


def make_runs(store: Store, **columns: list[Any]) -> list[dict[str, Any]]:
    """Return complete runs of mosi that differ in `columns`."""
    record = next(run for run in read_records(store.sweep(SWEEP_ID)) if run["state"] == "COMPLETE")
    names = [name.replace("__", ".") for name in columns]
    return [{**record, **dict(zip(names, values, strict=True))} for values in zip(*columns.values(), strict=True)]


def test_a_table_shows_the_best_by_the_objective(store: Store) -> None:
    """A loss is minimized; of 30 runs the 20 best are shown, best first, and a line counts the others."""
    lines = select(store, make_runs(store, valid__loss=[(7 * i % 30) / 10 for i in range(30)]))
    assert lines[0].split() == ["dataset", "valid.loss"]
    assert [line.split()[1] for line in lines[1:-1]] == [f"{i / 10:g}" for i in range(20)]
    assert lines[-1] == "20 of 30 runs, the best by valid.loss; --all shows every run"


def test_an_objective_that_is_maximized_puts_the_largest_first(store: Store) -> None:
    """F1 is such an objective; runs without a value come last."""
    runs = make_runs(store, valid__f1=[0.5, None, 0.7, float("nan")], trial=[0, 1, 2, 3])
    lines = select(store, runs, manifest={"objective": "valid.f1"}, columns=["trial", "valid.f1"])
    assert [line.split() for line in lines[1:-1]] == [["2", "0.7"], ["0", "0.5"], ["1"], ["3", "nan"]]


def test_the_best_are_the_best_of_every_dataset(store: Store) -> None:
    """Objectives of different datasets are not comparable; complete runs precede the others."""
    lines = run("rank", "--limit", "2").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == ["mosi", "mosi", "mustard", "mustard"]
    assert "FAILED" not in "".join(lines)
    assert lines[-1].startswith("4 of 12 runs, the best by valid.loss; --all shows every run")


def test_tuned_hyperparameters_precede_factors(store: Store) -> None:
    """They follow the objective."""
    manifest = {"sweep": {"tune": [["dropout", {}]], "factors": [["rank", [1, 4]]]}}
    runs = make_runs(store, rank=[1, 4], dropout=[0.1, 0.2], valid__loss=[1.0, 2.0], lr=[0.1, 0.2])
    assert select(store, runs, manifest=manifest)[0].split() == ["dataset", "valid.loss", "dropout", "rank", "lr"]


def test_all_shows_every_run(store: Store) -> None:
    """It and --limit exclude each other."""
    runs = make_runs(store, valid__loss=[float(i) for i in range(30)])
    assert select(store, runs, limit=None)[-1] == "30 runs"
    with pytest.raises(InputError, match="--all and --limit exclude each other"):
        run("rank", "--all", "--limit", "3")


def test_sort_orders_by_any_column(store: Store) -> None:
    """A - before the name puts the largest first; the order is over all datasets, and so is the limit."""
    ascending = [row["test.mae"] for row in read_csv("--sort", "test.mae") if row["test.mae"]]
    assert ascending == sorted(ascending, key=float) != [row["test.mae"] for row in read_csv() if row["test.mae"]]
    descending = [row["test.mae"] for row in read_csv("--sort", "-test.mae") if row["test.mae"]]
    assert descending == ascending[::-1]
    lines = run("rank", "--sort", "-seconds", "--limit", "3").stdout.splitlines()
    assert len(lines) == 5
    assert lines[-1].startswith("3 of 12 runs, the first by -seconds; --all shows every run")


def test_runs_without_a_value_come_last_in_either_direction() -> None:
    """Ties keep their order."""
    runs: list[dict[str, Any]] = [
        {"x": None, "n": 0},
        {"x": 1.0, "n": 1},
        {"x": float("nan"), "n": 2},
        {"x": 2.0, "n": 3},
        {"x": 1.0, "n": 4},
    ]
    assert [run["n"] for run in sort_runs(runs, "x", descending=False)] == [1, 4, 3, 0, 2]
    assert [run["n"] for run in sort_runs(runs, "x", descending=True)] == [3, 1, 4, 0, 2]


def test_columns_are_shown_in_their_order(store: Store) -> None:
    """This holds in every format; a table then shows them even if no two runs differ in them."""
    lines = run("rank", "--columns", "seed, dataset,host").stdout.splitlines()
    assert lines[0].split() == ["seed", "dataset", "host"]
    assert list(read_csv("--columns", "seed,dataset")[0]) == ["seed", "dataset"]
    kept = json.loads(run("rank", "--columns", "seed,dataset", "--format", "json").stdout)
    assert list(kept[0]) == ["seed", "dataset"]
    piped = pa.BufferReader(run("rank", "--columns", "seed,dataset", "--format", "parquet").stdout_bytes)
    assert parquet.read_table(piped).column_names == ["seed", "dataset"]


@pytest.mark.parametrize("option", ["--sort", "--columns"])
def test_an_unknown_column_names_the_nearest(store: Store, option: str) -> None:
    """It is wrong input, with exit code 2."""
    with pytest.raises(InputError) as caught:
        run("rank", option, "tst.mae")
    assert str(caught.value) == 'there is no column "tst.mae"; did you mean "test.mae"?'


def test_a_limit_applies_to_files_if_it_is_given(store: Store) -> None:
    """Without it they contain every run."""
    assert (len(read_csv()), len(read_csv("--limit", "3"))) == (12, 3)
    assert len(json.loads(run("rank", "--limit", "3", "--format", "json").stdout)) == 3


def test_where_keeps_the_matching_runs(store: Store) -> None:
    """It applies to every format."""
    kept = json.loads(run("rank", "--where", 'rank == 4 and state == "COMPLETE"', "--format", "json").stdout)
    assert [(one["rank"], one["state"]) for one in kept] == [(4, "COMPLETE")] * 4
    assert run("rank", "--where", "rank == 5", "--format", "json").stdout == "[]\n"
    assert run("rank", "--where", "rank == 5", "--format", "csv").stdout.count("\n") == 1
    assert run("rank", "--where", "rank == 5").stdout == "no run\n"


def test_where_names_the_nearest_column(store: Store) -> None:
    """The InputError ends with exit code 2."""
    with pytest.raises(InputError) as caught:
        run("rank", "--where", "rnk == 4")
    assert caught.value.message == "--where: there is no column 'rnk'"
    assert caught.value.remedy.startswith("Did you mean rank?")


def test_a_sweep_without_runs_prints_no_run(store: Store) -> None:
    """All options give an empty result."""
    store.sweep("new-1").write_manifest(make_manifest("new-1", name="new"))
    assert run("new").stdout == "no run\n"
    assert run("new", "--where", "rank == 4", "--format", "json").stdout == "[]\n"


def test_a_file_that_cannot_be_written_is_named(store: Store) -> None:
    """The remedy is another file."""
    with pytest.raises(InputError) as caught:
        run("rank", "-o", "nowhere/runs.txt")
    assert str(caught.value) == "nowhere/runs.txt cannot be written: No such file or directory\nName another file."


def test_errors_go_to_stderr(store: Store) -> None:
    """A message and a remedy are printed, with exit code 2; stdout stays empty."""
    result = CliRunner().invoke(main, ["trials", "rnak"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: no sweep is called 'rnak' in {store.uri}\nDid you mean rank?\n"


def test_an_unknown_format_is_a_usage_error(store: Store) -> None:
    """The exit code is 2, and the message lists the formats."""
    result = CliRunner().invoke(command, ["rank", "--format", "xml"])
    assert result.exit_code == 2
    assert "'table', 'csv', 'json', 'parquet'" in result.stderr
