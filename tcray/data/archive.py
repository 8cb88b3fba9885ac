"""Storage of examples: `<name>.npz` holds the arrays and `<name>.json`, written last, the card."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from tcray.data.catalog import FORMAT, Card, Source, arrays_path, card_path, format_repair_hint, read_card_document
from tcray.data.examples import Examples, Partition
from tcray.data.readers.files import read_npz
from tcray.errors import DataError

_FEATURES = "features/"
_SPLIT = "splits/"
_PARTS = ("train", "valid", "test")


def write_examples(examples: Examples, root: Path, source: Source = "real", fingerprint: str | None = None) -> Card:
    """Write `examples` into `root` and return their card; `fingerprint` defaults to the digest of the examples."""
    content = examples.digest
    card = examples.card(source, fingerprint or content)
    arrays = {f"{_FEATURES}{name}": matrix for name, matrix in examples.features.items()}
    arrays |= {"labels": examples.labels, "ids": np.array(examples.ids), "groups": np.array(examples.groups)}
    for fold, split in enumerate(examples.splits):
        arrays |= {f"{_SPLIT}{fold}/{part}": getattr(split, part) for part in _PARTS}
    document = {"format": FORMAT, "content": content, **card.document()}
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    try:
        root.mkdir(parents=True, exist_ok=True)
        write_atomically(arrays_path(card.name, root), lambda file: np.savez(file, allow_pickle=False, **arrays))
        write_atomically(card_path(card.name, root), lambda file: file.write(text.encode()))
    except OSError as error:
        raise DataError(
            f"{root}: cannot write {card.name}: {error}", "Choose a folder that you can write to."
        ) from error
    return card


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call `write` on a temporary file beside `path`, then rename that file: `path` is never half written."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            write(file)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_examples(card: Card, root: Path) -> Examples:
    """Read the examples that `card` describes.

    Raises DataError if the files are broken or no longer match the card.
    """
    path = arrays_path(card.name, root)
    again = format_repair_hint(card.name, root)
    document = read_card_document(card.name, root)
    if document["fingerprint"] != card.fingerprint:
        raise DataError(
            f"{card_path(card.name, root)}: {card.name} has been imported again since its card was read",
            "Run the same command again.",
        )
    try:
        examples = _read_arrays(card, path)
    except DataError as error:
        raise DataError(error.message, again) from error
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DataError(f"{path}: does not hold the arrays of {card.name}: {error}", again) from error
    if examples.digest != document["content"]:
        raise DataError(f"{path}: the arrays do not match the card", again)
    return examples


def _read_arrays(card: Card, path: Path) -> Examples:
    arrays = read_npz(path)
    splits = [[arrays[f"{_SPLIT}{fold}/{part}"] for part in _PARTS] for fold in range(card.folds)]
    return Examples(
        name=card.name,
        task=card.task,
        primary_metric=card.primary_metric,
        features={name: arrays[f"{_FEATURES}{name}"] for name in card.modalities},
        labels=arrays["labels"],
        ids=tuple(arrays["ids"].tolist()),
        group=card.groups,
        groups=tuple(arrays["groups"].tolist()),
        splits=tuple(Partition(*split) for split in splits),
        saw_labels=card.saw_labels,
        notes=card.notes,
    )
