"""`tcray compare`: sweeps side by side in TensorBoard."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tcray.cli import main
from tcray.store.store import SweepStore
from tests.results.output.tensorboard.factories import make_recorded_store, make_runs, read_files


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepStore:
    """Ranks 2 and 12 in `trials/` of the working directory."""
    monkeypatch.chdir(tmp_path)
    return make_recorded_store(tmp_path, make_runs([{"rank": 2}, {"rank": 12}]))


def run(*arguments: str) -> Result:
    """Run `tcray compare`."""
    return CliRunner().invoke(main, ["compare", *arguments])


def test_folders_and_the_command_are_printed(store: SweepStore) -> None:
    """The output has one line per sweep, then the command; a sweep that is named twice is written once."""
    result = run("small", "small-1")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        ["comparisons/small-1/mosi: 2 cells", "Open it with: tensorboard --logdir comparisons"],
    )
    assert "comparisons/small-1/mosi/rank=2" in {str(path.parent) for path in Path("comparisons").rglob("events*")}


def test_a_logdir_is_quoted_for_the_shell(store: SweepStore) -> None:
    """Quotes are added if they are needed."""
    assert run("small", "--logdir", "my logs").stdout.splitlines()[-1] == (
        "Open it with: tensorboard --logdir 'my logs'"
    )


def test_of_many_cells_the_best_are_shown(store: SweepStore) -> None:
    """TensorBoard selects no run at all if there are more than 40."""
    store.append("runs", make_runs([{"rank": rank} for rank in range(20, 59)]))
    lines = run("small").stdout.splitlines()
    assert lines == [
        (
            "comparisons/small-1/mosi: 41 cells, the best 39 by validation are shown, "
            "37 of them without a complete confirm run"
        ),
        "Open it with: tensorboard --logdir comparisons",
    ]


def test_a_sweep_without_runs_is_written(store: SweepStore) -> None:
    """Its verdicts can be shown nevertheless."""
    make_recorded_store(Path("other"), [])
    lines = run("small", "--store", "other/trials").stdout.splitlines()
    assert lines[0] == "comparisons/small-1/mosi: no cell has a run yet"


def test_an_unknown_sweep_names_the_nearest(store: SweepStore) -> None:
    """A message and a remedy are printed, with exit code 2; nothing is written."""
    result = run("smalls")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: no sweep is called 'smalls' in {store.uri}\nDid you mean small or small-1?\n"
    assert not Path("comparisons").exists()


def test_a_logdir_that_is_a_file_is_wrong_input(store: SweepStore) -> None:
    """The message is on stderr, the exit code is 2, and the file is kept."""
    Path("notes").write_text("mine")
    result = run("small", "--logdir", "notes")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("Error: notes is a file\nName a folder with --logdir.\n")
    assert Path("notes").read_text() == "mine"


def test_a_folder_in_the_way_is_wrong_input(store: SweepStore) -> None:
    """Nothing in it is touched."""
    Path("comparisons/small-1/mosi").mkdir(parents=True)
    Path("comparisons/small-1/mosi/notes").write_text("mine")
    result = run("small")
    assert result.exit_code == 2
    assert "comparisons/small-1/mosi exists, and `tcray compare` did not write it" in result.stderr
    assert read_files(Path("comparisons")) == {"small-1/mosi/notes": b"mine"}


def test_a_sweep_must_be_named(store: SweepStore) -> None:
    """Without one there is a usage error."""
    result = run()
    assert result.exit_code == 2
    assert "Missing argument 'SWEEP...'" in result.stderr
