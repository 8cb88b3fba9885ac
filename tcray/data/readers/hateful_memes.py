"""Hateful Memes (Kiela et al., NeurIPS 2020): the official lists of memes, and features of each by the image's name.

The lists are `train.jsonl`, `dev_seen.jsonl`, `test_seen.jsonl` and the unseen ones; every `.npz` file beside them is a
modality of that name, holding a vector for each image under its name, with or without folder and extension.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcray.data.examples import Examples, Floats, Partition, format_count, format_names, single_precision
from tcray.data.readers.files import find_file, get_field, read_json_lines, read_npz, require_file, stack_vectors
from tcray.errors import DataError

VALID = ("dev_seen", "dev")
TEST = ("test_seen", "test", "test_unseen", "dev_unseen")
"""Lists to test on, best first; some were published without labels."""

FIRST = ("text", "image")
"""The order of modalities; others follow by name."""


@dataclass(frozen=True)
class Meme:
    """A line of a list; `label` is None where it was not published."""

    id: str
    image: str
    label: int | None


def read_hateful_memes(folder: Path) -> tuple[Examples]:
    """`hateful_memes`: train on `train`, validate on `dev_seen`, test on the first list of `TEST` that has labels.

    Of a list to test on, memes that also stand in the other two are left out.
    """
    train = _memes(require_file(folder, "train.jsonl"))
    valid = _memes(require_file(folder, *(f"{name}.jsonl" for name in VALID)))
    name, test = _test(folder)
    seen = {meme.id for meme in (*train, *valid)}
    fresh = [meme for meme in test if meme.id not in seen]
    memes = [*train, *valid, *fresh]
    notes = [f"Tested on {name}."]
    if len(fresh) < len(test):
        notes.append(
            f"Left out of {name}: {format_count(len(test) - len(fresh), 'meme')} that also stand in train or dev."
        )
    bounds = np.cumsum([0, len(train), len(valid), len(fresh)])
    ids = tuple(meme.id for meme in memes)
    return (
        Examples(
            name="hateful_memes",
            task="classification",
            primary_metric="auroc",
            features=_features(folder, memes),
            labels=single_precision(np.array([meme.label for meme in memes], np.float64)),
            ids=ids,
            group="",
            groups=ids,
            splits=(Partition(*(np.arange(a, b) for a, b in pairwise(bounds))),),
            notes=tuple(notes),
        ),
    )


def _memes(path: Path) -> list[Meme]:
    """The memes of a list that has to have labels."""
    memes = _listed(path)
    without = [meme.id for meme in memes if meme.label is None]
    if without:
        raise DataError(f"{path}: {format_names(without, 'meme')} without a label", "Take the release that has labels.")
    return memes


def _test(folder: Path) -> tuple[str, list[Meme]]:
    """The name and the memes of the best list to test on."""
    unlabelled = []
    for name in TEST:
        if path := find_file(folder, f"{name}.jsonl"):
            memes = _listed(path)
            if memes and all(meme.label is not None for meme in memes):
                return name, memes
            unlabelled.append(path.name)
    what = f"{' and '.join(unlabelled)} without labels" if unlabelled else "none of the lists to test on"
    lists = ", ".join(f"{name}.jsonl" for name in TEST)
    raise DataError(f"{folder}: {what}", f"Add one of these with labels: {lists}.")


def _listed(path: Path) -> list[Meme]:
    memes = []
    for where, item in read_json_lines(path):
        name = get_field(item, "id", (int, str), where)
        label = item.get("label")
        if label not in (None, 0, 1):
            raise DataError(f"{where}: the label is {label!r}, and neither 0 nor 1", "Correct that line.")
        memes.append(Meme(str(name), get_field(item, "img", str, where), label))
    return memes


def _features(folder: Path, memes: Sequence[Meme]) -> dict[str, Floats]:
    paths = {path.stem: path for path in sorted(folder.glob("*.npz"))}
    if not paths:
        raise DataError(
            f"{folder}: no features in it",
            "Add an .npz file for each modality, as text.npz, with a vector for each image.",
        )
    if wrong := [name for name in paths if not name.isidentifier()]:
        raise DataError(
            f"{paths[wrong[0]]}: {wrong[0]!r} cannot name a modality", "Rename it, as text.npz or image.npz."
        )
    order = [name for name in FIRST if name in paths] + [name for name in paths if name not in FIRST]
    return {name: _modality(paths[name], memes) for name in order}


def _modality(path: Path, memes: Sequence[Meme]) -> Floats:
    found = read_npz(path)
    vectors = [_vector(found, meme) for meme in memes]
    lacking = [meme.image for meme, vector in zip(memes, vectors, strict=True) if vector is None]
    if lacking:
        raise DataError(
            f"{path}: {format_names(lacking, 'image')} not in it", "Add a vector for each, under the image's name."
        )
    return stack_vectors(vectors, [meme.image for meme in memes], path)


def _vector(found: Mapping[str, NDArray[Any]], meme: Meme) -> NDArray[Any] | None:
    image = PurePosixPath(meme.image)
    keys = (meme.image, image.name, image.stem, meme.id)
    return next((found[key] for key in keys if key in found), None)
