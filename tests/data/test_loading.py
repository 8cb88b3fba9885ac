"""Import of published files, and loading by card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tcray.data.catalog import PROTOCOLS, find_card
from tcray.data.loading import READERS, import_dataset, load_examples
from tests.data.conftest import ErrorMessage
from tests.data.factories import memes_folder, mosi_folder, mustard_folder


@pytest.mark.parametrize(
    ("name", "make", "source"),
    [
        ("mosi", mosi_folder, "mosi"),
        ("mustard-folds", mustard_folder, "mustard"),
        ("hateful_memes", memes_folder, "hateful_memes"),
    ],
)
def test_an_import_creates_every_protocol_of_the_source(
    name: str, make: Callable[[Path], Path], source: str, tmp_path: Path
) -> None:
    """All protocols of a source are imported, for the name of any of them."""
    folder, root = make(tmp_path / "files"), tmp_path / "data"
    cards = import_dataset(name, folder, root)
    read = READERS[source](folder)
    assert [card.name for card in cards] == [examples.name for examples in read]
    assert tuple(card.name for card in cards) in PROTOCOLS.values()
    for card, examples in zip(cards, read, strict=True):
        assert find_card(card.name, root, "error") == card
        assert load_examples(card, root).digest == examples.digest == card.fingerprint


def test_every_source_can_be_imported() -> None:
    """Every source has a reader."""
    assert READERS.keys() == PROTOCOLS.keys()


def test_an_import_that_fails_writes_nothing(tmp_path: Path, error_of: ErrorMessage) -> None:
    """If one protocol cannot be read, none is written."""
    folder, root = mustard_folder(tmp_path / "files"), tmp_path / "data"
    (folder / "split_indices.p").unlink()
    assert error_of(lambda: import_dataset("mustard", folder, root)) == f"{folder}: split_indices.p is missing"
    assert not root.exists()


def test_importing_again_gives_the_same_cards(tmp_path: Path) -> None:
    """A second import of the same files gives the same fingerprint."""
    folder, root = mosi_folder(tmp_path / "files"), tmp_path / "data"
    assert import_dataset("mosi", folder, root) == import_dataset("mosi", folder, root)


def test_an_unknown_source_is_refused_with_the_nearest(tmp_path: Path, error_of: ErrorMessage) -> None:
    """An unknown source is refused with the nearest name, before any file is read."""
    assert error_of(lambda: import_dataset("mustrad", tmp_path, tmp_path)) == (
        'no such dataset "mustrad": did you mean "mustard"?'
    )
