"""`tcray data`: list, describe, import, twin."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tcray.cli.data import command
from tcray.data.catalog import TWIN_ONLY
from tcray.errors import DataError
from tests.data.factories import memes_folder, mosi_folder


def run(*arguments: str) -> str:
    """Return the output of `tcray data`; a TcrayError is raised, as for `tcray`."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False).stdout


def test_the_list_shows_imported_datasets_and_twins(tmp_path: Path) -> None:
    """It shows sizes, widths and fingerprints, and the commands that import the missing datasets."""
    run("import", "mosi", "--from", str(mosi_folder(tmp_path / "files")), "--root", str(tmp_path / "data"))
    lines = run("list", "--root", str(tmp_path / "data")).splitlines()
    assert lines[0].split() == ["dataset", "source", "train/valid/test", "fingerprint"]
    assert lines[1].split()[:3] == ["mosi", "real", "8/6/15"]
    assert lines[2].strip() == "text 3, audio 2, video 4"
    assert lines[3].split()[:5] == ["mosi-heldout", "real", "21", "in", "5"]
    assert lines[5].split()[:3] == ["mustard", "twin", "284/50/356"]
    assert lines[6].strip() == "text 300, audio 283, video 2048"
    heading = lines.index("A synthetic twin replaces a dataset until it is imported:")
    assert lines[heading + 1] == f"  tcray data import mustard --from PATH --root {tmp_path}/data"
    assert max(len(line) for line in lines if "import" not in line) <= 80


def test_the_list_ends_with_twins_of_known_truth(tmp_path: Path) -> None:
    """No command imports them."""
    lines = run("list", "--root", str(tmp_path)).splitlines()
    known = lines[lines.index("These datasets are synthetic; the correct result of a sweep of each is known:") :]
    assert [line.split()[0] for line in known if line.startswith("twin-")] == list(TWIN_ONLY)
    assert not any("import " in line for line in known)


def test_an_import_prints_the_written_files(tmp_path: Path) -> None:
    """The output has one line per protocol, and the notes on the data."""
    folder, root = memes_folder(tmp_path / "files"), tmp_path / "data"
    assert run("import", "hateful_memes", "--from", str(folder), "--root", str(root)).splitlines() == [
        f"{root}/hateful_memes.json: 12/4/6; text 3, image 2",
        "- Tested on test_seen.",
    ]


def test_a_description_shows_labels_features_and_the_leak(tmp_path: Path) -> None:
    """The description fits into 80 columns."""
    root = str(tmp_path / "data")
    run("import", "mosi", "--from", str(mosi_folder(tmp_path / "files")), "--root", root)
    lines = run("describe", "mosi", "--root", root).splitlines()
    assert lines[0] == "mosi (real): regression, measured by MAE"
    assert lines[1].startswith("8/6/15; fingerprint ")
    assert lines[3].split() == ["labels", "examples", "videos", "mean", "sd", *map(str, range(-3, 4))]
    assert [line.split()[:3] for line in lines[4:7]] == [["train", "8", "3"], ["valid", "6", "2"], ["test", "15", "5"]]
    assert [line.split()[:2] for line in lines[9:12]] == [["text", "3"], ["audio", "2"], ["video", "4"]]
    assert "- The features of the train split were learned from its labels. Validation and" in lines
    assert max(map(len, lines)) <= 80


def test_a_description_names_a_twin_as_such(tmp_path: Path) -> None:
    """The first line and the remarks mention it."""
    text = run("describe", "mustard", "--root", str(tmp_path))
    assert text.startswith("mustard (twin): classification, measured by weighted F1\n284/50/356; fingerprint ")
    assert "- Synthetic: generated from a recipe with a planted truth of rank 2." in text


def test_a_twin_is_written(tmp_path: Path) -> None:
    """Card, arrays and recipe are files."""
    assert run("twin", "mosi", "--to", str(tmp_path)).startswith(f"{tmp_path}/mosi.json: 1447/250/502; ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mosi.json", "mosi.npz", "mosi.recipe.json"]


@pytest.mark.parametrize(
    "arguments", [("describe", "mossi"), ("import", "mosi", "--from", "nowhere"), ("twin", "x", "--to", "nowhere")]
)
def test_bad_input_exits_2(arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written."""
    monkeypatch.chdir(tmp_path)
    outcome = CliRunner().invoke(command, arguments)
    assert isinstance(outcome.exception, DataError)
    assert (outcome.exception.exit_code, list(tmp_path.iterdir())) == (2, [])
