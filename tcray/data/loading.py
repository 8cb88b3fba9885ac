"""Import of published files as datasets, and loading of the examples of a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tcray.data.archive import read_examples, write_examples
from tcray.data.catalog import Card, find_source
from tcray.data.examples import Examples
from tcray.data.readers.hateful_memes import read_hateful_memes
from tcray.data.readers.mosi import read_mosi
from tcray.data.readers.mustard import read_mustard
from tcray.data.recipe import read_recipe
from tcray.data.twins import generate_twin

READERS: Mapping[str, Callable[[Path], tuple[Examples, ...]]] = {
    "mosi": read_mosi,
    "mustard": read_mustard,
    "hateful_memes": read_hateful_memes,
}
"""The reader of each source; it returns one `Examples` per protocol."""


def import_dataset(name: str, folder: Path, root: Path) -> tuple[Card, ...]:
    """Import the source of dataset `name` from `folder` into `root`; return the cards of all its protocols.

    Raises DataError if a file cannot be read; nothing is written then.
    """
    protocols = READERS[find_source(name)](folder)
    return tuple(write_examples(examples, root) for examples in protocols)


def load_examples(card: Card, root: str | Path) -> Examples:
    """Load the examples of `card`: read those imported into `root`, or generate the twin.

    Raises DataError if the files are broken or no longer match the card.
    """
    if card.source == "twin" and (recipe := read_recipe(card.name)).fingerprint == card.fingerprint:
        return generate_twin(recipe).examples
    return read_examples(card, Path(root))
