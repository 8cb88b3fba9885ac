"""Import of CMU-MOSI from the files published by the authors of bc-LSTM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tcray.data.examples import Examples
from tcray.data.readers.mosi import FOLDS, read_mosi
from tcray.data.splits import shuffle_by_digest
from tests.data.conftest import REAL_DATA, ErrorMessage, real_data
from tests.data.factories import HELD_OUT_VIDEOS, MOSI_WIDTHS, TRAIN_VIDEOS, mosi_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three train videos and seven others."""
    return mosi_folder(tmp_path / "mosi")


def videos(examples: Examples, fold: int = 0) -> list[set[str]]:
    """Return the videos of train, valid and test."""
    split = examples.splits[fold]
    return [{examples.groups[row] for row in rows} for rows in (split.train, split.valid, split.test)]


def edit(path: Path, row: int, change: Callable[[list[str]], list[str]]) -> None:
    """Change the quoted cells of a row, counted from 1."""
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = change(lines[row - 1].strip('"').split('","'))
    lines[row - 1] = '"' + '","'.join(cells) + '"'
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_features_and_labels_are_those_of_their_utterance(folder: Path) -> None:
    """Features and labels are matched by the row numbers in the text files; the last column is not a feature."""
    examples, _ = read_mosi(folder)
    assert {name: matrix.shape[1] for name, matrix in examples.features.items()} == MOSI_WIDTHS
    assert (examples.ids[0], examples.groups[3]) == ("aa_0", "b_b")
    rows = [row.strip('"').split('","') for row in (folder / "label.csv").read_text(encoding="utf-8").splitlines()]
    label = {row[0]: row[2] for row in rows}
    np.testing.assert_allclose(examples.labels, [float(label[name]) for name in examples.ids], rtol=1e-6)
    last = np.loadtxt(folder / "audio/audio_test0.csv", delimiter=",", quotechar='"')[-1]
    np.testing.assert_allclose(examples.features["audio"][-1], last[:-1], rtol=1e-6)


def test_train_is_the_train_videos_and_the_others_are_split_by_video(folder: Path) -> None:
    """The first third of the other videos, in an order fixed by digests of their names, validates."""
    examples, _ = read_mosi(folder)
    order = shuffle_by_digest(HELD_OUT_VIDEOS, "mosi")
    assert videos(examples) == [set(TRAIN_VIDEOS), set(order[:2]), set(order[2:])]


def test_the_split_does_not_depend_on_labels(folder: Path) -> None:
    """The split depends on names only, not on labels or features."""
    before, _ = read_mosi(folder)
    text = (folder / "label.csv").read_text(encoding="utf-8").splitlines()
    (folder / "label.csv").write_text(
        "\n".join([text[0], *(_with_label(row, "1.0") for row in text[1:])]), encoding="utf-8"
    )
    after, _ = read_mosi(folder)
    assert set(after.labels.tolist()) == {1.0}
    assert videos(after) == videos(before)


def _with_label(row: str, label: str) -> str:
    cells = row.split('","')
    return '","'.join([*cells[:2], label, *cells[3:]])


def test_only_the_first_protocol_saw_labels(folder: Path) -> None:
    """`mosi-heldout` excludes the videos that the features were trained on."""
    examples, heldout = read_mosi(folder)
    assert (examples.saw_labels, heldout.saw_labels) == (True, False)
    assert set(heldout.groups) == set(HELD_OUT_VIDEOS)


def test_the_folds_of_the_held_out_videos_are_by_video(folder: Path) -> None:
    """Each video is tested once and validates once, and is in one part of a fold."""
    _, heldout = read_mosi(folder)
    folds = [videos(heldout, fold) for fold in range(FOLDS)]
    assert sorted(v for fold in folds for v in fold[2]) == sorted(v for fold in folds for v in fold[1])
    assert sorted(v for fold in folds for v in fold[2]) == sorted(HELD_OUT_VIDEOS)
    assert all(sum(map(len, fold)) == len(set().union(*fold)) == len(HELD_OUT_VIDEOS) for fold in folds)


def test_an_utterance_without_a_sentiment_is_left_out_and_named(folder: Path) -> None:
    """Utterances without a sentiment are left out and listed in the notes."""
    examples, _ = read_mosi(folder)
    assert "cc_2" not in examples.ids
    assert len(examples.ids) == 29
    assert examples.notes == ("CMU-MOSI has no sentiment for 1 utterance (cc_2).",)


@pytest.mark.parametrize(
    ("file", "row", "change", "says"),
    [
        ("label.csv", 3, lambda cells: [*cells[:2], "3.2", cells[3]], "row 3: the sentiment 3.2 is not in [-3, 3]"),
        ("label.csv", 3, lambda cells: [*cells[:2], "nan", cells[3]], "row 3: the sentiment nan is not in [-3, 3]"),
        ("label.csv", 3, lambda cells: [*cells[:2], "good", cells[3]], "row 3: 'good' is not a number"),
        ("label.csv", 3, lambda cells: ["v0_0", *cells[1:]], "row 3: v0_0 occurs twice"),
        ("label.csv", 1, lambda cells: ["name", *cells[1:]], "the header has no columns id and label"),
        ("transcripts.csv", 2, lambda cells: ["v0_0", *cells[1:]], "1 ids occur twice"),
        ("text_test.csv", 1, lambda cells: ["30", cells[1]], "row 1, column 1: 30 is not an index from 0 to 29"),
        ("text_test.csv", 2, lambda cells: ["0", cells[1]], "a row of transcripts.csv occurs twice in column 1"),
        ("video/video_train0.csv", 4, lambda cells: cells[1:], "row 4: 5 columns expected, 4 found"),
        (
            "audio/audio_test0.csv",
            2,
            lambda cells: ["loud", *cells[1:]],
            "row 2: could not convert string to float: 'loud'",
        ),
    ],
)
def test_a_bad_row_is_named(
    file: str, row: int, change: Callable[[list[str]], list[str]], says: str, folder: Path, error_of: ErrorMessage
) -> None:
    """The message names the file and row of a bad cell."""
    edit(folder / file, row, change)
    assert error_of(lambda: read_mosi(folder)) == f"{folder}/{file}: {says}"


def test_nan_features_are_counted_and_named(folder: Path, error_of: ErrorMessage) -> None:
    """The message names the modality and the first utterance with NaN."""
    edit(folder / "video/video_train0.csv", 2, lambda cells: ["nan", "NaN", *cells[2:]])
    edit(folder / "video/video_train0.csv", 4, lambda cells: ["inf", *cells[1:]])
    assert error_of(lambda: read_mosi(folder)) == (
        "mosi: video: 2 NaN values in 1 row (first: aa_1); video: 1 infinite value in 1 row (first: b_b_0)"
    )


def test_rows_in_another_order_are_refused(folder: Path, error_of: ErrorMessage) -> None:
    """A shuffled feature file is refused, because its last column must match the transcripts' labels."""
    edit(folder / "text/text_test0.csv", 5, lambda cells: [*cells[:-1], "0" if cells[-1] == "1" else "1"])
    message = error_of(lambda: read_mosi(folder))
    assert message.startswith(f"{folder}/text/text_test0.csv: row 5: the last column is ")
    assert message.endswith(" for v1_1")


def test_a_truncated_feature_file_is_refused(folder: Path, error_of: ErrorMessage) -> None:
    """A missing row and a truncated row are refused."""
    path = folder / "text/text_train0.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8")
    assert error_of(lambda: read_mosi(folder)) == f"{path}: 9 rows expected, 8 found"
    path.write_text("".join(lines[:-1]) + lines[-1][:10], encoding="utf-8")
    assert error_of(lambda: read_mosi(folder)) == f"{path}: row 9: 4 columns expected, 1 found"


def test_train_and_test_of_different_widths_are_refused(folder: Path, error_of: ErrorMessage) -> None:
    """The message gives both widths if train and test differ."""
    for row in range(1, 22):
        edit(folder / "audio/audio_test0.csv", row, lambda cells: ["0", *cells])
    assert error_of(lambda: read_mosi(folder)) == (
        f"{folder}: audio: 2 features in audio_train0.csv, 3 in audio_test0.csv"
    )


def test_a_video_in_train_and_test_is_refused(folder: Path, error_of: ErrorMessage) -> None:
    """A video in both train and test is refused."""
    lines = (folder / "transcripts.csv").read_text(encoding="utf-8").splitlines()
    lines[0] = lines[0].replace("v0_0", "aa_9")
    (folder / "transcripts.csv").write_text("\n".join(lines), encoding="utf-8")
    assert error_of(lambda: read_mosi(folder)) == f"{folder}: 1 video (aa) in both text_train.csv and text_test.csv"


def test_a_folder_without_the_files_is_refused(tmp_path: Path, error_of: ErrorMessage) -> None:
    """The message names the missing file."""
    assert error_of(lambda: read_mosi(tmp_path)) == f"{tmp_path}: transcripts.csv is missing"


@real_data
def test_real_mosi_has_the_published_sizes() -> None:
    """Real MOSI has 62 + 31 videos and 2,199 utterances; three in train and one in test have no sentiment."""
    examples, heldout = read_mosi(REAL_DATA / "mosi")
    split = examples.splits[0]
    assert split.train.size == 1447 - 3
    assert split.valid.size + split.test.size == len(heldout.ids) == 752 - 1
    assert [len(part) for part in videos(examples)] == [62, 10, 21]
    assert not set.intersection(*videos(examples))
    assert {name: matrix.shape[1] for name, matrix in examples.features.items()} == {
        "text": 100,
        "audio": 73,
        "video": 100,
    }
    missing = "2WGyTLYerpo_44, 5W7Z1C_fDaE_24, BioHAh1qJAQ_30, lXPQBPVc5Cw_30"
    assert examples.notes == (f"CMU-MOSI has no sentiment for 4 utterances ({missing}).",)


@real_data
def test_real_mosi_features_leak_train_labels() -> None:
    """On real MOSI, text predicts held-out labels of train videos far better than those of other videos."""
    examples, _ = read_mosi(REAL_DATA / "mosi")
    split = examples.splits[0]
    text, positive = examples.features["text"].astype(np.float64), np.sign(examples.labels)

    def accuracy(fitted: np.ndarray, judged: np.ndarray) -> float:
        design = np.column_stack([np.ones(len(text)), text])
        weights = np.linalg.lstsq(design[fitted], positive[fitted], rcond=None)[0]
        return float((np.sign(design[judged] @ weights) == positive[judged])[positive[judged] != 0].mean())

    half = np.isin(
        [examples.groups[row] for row in split.train], sorted({examples.groups[r] for r in split.train})[::2]
    )
    assert accuracy(split.train[half], split.train[~half]) > 0.95
    assert accuracy(split.train, np.concatenate([split.valid, split.test])) < 0.8
    assert examples.saw_labels
