"""What is known of each dataset without opening it: its card, found beside its arrays or made from its twin's recipe.

Nothing here loads numpy or torch, so that a plan is made in no time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, cast

from tcray.config.commands import format_command
from tcray.config.messages import join_words, quote_text, suggest_names
from tcray.config.metrics import METRICS, Task
from tcray.data.recipe import Recipe, read_recipe
from tcray.errors import DataError

Source = Literal["real", "twin"]

PROTOCOLS: Mapping[str, tuple[str, ...]] = {
    "mosi": ("mosi", "mosi-heldout"),
    "mustard": ("mustard", "mustard-folds"),
    "hateful_memes": ("hateful_memes",),
}
"""What one import of each source gives: the datasets, each a way to split that source."""

TWIN_ONLY: tuple[str, ...] = ("twin-overfit", "twin-saturating", "twin-flat", "twin-harmful", "twin-harmless")
"""Datasets that exist only as twins: what a sweep of each should find has been measured beforehand."""

FORMAT = 1
"""Of the card's file and the arrays beside it; a file of another format is imported again."""


@dataclass(frozen=True)
class Card:
    """What planning, searching and reporting need to know of a dataset.

    modalities      name to width, in the dataset's order
    sizes           train, valid and test examples; of a fold protocol the first fold's train and valid, and all tested
    folds           1 for a single split
    groups          what a group of examples is ("video", "speaker"); empty where every example stands alone
    fingerprint     equal fingerprints, equal data: a digest of the arrays, or of the recipe for a twin
    saw_labels      the features of the train split were learned from its labels
    primary_metric  the one that bears verdicts: mae, f1 or auroc
    train_sizes     train examples of every fold; empty for a single split
    notes           what a reader of results should know, a sentence each
    """

    name: str
    source: Source
    task: Task
    modalities: Mapping[str, int]
    sizes: tuple[int, int, int]
    folds: int
    groups: str
    fingerprint: str
    saw_labels: bool
    primary_metric: str
    train_sizes: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    def train_steps(self, batch_size: int) -> int:
        """Optimiser steps in an epoch of the largest fold; the last batch may be partial."""
        return -(-max(self.train_sizes, default=self.sizes[0]) // batch_size)

    def document(self) -> dict[str, Any]:
        """The card as JSON has it; `from_document` is the inverse."""
        document = asdict(self)
        return {**document, "modalities": dict(self.modalities)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Card:
        """The card that `document` describes; ValueError says which entry is not what it should be."""
        wrong = [name for name, holds in _HOLDS.items() if name not in document or not holds(document[name])]
        if wrong:
            raise ValueError(f"{' and '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} missing or wrong")
        values = {field.name: document[field.name] for field in fields(cls)}
        tuples = {name: tuple(values[name]) for name in ("sizes", "train_sizes", "notes")}
        return cls(**{**values, **tuples})


def _counts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(type(n) is int and n > 0 for n in value)


_HOLDS: Mapping[str, Callable[[Any], bool]] = {
    "name": lambda v: isinstance(v, str),
    "source": lambda v: v in ("real", "twin"),
    "task": lambda v: v in ("regression", "classification"),
    "modalities": lambda v: isinstance(v, dict) and bool(v) and _counts(list(v.values())),
    "sizes": lambda v: _counts(v) and len(v) == 3,
    "folds": lambda v: type(v) is int and v > 0,
    "groups": lambda v: isinstance(v, str),
    "fingerprint": lambda v: isinstance(v, str) and bool(v),
    "saw_labels": lambda v: isinstance(v, bool),
    "primary_metric": lambda v: isinstance(v, str) and v in METRICS,
    "train_sizes": _counts,
    "notes": lambda v: isinstance(v, list | tuple) and all(isinstance(note, str) for note in v),
}


def dataset_names() -> tuple[str, ...]:
    """Every dataset there is: those that can be imported, then those that exist only as twins."""
    return (*(name for protocols in PROTOCOLS.values() for name in protocols), *TWIN_ONLY)


def find_card(name: str, root: str | Path, missing: Literal["twin", "error"] = "twin") -> Card:
    """The card of dataset `name`: as imported into `root`, else its twin's where `missing` allows that or must.

    Raises DataError for a name that is not known, a card that cannot be read, and, with `missing="error"`, a dataset
    that could be imported and has not been.
    """
    check_name(name)
    if (imported := read_imported_card(name, root)) is not None:
        return imported
    if missing == "twin" or name in TWIN_ONLY:
        return make_twin_card(read_recipe(name))
    raise DataError(f"{name} has not been imported into {root}", f"Import it: {format_import_command(name, root)}")


def check_name(name: str) -> None:
    """Raises DataError, with the nearest name, where no dataset is called `name`."""
    if name not in dataset_names():
        raise DataError(
            f"no such dataset {quote_text(name)}: {suggest_names(name, dataset_names())}",
            f"The datasets are {join_words(dataset_names(), 'and')}.",
        )


def find_source(name: str) -> str:
    """The source whose import gives dataset `name`; DataError where none does."""
    check_name(name)
    for source, protocols in PROTOCOLS.items():
        if name in protocols:
            return source
    raise DataError(f"{name} exists only as a twin: there is nothing to import", "Use it as it is.")


def format_import_command(name: str, root: str | Path) -> str:
    """The command that imports dataset `name` into `root`."""
    words = ["data", "import", find_source(name), "--from", "PATH"]
    return format_command("tcray", *words, *([] if str(root) == "data" else ["--root", str(root)]))


def format_repair_hint(name: str, root: str | Path) -> str:
    """What to do where the files of dataset `name` in `root` are broken."""
    if name in TWIN_ONLY:
        return f"Write it again: {format_command('tcray', 'data', 'twin', name, '--to', str(root))}"
    return f"Import it again: {format_import_command(name, root)}"


def format_twin_notice(name: str, root: str | Path) -> str:
    """What is said of a dataset whose twin is used."""
    if name in TWIN_ONLY:
        return f"{name} is synthetic, with a known truth: it exists only as a twin"
    return f"{name} is not imported: its twin stands in ({format_import_command(name, root)})"


def card_path(name: str, root: str | Path) -> Path:
    """Where the card of dataset `name` is, once it has been imported into `root`."""
    return Path(root) / f"{name}.json"


def arrays_path(name: str, root: str | Path) -> Path:
    """Where the arrays of dataset `name` are, once it has been imported into `root`."""
    return Path(root) / f"{name}.npz"


def read_imported_card(name: str, root: str | Path) -> Card | None:
    """The card beside the imported arrays; None where the dataset has not been imported into `root`."""
    path = card_path(name, root)
    if not path.exists():
        return None
    again = format_repair_hint(name, root)
    if not arrays_path(name, root).exists():
        raise DataError(f"{path}: its arrays, {arrays_path(name, root).name}, are not beside it", again)
    card = Card.from_document(read_card_document(name, root))
    if card.name != name:
        raise DataError(f"{path}: it is the card of {card.name}", again)
    return card


def read_card_document(name: str, root: str | Path) -> dict[str, Any]:
    """The card's file as written, checked; beyond the card it holds `format` and `content`, the arrays' digest."""
    path = card_path(name, root)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict):
            raise ValueError("it is not a mapping")
        if document.get("format") != FORMAT:
            raise ValueError(f"its format is {document.get('format')!r}, and this tcray reads {FORMAT}")
        if not isinstance(document.get("content"), str):
            raise ValueError("content is missing or wrong")
        Card.from_document(document)
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a dataset's card: {error}", format_repair_hint(name, root)) from error
    return cast("dict[str, Any]", document)


def make_twin_card(recipe: Recipe) -> Card:
    """The card of the twin that `recipe` makes, without making it."""
    splits = recipe.assignment.splits
    first = splits[0]
    return Card(
        name=recipe.name,
        source="twin",
        task=recipe.task,
        modalities={name: view.width for name, view in recipe.modalities.items()},
        sizes=(len(first.train), len(first.valid), sum(len(split.test) for split in splits)),
        folds=len(splits),
        groups=recipe.group,
        fingerprint=recipe.fingerprint,
        saw_labels=False,
        primary_metric=recipe.primary_metric,
        train_sizes=tuple(len(split.train) for split in splits) if len(splits) > 1 else (),
        notes=(recipe.note,),
    )
