"""Examples on disk are complete, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tcray.data import archive
from tcray.data.archive import read_examples, write_atomically, write_examples
from tcray.data.catalog import Card, arrays_path, card_path, find_card
from tcray.data.loading import load_examples
from tests.data.conftest import ErrorMessage
from tests.data.factories import make_examples


@pytest.fixture
def written(tmp_path: Path) -> Card:
    """Six examples, imported as mosi."""
    return write_examples(make_examples(name="mosi"), tmp_path)


def test_written_examples_are_read_back(written: Card, tmp_path: Path) -> None:
    """Arrays, ids, groups and splits are read back bit for bit."""
    before, after = make_examples(name="mosi"), load_examples(find_card("mosi", tmp_path), tmp_path)
    assert after.digest == before.digest == written.fingerprint
    assert (after.ids, after.groups, list(after.features)) == (before.ids, before.groups, list(before.features))


def test_no_other_files_remain(written: Card, tmp_path: Path) -> None:
    """No temporary file remains, and the card holds no path of this machine."""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mosi.json", "mosi.npz"]
    assert str(tmp_path) not in card_path("mosi", tmp_path).read_text(encoding="utf-8")


def test_a_failed_write_keeps_the_previous_file(tmp_path: Path) -> None:
    """A failed write leaves the previous file and nothing beside it."""
    path = tmp_path / "x"
    path.write_text("before", encoding="utf-8")

    def fail(file: object) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert (path.read_text(encoding="utf-8"), list(tmp_path.iterdir())) == ("before", [path])


def test_a_root_that_is_a_file_is_refused(tmp_path: Path, error_of: ErrorMessage) -> None:
    """The message names a root that is a file."""
    root = tmp_path / "data"
    root.touch()
    message = error_of(lambda: write_examples(make_examples(name="mosi"), root))
    assert message.startswith(f"{root}: cannot write mosi: ")


def test_a_truncated_archive_is_refused(written: Card, tmp_path: Path, error_of: ErrorMessage) -> None:
    """The message names a truncated archive."""
    path = arrays_path("mosi", tmp_path)
    path.write_bytes(path.read_bytes()[:200])
    assert error_of(lambda: read_examples(written, tmp_path)).startswith(f"{path}: not an .npz file of plain arrays: ")


def test_a_foreign_archive_is_refused(written: Card, tmp_path: Path, error_of: ErrorMessage) -> None:
    """An archive with other arrays and one with a pickle inside are refused."""
    path = arrays_path("mosi", tmp_path)
    np.savez(path, other=np.ones(3))
    assert error_of(lambda: read_examples(written, tmp_path)).startswith(f"{path}: does not hold the arrays of mosi: ")
    np.savez(path, labels=np.array([{}], object))
    assert error_of(lambda: read_examples(written, tmp_path)).startswith(f"{path}: not an .npz file of plain arrays: ")


def test_arrays_of_another_card_are_refused(written: Card, tmp_path: Path, error_of: ErrorMessage) -> None:
    """The digest of the arrays is checked whenever they are loaded."""
    other = tmp_path / "other"
    write_examples(make_examples(name="mosi", labels=np.zeros(6, np.float32)), other)
    arrays_path("mosi", other).replace(arrays_path("mosi", tmp_path))
    assert error_of(lambda: read_examples(written, tmp_path)) == (
        f"{tmp_path}/mosi.npz: the arrays do not match the card"
    )


def test_invalid_arrays_are_refused(written: Card, tmp_path: Path, error_of: ErrorMessage) -> None:
    """Arrays that fail validation are refused with the validation message."""
    path = arrays_path("mosi", tmp_path)
    with np.load(path) as arrays:
        spoilt = {**arrays, "labels": np.full(6, 9, np.float32)}
    np.savez(path, **spoilt)
    assert error_of(lambda: read_examples(written, tmp_path)) == "mosi: 6 labels not in [-3, 3] (first: 9 of a)"


def test_a_card_older_than_the_import_is_refused(written: Card, tmp_path: Path, error_of: ErrorMessage) -> None:
    """A card read before a new import is refused."""
    write_examples(make_examples(name="mosi", labels=np.zeros(6, np.float32)), tmp_path)
    assert error_of(lambda: read_examples(written, tmp_path)) == (
        f"{tmp_path}/mosi.json: mosi has been imported again since its card was read"
    )


def test_the_card_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The card is written last, so an interrupted import leaves no card."""
    order: list[str] = []
    monkeypatch.setattr(archive, "write_atomically", lambda path, write: order.append(path.name))
    write_examples(make_examples(name="mosi"), tmp_path)
    assert order == ["mosi.npz", "mosi.json"]
