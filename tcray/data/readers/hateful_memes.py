"""Hateful Memes (Kiela et al., NeurIPS 2020): the official lists of memes, and feature vectors by image name.

The lists are `train.jsonl`, `dev_seen.jsonl`, `test_seen.jsonl` and the unseen ones. Every `.npz` file beside them is a
modality of that name; it holds one vector per image under the image's name, with or without folder and extension.
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
"""Candidate test lists in order of preference; some were published without labels."""

FIRST = ("text", "image")
"""Modalities that come first; the others follow in alphabetical order."""


@dataclass(frozen=True)
class Meme:
    """One line of a list; `label` is None if it was not published."""

    id: str
    image: str
    label: int | None


def read_hateful_memes(folder: Path) -> tuple[Examples]:
    """Read `hateful_memes`: train on `train`, validate on `dev_seen`, test on the first list of `TEST` that has labels.

    Memes of the test list that are also in the train or validation list are left out.
    """
    train = _read_labelled_list(require_file(folder, "train.jsonl"))
    valid = _read_labelled_list(require_file(folder, *(f"{name}.jsonl" for name in VALID)))
    name, test = _choose_test_list(folder)
    seen = {meme.id for meme in (*train, *valid)}
    fresh = [meme for meme in test if meme.id not in seen]
    memes = [*train, *valid, *fresh]
    notes = [f"Tested on {name}."]
    if len(fresh) < len(test):
        notes.append(
            f"Left out of {name}: {format_count(len(test) - len(fresh), 'meme')} that are also in train or dev."
        )
    bounds = np.cumsum([0, len(train), len(valid), len(fresh)])
    ids = tuple(meme.id for meme in memes)
    return (
        Examples(
            name="hateful_memes",
            task="classification",
            primary_metric="auroc",
            features=_read_features(folder, memes),
            labels=single_precision(np.array([meme.label for meme in memes], np.float64)),
            ids=ids,
            group="",
            groups=ids,
            splits=(Partition(*(np.arange(a, b) for a, b in pairwise(bounds))),),
            notes=tuple(notes),
        ),
    )


def _read_labelled_list(path: Path) -> list[Meme]:
    """Return the memes of a list that must have labels."""
    memes = _read_list(path)
    without = [meme.id for meme in memes if meme.label is None]
    if without:
        raise DataError(
            f"{path}: {format_names(without, 'meme')} without a label", "Use the release that includes labels."
        )
    return memes


def _choose_test_list(folder: Path) -> tuple[str, list[Meme]]:
    """Return the name and the memes of the preferred test list that has labels."""
    unlabelled = []
    for name in TEST:
        if path := find_file(folder, f"{name}.jsonl"):
            memes = _read_list(path)
            if memes and all(meme.label is not None for meme in memes):
                return name, memes
            unlabelled.append(path.name)
    what = f"{' and '.join(unlabelled)} without labels" if unlabelled else "no test list"
    lists = ", ".join(f"{name}.jsonl" for name in TEST)
    raise DataError(f"{folder}: {what}", f"Add one of these with labels: {lists}.")


def _read_list(path: Path) -> list[Meme]:
    memes = []
    for where, item in read_json_lines(path):
        name = get_field(item, "id", (int, str), where)
        label = item.get("label")
        if label not in (None, 0, 1):
            raise DataError(f"{where}: the label is {label!r}, expected 0 or 1", "Correct that line.")
        memes.append(Meme(str(name), get_field(item, "img", str, where), label))
    return memes


def _read_features(folder: Path, memes: Sequence[Meme]) -> dict[str, Floats]:
    paths = {path.stem: path for path in sorted(folder.glob("*.npz"))}
    if not paths:
        raise DataError(
            f"{folder}: no feature files",
            "Add an .npz file for each modality, as text.npz, with one vector per image.",
        )
    if wrong := [name for name in paths if not name.isidentifier()]:
        raise DataError(
            f"{paths[wrong[0]]}: {wrong[0]!r} cannot name a modality", "Rename it, as text.npz or image.npz."
        )
    order = [name for name in FIRST if name in paths] + [name for name in paths if name not in FIRST]
    return {name: _read_modality(paths[name], memes) for name in order}


def _read_modality(path: Path, memes: Sequence[Meme]) -> Floats:
    found = read_npz(path)
    vectors = [_find_vector(found, meme) for meme in memes]
    lacking = [meme.image for meme, vector in zip(memes, vectors, strict=True) if vector is None]
    if lacking:
        raise DataError(
            f"{path}: {format_names(lacking, 'image')} missing", "Add one vector for each, under the image's name."
        )
    return stack_vectors(vectors, [meme.image for meme in memes], path)


def _find_vector(found: Mapping[str, NDArray[Any]], meme: Meme) -> NDArray[Any] | None:
    image = PurePosixPath(meme.image)
    keys = (meme.image, image.name, image.stem, meme.id)
    return next((found[key] for key in keys if key in found), None)
