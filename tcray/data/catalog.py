"""Dataset cards: metadata that is available without loading a dataset, from disk or from the recipe of its twin.

This module imports neither numpy nor torch, so that planning starts fast.
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
"""The datasets that one import of each source creates; each is one way to split that source."""

TWIN_ONLY: tuple[str, ...] = ("twin-overfit", "twin-saturating", "twin-flat", "twin-harmful", "twin-harmless")
"""Synthetic datasets without a published original; the expected result of a sweep of each is known."""

FORMAT = 1
"""Format version of the card file and the arrays beside it; files of another version must be imported again."""


@dataclass(frozen=True)
class Card:
    """Metadata of a dataset, as used by planning, search and results.

    modalities      name to width, in the dataset's order
    sizes           numbers of train, valid and test examples; with folds: train and valid of the first, test of all
    folds           number of folds; 1 for a single split
    groups          what examples are grouped by ("video", "speaker"); empty if they are independent
    fingerprint     equal for equal data: a digest of the arrays, or of the recipe for a twin
    saw_labels      True if the features of the train split were learned from its labels
    primary_metric  the metric that verdicts are based on: mae, f1 or auroc
    train_sizes     number of train examples per fold; empty for a single split
    notes           remarks for readers of results, one sentence each
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
        """Return the optimizer steps per epoch of the largest fold; the last batch may be partial."""
        return -(-max(self.train_sizes, default=self.sizes[0]) // batch_size)

    def document(self) -> dict[str, Any]:
        """Return the card as a JSON-compatible mapping; `from_document` is the inverse."""
        document = asdict(self)
        return {**document, "modalities": dict(self.modalities)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Card:
        """Return the card that `document` describes; raise ValueError with the names of missing or wrong entries."""
        wrong = [name for name, is_valid in _VALIDATORS.items() if name not in document or not is_valid(document[name])]
        if wrong:
            raise ValueError(f"{' and '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} missing or wrong")
        values = {field.name: document[field.name] for field in fields(cls)}
        tuples = {name: tuple(values[name]) for name in ("sizes", "train_sizes", "notes")}
        return cls(**{**values, **tuples})


def _are_counts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(type(n) is int and n > 0 for n in value)


_VALIDATORS: Mapping[str, Callable[[Any], bool]] = {
    "name": lambda v: isinstance(v, str),
    "source": lambda v: v in ("real", "twin"),
    "task": lambda v: v in ("regression", "classification"),
    "modalities": lambda v: isinstance(v, dict) and bool(v) and _are_counts(list(v.values())),
    "sizes": lambda v: _are_counts(v) and len(v) == 3,
    "folds": lambda v: type(v) is int and v > 0,
    "groups": lambda v: isinstance(v, str),
    "fingerprint": lambda v: isinstance(v, str) and bool(v),
    "saw_labels": lambda v: isinstance(v, bool),
    "primary_metric": lambda v: isinstance(v, str) and v in METRICS,
    "train_sizes": _are_counts,
    "notes": lambda v: isinstance(v, list | tuple) and all(isinstance(note, str) for note in v),
}


def dataset_names() -> tuple[str, ...]:
    """Return the names of all datasets: first those that can be imported, then those that exist only as twins."""
    return (*(name for protocols in PROTOCOLS.values() for name in protocols), *TWIN_ONLY)


def find_card(name: str, root: str | Path, missing: Literal["twin", "error"] = "twin") -> Card:
    """Return the card of dataset `name`: as imported into `root`, otherwise that of its twin.

    With `missing="error"`, a twin is used only if the dataset has no original. Raises DataError for an unknown name, an
    unreadable card, or a dataset that must be imported first.
    """
    check_name(name)
    if (imported := read_imported_card(name, root)) is not None:
        return imported
    if missing == "twin" or name in TWIN_ONLY:
        return make_twin_card(read_recipe(name))
    raise DataError(f"{name} has not been imported into {root}", f"Import it: {format_import_command(name, root)}")


def check_name(name: str) -> None:
    """Raise DataError, with the nearest match, if no dataset is called `name`."""
    if name not in dataset_names():
        raise DataError(
            f"no such dataset {quote_text(name)}: {suggest_names(name, dataset_names())}",
            f"The datasets are {join_words(dataset_names(), 'and')}.",
        )


def find_source(name: str) -> str:
    """Return the source from which dataset `name` is imported; raise DataError if it exists only as a twin."""
    check_name(name)
    for source, protocols in PROTOCOLS.items():
        if name in protocols:
            return source
    raise DataError(f"{name} exists only as a twin: there is nothing to import", "Use it as it is.")


def format_import_command(name: str, root: str | Path) -> str:
    """Return the command that imports dataset `name` into `root`."""
    words = ["data", "import", find_source(name), "--from", "PATH"]
    return format_command("tcray", *words, *([] if str(root) == "data" else ["--root", str(root)]))


def format_repair_hint(name: str, root: str | Path) -> str:
    """Return the remedy to print if the files of dataset `name` in `root` are broken."""
    if name in TWIN_ONLY:
        return f"Write it again: {format_command('tcray', 'data', 'twin', name, '--to', str(root))}"
    return f"Import it again: {format_import_command(name, root)}"


def format_twin_notice(name: str, root: str | Path) -> str:
    """Return the notice to print if the twin of dataset `name` is used."""
    if name in TWIN_ONLY:
        return f"{name} is synthetic with a known truth; it exists only as a twin"
    return f"{name} is not imported: using its synthetic twin ({format_import_command(name, root)})"


def card_path(name: str, root: str | Path) -> Path:
    """Return the path of the card of dataset `name` in `root`."""
    return Path(root) / f"{name}.json"


def arrays_path(name: str, root: str | Path) -> Path:
    """Return the path of the arrays of dataset `name` in `root`."""
    return Path(root) / f"{name}.npz"


def read_imported_card(name: str, root: str | Path) -> Card | None:
    """Return the card stored in `root`; None if the dataset has not been imported there."""
    path = card_path(name, root)
    if not path.exists():
        return None
    again = format_repair_hint(name, root)
    if not arrays_path(name, root).exists():
        raise DataError(f"{path}: its arrays ({arrays_path(name, root).name}) are missing", again)
    card = Card.from_document(read_card_document(name, root))
    if card.name != name:
        raise DataError(f"{path}: this is the card of {card.name}", again)
    return card


def read_card_document(name: str, root: str | Path) -> dict[str, Any]:
    """Read and check the card file; besides the card it holds `format` and `content`, the digest of the arrays."""
    path = card_path(name, root)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict):
            raise ValueError("not a JSON object")
        if document.get("format") != FORMAT:
            raise ValueError(f"format {document.get('format')!r} is not supported, expected {FORMAT}")
        if not isinstance(document.get("content"), str):
            raise ValueError("content is missing or wrong")
        Card.from_document(document)
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a dataset card: {error}", format_repair_hint(name, root)) from error
    return cast("dict[str, Any]", document)


def make_twin_card(recipe: Recipe) -> Card:
    """Return the card of the twin that `recipe` describes, without generating the twin."""
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
