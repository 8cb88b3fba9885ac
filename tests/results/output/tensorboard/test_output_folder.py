"""A folder that tcray writes and replaces as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcray.errors import InputError
from tcray.results.output.tensorboard.output_folder import MARKER, OutputFolder, is_output_folder
from tests.results.output.tensorboard.factories import read_files


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder without its marker."""
    return {name: content for name, content in read_files(folder).items() if name != MARKER}


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path):
    """Files that are no longer wanted disappear, and nothing is left beside it."""
    folder = OutputFolder(tmp_path / "mosi")
    folder.replace({"a/b/one": b"1", "two": b"2"}, {})
    folder.replace({"two": b"3"}, {})
    assert {"two": b"3"} == read_folder(folder.path) == folder.read_files()
    assert [folder.path] == list(tmp_path.iterdir())


def test_a_folder_that_stays_the_same_is_not_touched(tmp_path: Path):
    """A running TensorBoard is not disturbed."""
    folder = OutputFolder(tmp_path / "mosi")
    folder.replace({"one": b"1"}, {"n": 1})
    before = folder.path.stat().st_ino
    folder.replace({"one": b"1"}, {"n": 1})
    assert before == folder.path.stat().st_ino


def test_information_is_kept_with_the_files(tmp_path: Path):
    """A folder that does not exist has none."""
    folder = OutputFolder(tmp_path / "mosi")
    assert {} == folder.read_info()
    folder.replace({}, {"sweep_id": "rank-1", "é": [1.5, None]})
    assert {"sweep_id": "rank-1", "é": [1.5, None]} == folder.read_info()


def test_a_folder_with_a_file_of_others_is_refused(tmp_path: Path):
    """It is neither replaced, moved nor deleted."""
    folder = OutputFolder(tmp_path / "mosi")
    folder.replace({"one": b"1"}, {})
    (folder.path / "notes").write_bytes(b"mine")
    for change in (lambda: folder.replace({}, {}), lambda: folder.move(tmp_path / "b"), folder.delete):
        with pytest.raises(InputError, match="mosi/notes exists, and `tcray compare` did not write it"):
            change()
    assert {"one": b"1", "notes": b"mine"} == read_folder(folder.path)


def test_an_interruption_leaves_the_old_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The next write removes what it left beside it."""
    folder = OutputFolder(tmp_path / "mosi")
    folder.replace({"old": b"1"}, {})

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", interrupt)
    with pytest.raises(KeyboardInterrupt):
        folder.replace({"new": b"2"}, {})
    assert {"old": b"1"} == read_folder(folder.path)
    monkeypatch.undo()
    folder.replace({"new": b"3"}, {})
    assert {"new": b"3"} == read_folder(folder.path)
    assert [folder.path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("marker", ["not json", "[]", '{"format": 1, "files": [], "info": {}}', '{"format": 2}'])
def test_a_damaged_marker_changes_nothing(marker: str, tmp_path: Path):
    """The error names the marker."""
    (tmp_path / "mosi").mkdir()
    (tmp_path / "mosi" / MARKER).write_text(marker)
    with pytest.raises(InputError) as caught:
        OutputFolder(tmp_path / "mosi").replace({"one": b"1"}, {})
    assert caught.value.message == f"{tmp_path / 'mosi' / MARKER} was not written by this version of `tcray compare`"
    assert read_files(tmp_path) == {f"mosi/{MARKER}": marker.encode()}


def test_an_empty_folder_may_be_written(tmp_path: Path):
    """It becomes a folder of tcray."""
    (tmp_path / "mosi").mkdir()
    assert not is_output_folder(tmp_path / "mosi")
    OutputFolder(tmp_path / "mosi").replace({}, {})
    assert is_output_folder(tmp_path / "mosi")


def test_a_moved_folder_keeps_its_files(tmp_path: Path):
    """An empty parent is removed."""
    folder = OutputFolder(tmp_path / "a/mosi")
    folder.replace({"one": b"1"}, {"n": 1})
    folder.move(tmp_path / "b/mosi")
    moved = OutputFolder(tmp_path / "b/mosi")
    assert ({"one": b"1"}, {"n": 1}) == (moved.read_files(), moved.read_info())
    assert not (tmp_path / "a").exists()
