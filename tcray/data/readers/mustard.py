"""MUStARD (Castro et al., ACL 2019): is an utterance sarcastic?

Text and context are means of GloVe vectors over the tokens of the utterance and of what was said before it, speaker is
one-hot; audio and video, where the folder has their files, are means over frames.
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
"""The speaker-independent protocol tests on this show and trains on the others."""

VALID_SHARE = 50 / 334
"""Of a train part, drawn from both classes alike and fixed by digests of ids, for validation."""

FILES = {"audio": "audio_features.p", "video": "resnet_pool5.hdf5"}
"""Of the modalities that not every user has."""

AUDIO_WIDTH, VIDEO_WIDTH = 283, 2048

TOKEN = re.compile(r"n't|'(?:s|ve|re|d|ll|m)\b|[a-z0-9]+?(?=n't)|[a-z0-9]+|[,!?()'`]")
"""The tokens that the GloVe dictionaries were cut for: contractions apart, some punctuation."""


@dataclass(frozen=True)
class Utterance:
    """An item of `sarcasm_data.json`."""

    id: str
    text: str
    context: str
    speaker: str
    show: str
    sarcasm: int


def read_mustard(folder: Path) -> tuple[Examples, Examples]:
    """`mustard` and `mustard-folds`, from the repository's folder or its `data` folder.

    `mustard` is speaker-independent and leaves `speaker` out, since those of the test show are new to it;
    `mustard-folds` has the five folds of `split_indices.p`.
    """
    utterances = _utterances(require_file(folder, "sarcasm_data.json", "data/sarcasm_data.json"))
    features = _features(folder, utterances)
    without_speaker = {name: matrix for name, matrix in features.items() if name != "speaker"}
    tested = [utterance.show == TEST_SHOW for utterance in utterances]
    independent = _carved(utterances, flatnonzero([not test for test in tested]), flatnonzero(tested), "mustard")
    folds = _folds(require_file(folder, "split_indices.p", "data/split_indices.p"), len(utterances))
    return (
        _protocol("mustard", utterances, without_speaker, (independent,)),
        _protocol(
            "mustard-folds",
            utterances,
            features,
            tuple(
                _carved(utterances, train, test, f"mustard-folds {number}")
                for number, (train, test) in enumerate(folds, start=1)
            ),
        ),
    )


def _protocol(
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
        notes=tuple(
            f"Without {view}: there was no {file} to import." for view, file in FILES.items() if view not in features
        ),
    )


def _carved(utterances: Sequence[Utterance], train: Sequence[int], test: Sequence[int], purpose: str) -> Partition:
    label_of = {utterances[row].id: utterances[row].sarcasm for row in train}
    valid = draw_stratified(label_of, round(VALID_SHARE * len(train)), purpose)
    return Partition.of(
        train=[row for row in train if utterances[row].id not in valid],
        valid=[row for row in train if utterances[row].id in valid],
        test=test,
    )


def _utterances(path: Path) -> list[Utterance]:
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
                sarcasm=_binary(get_field(item, "sarcasm", int, where), where),
            )
        )
    return utterances


def _binary(value: int, where: str) -> int:
    if value not in (0, 1):
        raise DataError(f"{where}: sarcasm is {value}, and neither true nor false", "Correct that item.")
    return int(value)


def _folds(path: Path, count: int) -> list[tuple[list[int], list[int]]]:
    """(train, test) positions of every fold."""
    found = read_pickle(path)
    try:
        folds = [(_indices(train, count), _indices(test, count)) for train, test in found]
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: not folds of train and test positions below {count}", FETCH_AGAIN) from error
    return folds


def _indices(found: Any, count: int) -> list[int]:
    rows = np.asarray(found)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or (rows.size and not 0 <= rows.min() <= rows.max() < count):
        raise ValueError
    return [int(row) for row in rows]


def _features(folder: Path, utterances: Sequence[Utterance]) -> dict[str, Floats]:
    glove = _glove(folder)
    features = {
        "text": _mean_vectors((utterance.text for utterance in utterances), glove),
        "context": _mean_vectors((utterance.context for utterance in utterances), glove),
        "speaker": _one_hot([utterance.speaker for utterance in utterances]),
    }
    ids = [utterance.id for utterance in utterances]
    if audio := find_file(folder, FILES["audio"], f"data/{FILES['audio']}"):
        features["audio"] = _audio(audio, ids)
    places = [f"{place}{FILES['video']}" for place in ("", "utterances_final/", "features/utterances_final/")]
    if video := find_file(folder, *places, *(f"data/{place}" for place in places)):
        features["video"] = _video(video, ids)
    return features


def _glove(folder: Path) -> dict[str, NDArray[np.float64]]:
    """The union of the dictionaries, which agree where they overlap."""
    paths = sorted(path for place in ("glove", "temp", "data/temp") for path in (folder / place).glob("glove_dict_*.p"))
    if not paths:
        require_file(folder, "glove/glove_dict_1.p")
    glove: dict[str, NDArray[np.float64]] = {}
    for path in paths:
        found = read_pickle(path)
        if not isinstance(found, dict) or not found:
            raise DataError(f"{path}: not a dictionary from words to vectors", FETCH_AGAIN)
        rows = stack_vectors(list(found.values()), list(map(str, found)), path, _width(glove))
        glove.update(zip(found, rows.astype(np.float64), strict=True))
    return glove


def _width(glove: Mapping[str, NDArray[np.float64]]) -> int | None:
    return next((vector.size for vector in glove.values()), None)


def _mean_vectors(texts: Iterable[str], glove: Mapping[str, NDArray[np.float64]]) -> Floats:
    """The mean vector of each text's tokens that have one; 0 where none has."""
    rows = []
    for text in texts:
        known = [glove[token] for token in TOKEN.findall(text.lower()) if token in glove]
        rows.append(np.mean(known, axis=0) if known else np.zeros(_width(glove) or 0))
    return single_precision(np.stack(rows))


def _one_hot(speakers: Sequence[str]) -> Floats:
    """A column for each speaker, in the order of the alphabet."""
    columns = sorted(set(speakers))
    return single_precision(np.array([[speaker == column for column in columns] for speaker in speakers]))


def _audio(path: Path, ids: Sequence[str]) -> Floats:
    """MFCC, mel spectrogram and spectral centroid (`extract_audio_features.py` there), by id (283, frames)."""
    found = read_pickle(path)
    if not isinstance(found, dict):
        raise DataError(f"{path}: not a dictionary from ids to arrays", FETCH_AGAIN)
    _complete(path, ids, found)
    means = [mean_over_frames(found[name], 1, AUDIO_WIDTH, f"{path}: {name}") for name in ids]
    return stack_vectors(means, ids, path)


def _video(path: Path, ids: Sequence[str]) -> Floats:
    """ResNet-152 pool5 of every frame (`visual/extract_features.py` there), by id (frames, 2048)."""
    with open_hdf5(path) as file:
        _complete(path, ids, file)
        means = [mean_over_frames(file[name][()], 0, VIDEO_WIDTH, f"{path}: {name}") for name in ids]
    return stack_vectors(means, ids, path)


def _complete(path: Path, ids: Sequence[str], found: Mapping[str, Any]) -> None:
    lacking = [name for name in ids if name not in found]
    if lacking:
        raise DataError(
            f"{path}: {format_names(lacking, 'utterance')} not in it",
            "Add them, or move the file away to import without it.",
        )
