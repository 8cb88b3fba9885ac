"""MUStARD (Castro et al., ACL 2019): sarcasm detection.

Text and context features are mean GloVe vectors over the tokens of the utterance and of the preceding dialogue, speaker
is one-hot; audio and video, if the folder has their files, are means over frames.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcray.data.examples import Examples, Floats, Partition, format_names, single_precision
from tcray.data.readers.files import (
    FETCH_AGAIN,
    find_file,
    get_field,
    mean_over_frames,
    open_hdf5,
    read_json,
    require_file,
    stack_vectors,
)
from tcray.data.readers.pickles import read_pickle
from tcray.data.splits import draw_stratified, flatnonzero
from tcray.errors import DataError

TEST_SHOW = "FRIENDS"
"""Test show of the speaker-independent protocol, which trains on the others."""

VALID_SHARE = 50 / 334
"""Share of a train part that is used for validation, stratified by class and drawn by digests of ids."""

FILES = {"audio": "audio_features.p", "video": "resnet_pool5.hdf5"}
"""Files of the optional modalities."""

AUDIO_WIDTH, VIDEO_WIDTH = 283, 2048

TOKEN = re.compile(r"n't|'(?:s|ve|re|d|ll|m)\b|[a-z0-9]+?(?=n't)|[a-z0-9]+|[,!?()'`]")
"""Tokens of the GloVe dictionaries: contractions are split off, some punctuation is kept."""


@dataclass(frozen=True)
class Utterance:
    """One item of `sarcasm_data.json`."""

    id: str
    text: str
    context: str
    speaker: str
    show: str
    sarcasm: int


def read_mustard(folder: Path) -> tuple[Examples, Examples]:
    """Read `mustard` and `mustard-folds` from the repository's folder or its `data` folder.

    `mustard` is speaker-independent and leaves `speaker` out, because the test show has other speakers; `mustard-folds`
    has the five folds of `split_indices.p`.
    """
    utterances = _read_utterances(require_file(folder, "sarcasm_data.json", "data/sarcasm_data.json"))
    features = _make_features(folder, utterances)
    without_speaker = {name: matrix for name, matrix in features.items() if name != "speaker"}
    tested = [utterance.show == TEST_SHOW for utterance in utterances]
    independent = _split_train(utterances, flatnonzero([not test for test in tested]), flatnonzero(tested), "mustard")
    folds = _read_folds(require_file(folder, "split_indices.p", "data/split_indices.p"), len(utterances))
    return (
        _make_examples("mustard", utterances, without_speaker, (independent,)),
        _make_examples(
            "mustard-folds",
            utterances,
            features,
            tuple(
                _split_train(utterances, train, test, f"mustard-folds {number}")
                for number, (train, test) in enumerate(folds, start=1)
            ),
        ),
    )


def _make_examples(
    name: str, utterances: Sequence[Utterance], features: Mapping[str, Floats], splits: tuple[Partition, ...]
) -> Examples:
    return Examples(
        name=name,
        task="classification",
        primary_metric="f1",
        features=features,
        labels=single_precision(np.array([utterance.sarcasm for utterance in utterances])),
        ids=tuple(utterance.id for utterance in utterances),
        group="speaker",
        groups=tuple(utterance.speaker for utterance in utterances),
        splits=splits,
        notes=tuple(f"Without {view}: {file} was not found." for view, file in FILES.items() if view not in features),
    )


def _split_train(utterances: Sequence[Utterance], train: Sequence[int], test: Sequence[int], purpose: str) -> Partition:
    label_of = {utterances[row].id: utterances[row].sarcasm for row in train}
    valid = draw_stratified(label_of, round(VALID_SHARE * len(train)), purpose)
    return Partition.of(
        train=[row for row in train if utterances[row].id not in valid],
        valid=[row for row in train if utterances[row].id in valid],
        test=test,
    )


def _read_utterances(path: Path) -> list[Utterance]:
    utterances = []
    for name, item in read_json(path).items():
        where = f"{path}: {name}"
        context = get_field(item, "context", list, where)
        utterances.append(
            Utterance(
                id=name,
                text=get_field(item, "utterance", str, where),
                context=" ".join(map(str, context)),
                speaker=get_field(item, "speaker", str, where),
                show=get_field(item, "show", str, where),
                sarcasm=_check_binary(get_field(item, "sarcasm", int, where), where),
            )
        )
    return utterances


def _check_binary(value: int, where: str) -> int:
    if value not in (0, 1):
        raise DataError(f"{where}: sarcasm is {value}, expected true or false", "Correct that item.")
    return int(value)


def _read_folds(path: Path, count: int) -> list[tuple[list[int], list[int]]]:
    """Return the (train, test) indices of every fold."""
    found = read_pickle(path)
    try:
        folds = [(_check_indices(train, count), _check_indices(test, count)) for train, test in found]
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: not a list of (train, test) indices below {count}", FETCH_AGAIN) from error
    return folds


def _check_indices(found: Any, count: int) -> list[int]:
    rows = np.asarray(found)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or (rows.size and not 0 <= rows.min() <= rows.max() < count):
        raise ValueError
    return [int(row) for row in rows]


def _make_features(folder: Path, utterances: Sequence[Utterance]) -> dict[str, Floats]:
    glove = _read_glove(folder)
    features = {
        "text": _mean_vectors((utterance.text for utterance in utterances), glove),
        "context": _mean_vectors((utterance.context for utterance in utterances), glove),
        "speaker": _one_hot([utterance.speaker for utterance in utterances]),
    }
    ids = [utterance.id for utterance in utterances]
    if audio := find_file(folder, FILES["audio"], f"data/{FILES['audio']}"):
        features["audio"] = _read_audio(audio, ids)
    places = [f"{place}{FILES['video']}" for place in ("", "utterances_final/", "features/utterances_final/")]
    if video := find_file(folder, *places, *(f"data/{place}" for place in places)):
        features["video"] = _read_video(video, ids)
    return features


def _read_glove(folder: Path) -> dict[str, NDArray[np.float64]]:
    """Return the union of the dictionaries, which agree on common words."""
    paths = sorted(path for place in ("glove", "temp", "data/temp") for path in (folder / place).glob("glove_dict_*.p"))
    if not paths:
        require_file(folder, "glove/glove_dict_1.p")
    glove: dict[str, NDArray[np.float64]] = {}
    for path in paths:
        found = read_pickle(path)
        if not isinstance(found, dict) or not found:
            raise DataError(f"{path}: not a dictionary from words to vectors", FETCH_AGAIN)
        rows = stack_vectors(list(found.values()), list(map(str, found)), path, _glove_width(glove))
        glove.update(zip(found, rows.astype(np.float64), strict=True))
    return glove


def _glove_width(glove: Mapping[str, NDArray[np.float64]]) -> int | None:
    return next((vector.size for vector in glove.values()), None)


def _mean_vectors(texts: Iterable[str], glove: Mapping[str, NDArray[np.float64]]) -> Floats:
    """Return the mean vector of each text's known tokens; 0 if it has none."""
    rows = []
    for text in texts:
        known = [glove[token] for token in TOKEN.findall(text.lower()) if token in glove]
        rows.append(np.mean(known, axis=0) if known else np.zeros(_glove_width(glove) or 0))
    return single_precision(np.stack(rows))


def _one_hot(speakers: Sequence[str]) -> Floats:
    """Return one column per speaker, in alphabetical order."""
    columns = sorted(set(speakers))
    return single_precision(np.array([[speaker == column for column in columns] for speaker in speakers]))


def _read_audio(path: Path, ids: Sequence[str]) -> Floats:
    """Read MFCC, mel spectrogram and spectral centroid (their `extract_audio_features.py`): (283, frames) by id."""
    found = read_pickle(path)
    if not isinstance(found, dict):
        raise DataError(f"{path}: not a dictionary from ids to arrays", FETCH_AGAIN)
    _check_complete(path, ids, found)
    means = [mean_over_frames(found[name], 1, AUDIO_WIDTH, f"{path}: {name}") for name in ids]
    return stack_vectors(means, ids, path)


def _read_video(path: Path, ids: Sequence[str]) -> Floats:
    """Read ResNet-152 pool5 of every frame (their `visual/extract_features.py`): (frames, 2048) by id."""
    with open_hdf5(path) as file:
        _check_complete(path, ids, file)
        means = [mean_over_frames(file[name][()], 0, VIDEO_WIDTH, f"{path}: {name}") for name in ids]
    return stack_vectors(means, ids, path)


def _check_complete(path: Path, ids: Sequence[str], found: Mapping[str, Any]) -> None:
    lacking = [name for name in ids if name not in found]
    if lacking:
        raise DataError(
            f"{path}: {format_names(lacking, 'utterance')} missing",
            "Add them, or move the file away to import without this modality.",
        )
