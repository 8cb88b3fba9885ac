"""The examples of a card: read from disk, or made from a twin's recipe."""

from __future__ import annotations

from pathlib import Path

from tcray.data.archive import read_examples
from tcray.data.catalogue import Card
from tcray.data.examples import Examples
from tcray.data.recipe import read_recipe
from tcray.data.twins import plant


def load_examples(card: Card, root: str | Path) -> Examples:
    """The examples of `card`, imported into `root` or a twin's.

    Raises DataError where files are broken or no longer those of the card.
    """
    if card.source == "twin" and (recipe := read_recipe(card.name)).fingerprint == card.fingerprint:
        return plant(recipe).examples
    return read_examples(card, Path(root))
