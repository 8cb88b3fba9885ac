"""Import of MUStARD from the files of its repository."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tcray.data.examples import Examples
from tcray.data.readers.mustard import TOKEN, _read_glove, read_mustard
from tests.data.conftest import REAL_DATA, ErrorMessage, real_data
from tests.data.factories import mustard_folder, write_pickle

IDS = [f"1_{i}" for i in range(40)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with forty utterances, sixteen of them from FRIENDS."""
    return mustard_folder(tmp_path / "mustard")


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the items of `sarcasm_data.json`."""
    path = folder / "sarcasm_data.json"
    items = json.loads(path.read_text(encoding="utf-8"))
    change(items)
    path.write_text(json.dumps(items), encoding="utf-8")


def shares(examples: Examples) -> list[tuple[int, int]]:
    """Return the numbers of examples and of sarcastic ones in train, valid and test of the first fold."""
    split = examples.splits[0]
    return [(rows.size, int(examples.labels[rows].sum())) for rows in (split.train, split.valid, split.test)]


def test_the_speaker_independent_protocol_tests_on_friends(folder: Path) -> None:
    """Validation is drawn from the other shows, stratified by class; test speakers are not in train."""
    independent, _ = read_mustard(folder)
    assert shares(independent) == [(20, 10), (4, 2), (16, 8)]
    split = independent.splits[0]
    assert {independent.groups[row] for row in split.test} == {"ROSS", "JOEY"}
    assert {independent.groups[row] for row in (*split.train, *split.valid)} == {"SHELDON", "PENNY", "DOROTHY"}


def test_the_speaker_independent_protocol_leaves_speaker_out(folder: Path) -> None:
    """The speaker-independent protocol has no speaker modality, because test speakers are new."""
    independent, folds = read_mustard(folder)
    assert list(independent.features) == ["text", "context"]
    assert list(folds.features) == ["text", "context", "speaker"]


def test_the_folds_are_those_of_the_file(folder: Path) -> None:
    """Test parts are those of the file; validation is drawn from the train parts, stratified by class."""
    _, folds = read_mustard(folder)
    assert [split.test.tolist() for split in folds.splits] == [list(range(f, 40, 5)) for f in range(5)]
    for split in folds.splits:
        assert (split.train.size, split.valid.size) == (27, 5)
        assert sorted([*split.train, *split.valid, *split.test]) == list(range(40))
        assert int(folds.labels[split.valid].sum()) in (2, 3)


def test_text_is_the_mean_vector_of_the_tokens_that_have_one(folder: Path) -> None:
    """Contractions are split as in the dictionaries; an empty context is 0."""
    independent, _ = read_mustard(folder)
    vectors = _read_glove(folder)
    text = np.mean([vectors[token] for token in ("i", "do", "n't", "know", "!")], axis=0)
    np.testing.assert_allclose(independent.features["text"][0], text, rtol=1e-6)
    context = np.mean([vectors[token] for token in ("it", "'s", "you", "oh", "?")], axis=0)
    np.testing.assert_allclose(independent.features["context"][1], context, rtol=1e-6)
    np.testing.assert_array_equal(independent.features["context"][0], np.zeros(4))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("I don't know!", ["i", "do", "n't", "know", "!"]),
        ("She's here, isn't she?", ["she", "'s", "here", ",", "is", "n't", "she", "?"]),
        ("Can't. We'll (both) go... 'cause I've 2 cats", None),
    ],
)
def test_tokens_are_cut_as_the_dictionaries_were(text: str, tokens: list[str] | None) -> None:
    """Full stops and unknown signs are not tokens."""
    known = ["ca", "n't", "we", "'ll", "(", "both", ")", "go", "'", "cause", "i", "'ve", "2", "cats"]
    assert TOKEN.findall(text.lower()) == (tokens or known)


def test_speaker_is_one_hot(folder: Path) -> None:
    """Speaker columns are in alphabetical order."""
    _, folds = read_mustard(folder)
    speaker = folds.features["speaker"]
    np.testing.assert_array_equal(speaker.sum(axis=1), np.ones(40))
    assert [sorted(set(folds.groups))[column] for column in speaker.argmax(axis=1)] == list(folds.groups)


def test_audio_and_video_are_used_if_present(folder: Path) -> None:
    """Audio and video are means over frames, in the order of the utterances."""
    chance = np.random.default_rng(0)
    audio = {name: chance.normal(size=(283, 1 + i)) for i, name in enumerate(reversed(IDS))}
    write_pickle(folder / "audio_features.p", audio, protocol=4)
    (folder / "features/utterances_final").mkdir(parents=True)
    video = {name: chance.normal(size=(1 + i % 3, 2048)).astype(np.float32) for i, name in enumerate(IDS)}
    with h5py.File(folder / "features/utterances_final/resnet_pool5.hdf5", "w") as file:
        for name, frames in video.items():
            file[name] = frames
    independent, folds = read_mustard(folder)
    assert list(independent.features) == ["text", "context", "audio", "video"]
    assert list(folds.features) == ["text", "context", "speaker", "audio", "video"]
    assert independent.notes == folds.notes == ()
    np.testing.assert_allclose(folds.features["audio"][7], audio["1_7"].mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(folds.features["video"][7], video["1_7"].mean(axis=0), rtol=1e-3, atol=1e-6)


def test_missing_audio_and_video_are_noted(folder: Path) -> None:
    """The notes name the optional files that were not found."""
    independent, _ = read_mustard(folder)
    assert independent.notes == (
        "Without audio: audio_features.p was not found.",
        "Without video: resnet_pool5.hdf5 was not found.",
    )


def test_an_utterance_that_a_feature_file_lacks_is_named(folder: Path, error_of: ErrorMessage) -> None:
    """The message names the first utterances that a feature file lacks."""
    write_pickle(folder / "audio_features.p", {name: np.ones((283, 2)) for name in IDS[2:]})
    assert error_of(lambda: read_mustard(folder)) == f"{folder}/audio_features.p: 2 utterances (1_0, 1_1) missing"
    write_pickle(folder / "audio_features.p", {name: np.ones((13, 2)) for name in IDS})
    assert error_of(lambda: read_mustard(folder)) == (
        f"{folder}/audio_features.p: 1_0: an array of (283, frames) expected, (13, 2) found"
    )
    write_pickle(folder / "audio_features.p", [1, 2])
    assert error_of(lambda: read_mustard(folder)) == f"{folder}/audio_features.p: not a dictionary from ids to arrays"


def test_a_truncated_video_file_is_refused(folder: Path, error_of: ErrorMessage) -> None:
    """A truncated video file is refused with HDF5's message."""
    path = folder / "resnet_pool5.hdf5"
    with h5py.File(path, "w") as file:
        for name in IDS:
            file[name] = np.ones((2, 2048), np.float32)
    path.write_bytes(path.read_bytes()[:5000])
    assert error_of(lambda: read_mustard(folder)).startswith(f"{path}: incomplete or damaged HDF5 file: ")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda items: items["1_3"].pop("speaker"), "1_3: speaker is missing or of the wrong type"),
        (lambda items: items["1_3"].update(context="It's you."), "1_3: context is missing or of the wrong type"),
        (lambda items: items["1_3"].update(sarcasm=2), "1_3: sarcasm is 2, expected true or false"),
        (lambda items: items["1_3"].update(sarcasm="yes"), "1_3: sarcasm is missing or of the wrong type"),
        (lambda items: items.update({"1_3": 7}), "1_3: context is missing or of the wrong type"),
    ],
)
def test_a_bad_item_is_named(
    change: Callable[[dict[str, Any]], object], says: str, folder: Path, error_of: ErrorMessage
) -> None:
    """The message names the file and the bad item."""
    edit(folder, change)
    assert error_of(lambda: read_mustard(folder)) == f"{folder}/sarcasm_data.json: {says}"


def test_a_missing_test_show_is_refused(folder: Path, error_of: ErrorMessage) -> None:
    """A file without the test show is refused."""
    edit(folder, lambda items: [item.update(show="BBT") for item in items.values()])
    assert error_of(lambda: read_mustard(folder)) == "mustard: there are no test examples"


@pytest.mark.parametrize(
    "folds",
    [
        [(np.arange(5), np.arange(5, 41))],
        [(np.arange(5), np.arange(-1, 5))],
        [(np.arange(5.0), np.arange(5, 9))],
        [(np.arange(5),)],
        7,
    ],
    ids=str,
)
def test_bad_folds_are_refused(folds: Any, folder: Path, error_of: ErrorMessage) -> None:
    """Indices out of range, other values and malformed pairs are refused."""
    write_pickle(folder / "split_indices.p", folds)
    assert error_of(lambda: read_mustard(folder)) == (
        f"{folder}/split_indices.p: not a list of (train, test) indices below 40"
    )


def test_an_example_tested_twice_is_refused(folder: Path, error_of: ErrorMessage) -> None:
    """Folds that test an example twice are refused, because pooled metrics would count it twice."""
    rest, first = np.arange(8, 40), np.arange(8)
    write_pickle(folder / "split_indices.p", [(rest, first), (rest, first)])
    assert error_of(lambda: read_mustard(folder)) == "mustard-folds: an example is tested in two folds"


def test_bad_vectors_are_refused(folder: Path, error_of: ErrorMessage) -> None:
    """Vectors of another width and empty dictionaries are refused."""
    write_pickle(folder / "glove/glove_dict_3.p", {"word": np.ones(5)})
    assert error_of(lambda: read_mustard(folder)) == f"{folder}/glove/glove_dict_3.p: word: 4 columns expected, 5 found"
    write_pickle(folder / "glove/glove_dict_3.p", {})
    assert error_of(lambda: read_mustard(folder)) == (
        f"{folder}/glove/glove_dict_3.p: not a dictionary from words to vectors"
    )
    for path in (folder / "glove").iterdir():
        path.unlink()
    assert error_of(lambda: read_mustard(folder)) == f"{folder}: glove/glove_dict_1.p is missing"


def test_the_repository_folder_is_accepted(folder: Path, tmp_path: Path) -> None:
    """The repository's own folder is accepted, with files in `data` and vectors in `data/temp`."""
    repository = tmp_path / "repository"
    (repository / "data").mkdir(parents=True)
    (folder / "glove").rename(repository / "data/temp")
    for name in ("sarcasm_data.json", "split_indices.p"):
        (folder / name).rename(repository / "data" / name)
    assert read_mustard(repository)[1].digest == read_mustard(mustard_folder(tmp_path / "again"))[1].digest


@real_data
def test_real_mustard_has_the_published_sizes() -> None:
    """Real MUStARD has 690 utterances, half of them sarcastic: 356 of FRIENDS and 334 others."""
    independent, folds = read_mustard(REAL_DATA / "mustard")
    assert np.bincount(independent.labels.astype(int)).tolist() == [345, 345]
    assert shares(independent) == [(284, 164), (50, 29), (356, 152)]
    assert independent.splits[0].test.size == 356
    assert [(s.train.size, s.valid.size, s.test.size) for s in folds.splits] == [(469, 83, 138)] * 5
    widths = {name: matrix.shape[1] for name, matrix in folds.features.items()}
    assert widths == {"text": 300, "context": 300, "speaker": 21}


@real_data
def test_the_real_vectors_cover_the_real_tokens() -> None:
    """The real dictionaries have 1,927 words and cover at least 97.8 % of the utterances' tokens."""
    vectors = _read_glove(REAL_DATA / "mustard")
    items = json.loads((REAL_DATA / "mustard/sarcasm_data.json").read_text(encoding="utf-8"))
    tokens = [token for item in items.values() for token in TOKEN.findall(item["utterance"].lower())]
    assert len(vectors) == 1927
    assert sum(token in vectors for token in tokens) / len(tokens) >= 0.978
