"""Examples on disk: `<name>.npz` with the arrays and, written last, `<name>.json` with the card."""

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
    """Writes `examples` into `root` and returns their card; the fingerprint is their digest unless one is given."""
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
            f"{root}: {card.name} cannot be written there: {error}", "Name a folder you may write to."
        ) from error
    return card


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Lets `write` fill a file beside `path`, then renames it: `path` is whole or as it was."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            write(file)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_examples(card: Card, root: Path) -> Examples:
    """The examples that `card` describes; DataError where the files are broken or no longer those of the card."""
    path = arrays_path(card.name, root)
    again = format_repair_hint(card.name, root)
    document = read_card_document(card.name, root)
    if document["fingerprint"] != card.fingerprint:
        raise DataError(
            f"{card_path(card.name, root)}: {card.name} was imported anew since it was looked up", "Start again."
        )
    try:
        examples = _read_arrays(card, path)
    except DataError as error:
        raise DataError(error.message, again) from error
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not the arrays of {card.name}: {error}", again) from error
    if examples.digest != document["content"]:
        raise DataError(f"{path}: the arrays are not the ones the card was written for", again)
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
