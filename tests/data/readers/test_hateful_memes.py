"""Import of Hateful Memes from its lists and features by image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tcray.data.readers.hateful_memes import read_hateful_memes
from tests.data.conftest import ErrorMessage
from tests.data.factories import memes, memes_folder, write_list


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with twelve train, four validation and six test memes."""
    return memes_folder(tmp_path / "memes")


def test_the_lists_are_the_splits(folder: Path) -> None:
    """The splits are train, dev_seen and test_seen, in file order; memes are not grouped."""
    (examples,) = read_hateful_memes(folder)
    split = examples.splits[0]
    assert [rows.tolist() for rows in (split.train, split.valid, split.test)] == [
        list(range(12)),
        list(range(12, 16)),
        list(range(16, 22)),
    ]
    assert examples.ids[11:13] == ("11", "100")
    assert (examples.group, examples.groups) == ("", examples.ids)
    assert examples.labels.tolist() == [0, 1] * 11
    assert examples.notes == ("Tested on test_seen.",)


def test_features_are_found_by_the_images_name(folder: Path) -> None:
    """Feature keys may have folder and extension, or neither; text is the first modality."""
    (examples,) = read_hateful_memes(folder)
    assert {name: matrix.shape for name, matrix in examples.features.items()} == {"text": (22, 3), "image": (22, 2)}
    assert list(examples.features) == ["text", "image"]
    with np.load(folder / "text.npz") as text, np.load(folder / "image.npz") as image:
        np.testing.assert_allclose(examples.features["text"][12], text["img/00100.png"], rtol=1e-6)
        np.testing.assert_allclose(examples.features["image"][12], image["00100"], rtol=1e-6)


def test_ids_and_bare_file_names_are_accepted(folder: Path) -> None:
    """Ids and bare file names are accepted as keys."""
    (before,) = read_hateful_memes(folder)
    with np.load(folder / "text.npz") as archive:
        text = dict(archive)
    for rename in (lambda key: Path(key).name, lambda key: str(int(Path(key).stem))):
        np.savez(folder / "text.npz", **{rename(key): vector for key, vector in text.items()})
        (after,) = read_hateful_memes(folder)
        assert after.digest == before.digest


def test_a_test_list_without_labels_is_skipped(folder: Path) -> None:
    """If a test list has no labels, the next one is used and noted; memes that also validate are left out."""
    write_list(folder / "test_seen.jsonl", memes(200, 6, labelled=False))
    unseen = [*memes(102, 2), *memes(200, 3)]
    write_list(folder / "dev_unseen.jsonl", unseen)
    (examples,) = read_hateful_memes(folder)
    assert [examples.ids[row] for row in examples.splits[0].test] == ["200", "201", "202"]
    assert examples.notes == (
        "Tested on dev_unseen.",
        "Left out of dev_unseen: 2 memes that are also in train or dev.",
    )


def test_no_labelled_test_list_is_refused(folder: Path, error_of: ErrorMessage) -> None:
    """A folder in which no test list has labels is refused; the message lists the files found."""
    write_list(folder / "test_seen.jsonl", memes(200, 6, labelled=False))
    assert error_of(lambda: read_hateful_memes(folder)) == f"{folder}: test_seen.jsonl without labels"
    (folder / "test_seen.jsonl").unlink()
    assert error_of(lambda: read_hateful_memes(folder)) == f"{folder}: no test list"


def test_earlier_file_names_are_accepted(folder: Path) -> None:
    """The earlier file names, dev and test, are accepted."""
    (before,) = read_hateful_memes(folder)
    (folder / "dev_seen.jsonl").rename(folder / "dev.jsonl")
    (folder / "test_seen.jsonl").rename(folder / "test.jsonl")
    (after,) = read_hateful_memes(folder)
    assert (after.digest, after.notes) == (before.digest, ("Tested on test.",))


@pytest.mark.parametrize(
    ("meme", "says"),
    [
        ({"id": 7, "img": "img/7.png", "label": 2}, "line 13: the label is 2, expected 0 or 1"),
        ({"id": 7, "img": "img/7.png", "label": "0"}, "line 13: the label is '0', expected 0 or 1"),
        ({"id": 7, "img": None, "label": 1}, "line 13: img is missing or of the wrong type"),
        ({"img": "img/7.png", "label": 1}, "line 13: id is missing or of the wrong type"),
        ({"id": 7, "img": "img/7.png"}, "1 meme (7) without a label"),
    ],
)
def test_a_bad_line_is_named(meme: dict[str, Any], says: str, folder: Path, error_of: ErrorMessage) -> None:
    """The message names the file and line of a bad item."""
    write_list(folder / "train.jsonl", [*memes(0, 12), meme])
    assert error_of(lambda: read_hateful_memes(folder)) == f"{folder}/train.jsonl: {says}"


def test_a_truncated_list_is_refused(folder: Path, error_of: ErrorMessage) -> None:
    """A truncated list is refused with its last line."""
    path = folder / "train.jsonl"
    path.write_text(path.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    assert error_of(lambda: read_hateful_memes(folder)).startswith(f"{path}: line 12: not JSON: ")


def test_a_duplicate_meme_is_refused(folder: Path, error_of: ErrorMessage) -> None:
    """A meme that occurs twice is named by its id."""
    write_list(folder / "train.jsonl", [*memes(0, 12), *memes(3, 1)])
    assert error_of(lambda: read_hateful_memes(folder)) == "hateful_memes: 1 id (3) used for more than one example"


def test_a_train_list_without_memes_is_refused(folder: Path, error_of: ErrorMessage) -> None:
    """A train list without memes is refused."""
    (folder / "train.jsonl").write_text("", encoding="utf-8")
    assert error_of(lambda: read_hateful_memes(folder)) == "hateful_memes: there are no train examples"


def test_an_image_without_features_is_named(folder: Path, error_of: ErrorMessage) -> None:
    """The message names the file that lacks an image."""
    write_list(folder / "train.jsonl", memes(0, 14))
    assert error_of(lambda: read_hateful_memes(folder)) == (
        f"{folder}/text.npz: 2 images (img/00012.png, img/00013.png) missing"
    )


def test_bad_feature_files_are_refused(folder: Path, error_of: ErrorMessage) -> None:
    """No feature files, broken ones, invalid modality names and ragged vectors are refused."""
    vectors: dict[str, Any] = {f"{m['id']:05d}": np.ones(2 + (m["id"] == 5)) for m in _everyone()}
    np.savez(folder / "image.npz", **vectors)
    assert error_of(lambda: read_hateful_memes(folder)) == (
        f"{folder}/image.npz: img/00005.png: 2 columns expected, 3 found"
    )
    (folder / "image.npz").write_bytes(b"PK")
    assert error_of(lambda: read_hateful_memes(folder)).startswith(
        f"{folder}/image.npz: not an .npz file of plain arrays: "
    )
    (folder / "image.npz").rename(folder / "clip-features.npz")
    assert error_of(lambda: read_hateful_memes(folder)) == (
        f"{folder}/clip-features.npz: 'clip-features' cannot name a modality"
    )
    for name in ("text.npz", "clip-features.npz"):
        (folder / name).unlink()
    assert error_of(lambda: read_hateful_memes(folder)) == f"{folder}: no feature files"


def _everyone() -> list[dict[str, Any]]:
    return [*memes(0, 12), *memes(100, 4), *memes(200, 6)]
