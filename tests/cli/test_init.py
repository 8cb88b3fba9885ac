"""`tcray init`: the shipped sweep files."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tcray.cli import main
from tcray.cli.init import read_shipped_sweeps
from tcray.config.load import load_sweep

SWEEPS = Path(__file__).parents[2] / "sweeps"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to an empty working directory and return it."""
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    """Run `tcray init`."""
    return CliRunner().invoke(main, ["init", *arguments])


def test_the_shipped_files_are_those_of_the_repository() -> None:
    """The package contains the folder `sweeps/`."""
    assert read_shipped_sweeps() == {path.name: path.read_bytes() for path in sorted(SWEEPS.glob("*.yaml"))}


def test_the_files_are_written_into_sweeps() -> None:
    """Each is reported, can be run by its bare name, and is up to date the next time."""
    result = run()
    names = list(read_shipped_sweeps())
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [*(f"sweeps/{name} is written" for name in names), "Run one with: tcray sweep sweeps/quick.yaml"],
    )
    assert load_sweep("quick") == load_sweep(SWEEPS / "quick.yaml")
    assert run().stdout.splitlines()[:-1] == [f"sweeps/{name} is up to date" for name in names]


def test_an_edited_file_is_kept_unless_forced() -> None:
    """The exit code is 2, and the remedy names the command that overwrites."""
    Path("mine").mkdir()
    Path("mine/rank.yaml").write_text("name: rank\n")
    result = run("mine")
    assert (result.exit_code, result.stderr.splitlines()) == (
        2,
        [
            "mine/rank.yaml exists and differs; it was kept",
            "Error: 1 of the shipped files was not written",
            "Move your files away, or overwrite them: tcray init mine --force",
        ],
    )
    assert Path("mine/rank.yaml").read_text() == "name: rank\n"
    assert Path("mine/quick.yaml").is_file()
    assert run("mine", "--force").exit_code == 0
    assert Path("mine/rank.yaml").read_bytes() == (SWEEPS / "rank.yaml").read_bytes()


def test_a_file_in_the_place_of_the_folder_is_wrong_input() -> None:
    """Nothing is written."""
    Path("sweeps").touch()
    result = run()
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: the folder sweeps cannot be made: File exists\nName another folder.\n",
    )
