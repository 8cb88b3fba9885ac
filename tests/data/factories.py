"""Small folders in the layouts of published datasets, for tests to import and to damage."""

from __future__ import annotations

import csv
import json
import pickle
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tcray.data.examples import Examples, Partition

MOSI_WIDTHS = {"text": 3, "audio": 2, "video": 4}
TRAIN_VIDEOS = ("aa", "b_b", "cc")
HELD_OUT_VIDEOS = tuple(f"v{i}" for i in range(7))
CLIPS = 3

SHOWS = {"FRIENDS": ("ROSS", "JOEY"), "BBT": ("SHELDON", "PENNY"), "GOLDENGIRLS": ("DOROTHY",)}


def write_csv(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows as a CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)


def mosi_folder(folder: Path) -> Path:
    """Write three train videos and seven others of three utterances each; `cc_2` has no sentiment."""
    chance = np.random.default_rng(0)
    names = {part: [f"{v}_{clip}" for v in videos for clip in range(CLIPS)] for part, videos in _videos().items()}
    everyone = [*names["test"], *names["train"]]
    sentiment = dict(zip(everyone, np.rint(chance.uniform(-15, 15, len(everyone))) / 5, strict=True))
    positive = {name: int(value > 0) for name, value in sentiment.items()}
    write_csv(folder / "transcripts.csv", [(name, "WHAT WAS SAID", 93, positive[name]) for name in everyone])
    known = [(name, "what was said", value, "train") for name, value in sentiment.items() if name != "cc_2"]
    write_csv(folder / "label.csv", [("id", "text", "label", "mode"), *known])
    for part in ("train", "test"):
        write_csv(folder / f"text_{part}.csv", [(everyone.index(name), 0.5) for name in names[part]])
        for modality, width in MOSI_WIDTHS.items():
            rows = [(*chance.normal(size=width).tolist(), positive[name]) for name in names[part]]
            write_csv(folder / modality / f"{modality}_{part}0.csv", rows)
    return folder


def _videos() -> dict[str, tuple[str, ...]]:
    return {"train": TRAIN_VIDEOS, "test": HELD_OUT_VIDEOS}


def mustard_folder(folder: Path) -> Path:
    """Write forty utterances of three shows with GloVe vectors of width 4 and five folds."""
    chance = np.random.default_rng(1)
    cast = [(show, speaker) for show, speakers in SHOWS.items() for speaker in speakers]
    items = {}
    for i in range(40):
        show, speaker = cast[i % len(cast)]
        items[f"1_{i}"] = {
            "utterance": "I don't know!",
            "speaker": speaker,
            "context": ["It's you.", "Oh?"] if i else [],
            "context_speakers": [],
            "show": show,
            "sarcasm": bool(i // len(cast) % 2),
        }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sarcasm_data.json").write_text(json.dumps(items), encoding="utf-8")
    words = ("i", "do", "n't", "know", "!", "it", "'s", "you", "oh", "?")
    vectors = {word: chance.normal(size=4) for word in words}
    for number, some in enumerate((words[:6], words[4:]), start=1):
        write_pickle(folder / f"glove/glove_dict_{number}.p", {word: vectors[word] for word in some})
    folds = [(np.flatnonzero(np.arange(40) % 5 != f), np.flatnonzero(np.arange(40) % 5 == f)) for f in range(5)]
    write_pickle(folder / "split_indices.p", folds)
    return folder


def write_pickle(path: Path, value: Any, protocol: int = 2) -> None:
    """Write a value as a pickle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value, protocol))


def write_list(path: Path, memes: Iterable[dict[str, Any]]) -> None:
    """Write a list of memes, one per line."""
    path.write_text("".join(json.dumps(meme) + "\n" for meme in memes), encoding="utf-8")


def memes(start: int, count: int, *, labelled: bool = True) -> list[dict[str, Any]]:
    """Return memes with ids from `start`, labelled 0 and 1 in turn."""
    listed = [{"id": start + i, "img": f"img/{start + i:05d}.png", "text": "so what"} for i in range(count)]
    return [{**meme, "label": i % 2} for i, meme in enumerate(listed)] if labelled else listed


def memes_folder(folder: Path) -> Path:
    """Write twelve train, four validation and six test memes; text and image features of width 3 and 2."""
    folder.mkdir(parents=True, exist_ok=True)
    write_list(folder / "train.jsonl", memes(0, 12))
    write_list(folder / "dev_seen.jsonl", memes(100, 4))
    write_list(folder / "test_seen.jsonl", memes(200, 6))
    everyone = [*memes(0, 12), *memes(100, 4), *memes(200, 6)]
    chance = np.random.default_rng(2)
    text: dict[str, Any] = {meme["img"]: chance.normal(size=3) for meme in everyone}
    np.savez(folder / "text.npz", **text)
    image: dict[str, Any] = {Path(meme["img"]).stem: chance.normal(size=2) for meme in everyone}
    np.savez(folder / "image.npz", **image)
    return folder


def make_examples(**changes: Any) -> Examples:
    """Return six examples of two modalities in one split."""
    values: dict[str, Any] = {
        "name": "six",
        "task": "regression",
        "primary_metric": "mae",
        "features": {"text": np.arange(18, dtype=np.float32).reshape(6, 3), "video": np.ones((6, 2), np.float32)},
        "labels": np.array([-3, -1, 0, 1, 2, 3], np.float32),
        "ids": tuple("abcdef"),
        "group": "video",
        "groups": tuple("xxyyzz"),
        "splits": (Partition.of([0, 1, 2], [3], [4, 5]),),
    }
    return Examples(**{**values, **changes})
