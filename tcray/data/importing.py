"""From other people's files to imported datasets: one reader a source, and every protocol of that source at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tcray.data import hateful_memes, mosi, mustard
from tcray.data.archive import write_examples
from tcray.data.catalogue import Card, source_of
from tcray.data.examples import Examples

READERS: Mapping[str, Callable[[Path], tuple[Examples, ...]]] = {
    "mosi": mosi.read,
    "mustard": mustard.read,
    "hateful_memes": hateful_memes.read,
}


def import_dataset(name: str, folder: Path, root: Path) -> tuple[Card, ...]:
    """Reads the source of dataset `name` from `folder`, and writes each of its protocols into `root`.

    Nothing is written unless everything could be read; DataError says what could not.
    """
    protocols = READERS[source_of(name)](folder)
    return tuple(write_examples(examples, root) for examples in protocols)
