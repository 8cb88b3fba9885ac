"""`tcray compare`: sweeps side by side in TensorBoard."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tcray.cli import main
from tcray.store.store import SweepStore
from tests.results.output.tensorboard.comparing import files, planted_runs, planted_store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepStore:
    """Ranks 2 and 12 in `trials/`, where the command is said."""
    monkeypatch.chdir(tmp_path)
    return planted_store(tmp_path, planted_runs([{"rank": 2}, {"rank": 12}]))


def said(*arguments: str) -> Result:
    """What `tcray compare` says."""
    return CliRunner().invoke(main, ["compare", *arguments])


def test_it_says_where_and_how_to_look(store: SweepStore):
    """A line a sweep, and the command that shows them; a sweep that is named twice is written once."""
    result = said("small", "small-1")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        ["comparisons/small-1: 2 cells", "Open it with: tensorboard --logdir comparisons"],
    )
    assert "comparisons/small-1/mosi/rank=2" in {str(path.parent) for path in Path("comparisons").rglob("events*")}


def test_a_logdir_is_quoted_for_the_shell(store: SweepStore):
    """Where it has to be."""
    assert said("small", "--logdir", "my logs").stdout.splitlines()[-1] == (
        "Open it with: tensorboard --logdir 'my logs'"
    )


def test_many_runs_must_be_chosen(store: SweepStore):
    """TensorBoard's older tabs show none of more than 40 by themselves."""
    store.append("runs", planted_runs([{"rank": rank} for rank in range(20, 59)]))
    lines = said("small").stdout.splitlines()
    assert lines[0] == "comparisons/small-1: 41 cells, 39 of them without a complete confirm run"
    assert lines[2] == (
        "With more than 40 runs, TensorBoard selects none in Text, Images and Custom Scalars: "
        "filter the runs by `verdicts` or by a part of a cell's name."
    )


def test_a_sweep_without_runs_says_so(store: SweepStore):
    """Its verdicts can be looked at all the same."""
    planted_store(Path("other"), [])
    lines = said("small", "--store", "other/trials").stdout.splitlines()
    assert lines[0] == "comparisons/small-1: no cell has a run yet"


def test_an_unknown_sweep_names_the_nearest(store: SweepStore):
    """In a sentence and a remedy, with exit code 2; nothing is written."""
    result = said("smalls")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: no sweep is called 'smalls' in {store.uri}\nDid you mean small or small-1?\n"
    assert not Path("comparisons").exists()


def test_a_logdir_that_is_a_file_is_wrong_input(store: SweepStore):
    """A sentence on stderr, with exit code 2; the file stays."""
    Path("notes").write_text("mine")
    result = said("small", "--logdir", "notes")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("Error: notes is a file\nName a folder with --logdir.\n")
    assert Path("notes").read_text() == "mine"


def test_a_folder_in_the_way_is_wrong_input(store: SweepStore):
    """Nothing in it is touched."""
    Path("comparisons/small-1").mkdir(parents=True)
    Path("comparisons/small-1/notes").write_text("mine")
    result = said("small")
    assert result.exit_code == 2
    assert "comparisons/small-1 is there already, and `tcray compare` did not write it" in result.stderr
    assert files(Path("comparisons")) == {"small-1/notes": b"mine"}


def test_a_sweep_must_be_named(store: SweepStore):
    """A usage error."""
    result = said()
    assert result.exit_code == 2
    assert "Missing argument 'SWEEP...'" in result.stderr
