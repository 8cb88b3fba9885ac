"""CMU-MOSI: the utterance features of bc-LSTM (Poria et al., ACL 2017) and a table of sentiments.

The text and video features were learned from the labels of the 62 train videos. Validation examples drawn from those
videos would be scored with features that have seen their labels, so validation uses the other videos, split by video.
`mosi-heldout` leaves the train videos out altogether.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tcray.data.examples import Examples, Floats, Partition, format_names, single_precision
from tcray.data.readers.files import FETCH_AGAIN, parse_index, parse_number, read_numbers, read_rows, require_file
from tcray.data.splits import flatnonzero, shuffle_by_digest
from tcray.errors import DataError

MODALITIES = ("text", "audio", "video")
PARTS = ("train", "test")
FOLDS = 5
"""Number of folds of `mosi-heldout`."""


@dataclass(frozen=True)
class Transcript:
    """One row of `transcripts.csv`: the utterance id, `<video>_<clip>`, and its binary label (1 if positive)."""

    utterance: str
    positive: float

    @property
    def video(self) -> str:
        """The video that the utterance belongs to."""
        return self.utterance.rpartition("_")[0]


@dataclass(frozen=True)
class Corpus:
    """The utterances that have a sentiment, in file order, train before test."""

    utterances: Sequence[Transcript]
    trained: Sequence[bool]
    """True for utterances of videos that the features were trained on."""
    labels: Floats
    features: Mapping[str, Floats]
    left_out: Sequence[str]
    """Ids of utterances without a sentiment."""


def read_mosi(folder: Path) -> tuple[Examples, Examples]:
    """Read `mosi` and `mosi-heldout` from the folder with `transcripts.csv`, `label.csv` and the features.

    `mosi` trains on the train videos; of the others, in an order fixed by digests of their names, the first third
    validates and the rest tests. `mosi-heldout` assigns the other videos to five folds in that order; fold k + 1
    validates when fold k is tested.
    """
    corpus = _read_corpus(folder)
    videos = [utterance.video for utterance in corpus.utterances]
    order = shuffle_by_digest((v for v, trained in zip(videos, corpus.trained, strict=True) if not trained), "mosi")
    validated = set(order[: len(order) // 3])
    split = Partition.of(
        train=flatnonzero(corpus.trained),
        valid=flatnonzero([video in validated for video in videos]),
        test=flatnonzero([video in order and video not in validated for video in videos]),
    )
    heldout = flatnonzero([not trained for trained in corpus.trained])
    fold_of = {video: place % FOLDS for place, video in enumerate(order)}
    folds = [fold_of[videos[row]] for row in heldout]
    return (
        _make_examples("mosi", corpus, range(len(videos)), (split,), saw_labels=True),
        _make_examples("mosi-heldout", corpus, heldout, tuple(_make_fold(folds, tested) for tested in range(FOLDS))),
    )


def _make_fold(folds: Sequence[int], tested: int) -> Partition:
    validated = (tested + 1) % FOLDS
    return Partition.of(
        train=flatnonzero([fold not in (tested, validated) for fold in folds]),
        valid=flatnonzero([fold == validated for fold in folds]),
        test=flatnonzero([fold == tested for fold in folds]),
    )


def _make_examples(
    name: str, corpus: Corpus, rows: Sequence[int], splits: tuple[Partition, ...], *, saw_labels: bool = False
) -> Examples:
    return Examples(
        name=name,
        task="regression",
        primary_metric="mae",
        features={modality: matrix[rows] for modality, matrix in corpus.features.items()},
        labels=corpus.labels[rows],
        ids=tuple(corpus.utterances[row].utterance for row in rows),
        group="video",
        groups=tuple(corpus.utterances[row].video for row in rows),
        splits=splits,
        saw_labels=saw_labels,
        notes=(f"CMU-MOSI has no sentiment for {format_names(corpus.left_out, 'utterance')}.",)
        if corpus.left_out
        else (),
    )


def _read_corpus(folder: Path) -> Corpus:
    transcripts = _read_transcripts(require_file(folder, "transcripts.csv"))
    sentiments = _read_sentiments(require_file(folder, "label.csv"))
    rows = {part: _read_row_numbers(require_file(folder, f"text_{part}.csv"), len(transcripts)) for part in PARTS}
    videos = {part: {transcripts[row].video for row in rows[part]} for part in PARTS}
    if both := videos["train"] & videos["test"]:
        raise DataError(
            f"{folder}: {format_names(sorted(both), 'video')} in both text_train.csv and text_test.csv", FETCH_AGAIN
        )
    features = {
        m: _read_features(folder, m, {p: [transcripts[row] for row in rows[p]] for p in PARTS}) for m in MODALITIES
    }
    utterances = [transcripts[row] for part in PARTS for row in rows[part]]
    kept = flatnonzero([utterance.utterance in sentiments for utterance in utterances])
    return Corpus(
        utterances=[utterances[row] for row in kept],
        trained=[row < len(rows["train"]) for row in kept],
        labels=single_precision(np.array([sentiments[utterances[row].utterance] for row in kept])),
        features={modality: matrix[kept] for modality, matrix in features.items()},
        left_out=sorted({utterance.utterance for utterance in utterances} - sentiments.keys()),
    )


def _read_transcripts(path: Path) -> list[Transcript]:
    rows = [
        Transcript(row[0], parse_number(row[3], f"{path}: row {number}, column 4"))
        for number, row in enumerate(read_rows(path, 4), start=1)
    ]
    names = {row.utterance for row in rows}
    if len(names) < len(rows):
        raise DataError(f"{path}: {len(rows) - len(names)} ids occur twice", FETCH_AGAIN)
    return rows


def _read_row_numbers(path: Path, size: int) -> list[int]:
    """Return, for every row of the feature files, its row number in `transcripts.csv`."""
    rows = [
        parse_index(row[0], size, f"{path}: row {number}, column 1")
        for number, row in enumerate(read_rows(path), start=1)
    ]
    if len(set(rows)) < len(rows):
        raise DataError(f"{path}: a row of transcripts.csv occurs twice in column 1", FETCH_AGAIN)
    return rows


def _read_sentiments(path: Path) -> Mapping[str, float]:
    header, *rows = read_rows(path)
    if not {"id", "label"} <= set(header):
        raise DataError(f"{path}: the header has no columns id and label", FETCH_AGAIN)
    sentiments: dict[str, float] = {}
    for number, row in enumerate(rows, start=2):
        cells = dict(zip(header, row, strict=True))
        label = parse_number(cells["label"], f"{path}: row {number}")
        if not abs(label) <= 3:
            raise DataError(f"{path}: row {number}: the sentiment {label:g} is not in [-3, 3]", "Correct that row.")
        if cells["id"] in sentiments:
            raise DataError(f"{path}: row {number}: {cells['id']} occurs twice", "Remove one of the rows.")
        sentiments[cells["id"]] = label
    return sentiments


def _read_features(folder: Path, modality: str, utterances: Mapping[str, Sequence[Transcript]]) -> Floats:
    parts = {
        part: _read_part(require_file(folder, f"{modality}/{modality}_{part}0.csv"), utterances[part]) for part in PARTS
    }
    widths = {part: matrix.shape[1] for part, matrix in parts.items()}
    if widths["train"] != widths["test"]:
        raise DataError(
            f"{folder}: {modality}: {widths['train']} features in {modality}_train0.csv,"
            f" {widths['test']} in {modality}_test0.csv",
            "Use files from the same release.",
        )
    return np.concatenate(list(parts.values()))


def _read_part(path: Path, utterances: Sequence[Transcript]) -> Floats:
    """Read a feature file without its last column, the binary label, which is used to check the order of the rows."""
    table = read_numbers(path)
    if len(table) != len(utterances):
        raise DataError(f"{path}: {len(utterances)} rows expected, {len(table)} found", FETCH_AGAIN)
    for number, (found, utterance) in enumerate(zip(table[:, -1], utterances, strict=True), start=1):
        if found != utterance.positive:
            raise DataError(
                f"{path}: row {number}: the last column is {found:g},"
                f" but transcripts.csv has {utterance.positive:g} for {utterance.utterance}",
                "Use files from the same release.",
            )
    return single_precision(table[:, :-1])
