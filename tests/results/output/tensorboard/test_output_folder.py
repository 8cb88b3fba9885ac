"""A folder that knows its own files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcray.errors import InputError
from tcray.results.output.tensorboard.output_folder import MARKER, OutputFolder
from tests.results.output.tensorboard.comparing import files


def written(folder: Path) -> dict[str, bytes]:
    """What a folder holds beside its marker."""
    return {name: content for name, content in files(folder).items() if name != MARKER}


def test_files_that_are_no_longer_wanted_go(tmp_path: Path):
    """With the folders made for them, unless others keep something there."""
    folder = OutputFolder(tmp_path)
    folder.rewrite({"a/b/one": b"1", "c/two": b"2", "three": b"3"}, {})
    (tmp_path / "c/theirs").write_bytes(b"mine")
    folder.rewrite({"three": b"4"}, {})
    assert written(tmp_path) == {"c/theirs": b"mine", "three": b"4"}
    assert not (tmp_path / "a").exists()


def test_what_stays_the_same_is_not_written_again(tmp_path: Path):
    """So a TensorBoard that reads it is not disturbed."""
    folder = OutputFolder(tmp_path)
    folder.rewrite({"one": b"1", "two": b"2"}, {"n": 1})
    before = {name: (tmp_path / name).stat().st_ino for name in ("one", "two", MARKER)}
    folder.rewrite({"one": b"1", "two": b"3"}, {"n": 1})
    changed = {name for name, inode in before.items() if (tmp_path / name).stat().st_ino != inode}
    assert changed == {"two"}


def test_it_remembers_what_it_is_told(tmp_path: Path):
    """Nothing before it was told anything."""
    folder = OutputFolder(tmp_path / "new")
    assert folder.remembered() == {}
    folder.rewrite({}, {"sweep_id": "rank-1", "é": [1.5, None]})
    assert OutputFolder(tmp_path / "new").remembered() == {"sweep_id": "rank-1", "é": [1.5, None]}


def test_a_file_in_the_way_is_neither_read_nor_replaced(tmp_path: Path):
    """Refused before anything is written; one with the very same content is taken for its own."""
    folder = OutputFolder(tmp_path)
    (tmp_path / "one").write_bytes(b"mine")
    with pytest.raises(InputError, match="one is there already, and `tcray compare` did not write it"):
        folder.rewrite({"one": b"1", "two": b"2"}, {})
    assert files(tmp_path) == {"one": b"mine"}
    folder.rewrite({"one": b"mine"}, {})
    assert written(tmp_path) == {"one": b"mine"}


def test_whatever_an_interruption_left_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Both the files of before and those that were written until then: the next time makes all of it good."""
    folder = OutputFolder(tmp_path)
    folder.rewrite({"old": b"1"}, {})
    true = Path.replace

    def interrupted(path: Path, target: Path) -> Path:
        if target.name == "third":
            raise KeyboardInterrupt
        return true(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        folder.rewrite({"second": b"2", "third": b"3"}, {})
    assert written(tmp_path) == {"old": b"1", "second": b"2"}
    monkeypatch.undo()
    folder.rewrite({"third": b"4"}, {})
    assert written(tmp_path) == {"third": b"4"}


@pytest.mark.parametrize(
    "marker",
    [
        "not json",
        "[]",
        '{"format": 0, "files": [], "remembered": {}}',
        '{"format": 1, "files": ["../../precious"], "remembered": {}}',
        '{"format": 1, "files": ["/precious"], "remembered": {}}',
        '{"format": 1, "files": [""], "remembered": {}}',
        '{"format": 1, "files": [3], "remembered": {}}',
    ],
)
def test_a_damaged_marker_deletes_nothing(marker: str, tmp_path: Path):
    """It is named; a path that leads out of the folder is damage too."""
    (tmp_path / MARKER).write_text(marker)
    with pytest.raises(InputError) as caught:
        OutputFolder(tmp_path).rewrite({"one": b"1"}, {})
    assert caught.value.message == f"{tmp_path / MARKER} is not as this version of `tcray compare` writes it"
    assert files(tmp_path) == {MARKER: marker.encode()}


def test_only_a_folder_with_something_in_it_is_foreign(tmp_path: Path):
    """Not one that is missing or empty, nor one that it wrote."""
    folder = OutputFolder(tmp_path / "new")
    assert not folder.is_foreign
    (tmp_path / "new").mkdir()
    assert not folder.is_foreign
    (tmp_path / "new/theirs").touch()
    assert folder.is_foreign
    folder.rewrite({}, {})
    assert not folder.is_foreign
    assert json.loads((tmp_path / "new" / MARKER).read_text())["files"] == []
