"""What an error says, and a card."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcray.data.catalog import Card
from tcray.errors import DataError

ErrorMessage = Callable[[Callable[[], object]], str]


@pytest.fixture
def error_of() -> ErrorMessage:
    """The message of the DataError that a call ends in; it has a remedy, too."""

    def error_of(call: Callable[[], object]) -> str:
        with pytest.raises(DataError) as caught:
            call()
        assert caught.value.remedy
        return caught.value.message

    return error_of


@pytest.fixture
def card() -> Card:
    """A card of a dataset in two folds."""
    return Card(
        name="mosi-heldout",
        source="real",
        task="regression",
        modalities={"text": 3, "audio": 2},
        sizes=(10, 4, 20),
        folds=2,
        groups="video",
        fingerprint="f",
        saw_labels=False,
        primary_metric="mae",
        train_sizes=(10, 13),
        notes=("A note.",),
    )
