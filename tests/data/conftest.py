"""Fixtures of the data tests: the message of a DataError, and a card."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tcray.data.catalog import Card
from tcray.errors import DataError

REAL_DATA = Path(os.environ.get("TCRAY_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


def real_data(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that needs the research data; skip it if $TCRAY_REAL_DATA or `shared/data` is missing."""
    absent = pytest.mark.skipif(not REAL_DATA.is_dir(), reason=f"no research data in {REAL_DATA}")
    marked: Callable[..., None] = pytest.mark.real_data(absent(test))
    return marked


ErrorMessage = Callable[[Callable[[], object]], str]


@pytest.fixture
def error_of() -> ErrorMessage:
    """Return the message of the DataError that a call raises; the error must have a remedy."""

    def error_of(call: Callable[[], object]) -> str:
        with pytest.raises(DataError) as caught:
            call()
        assert caught.value.remedy
        return caught.value.message

    return error_of


@pytest.fixture
def card() -> Card:
    """A card of a dataset with two folds."""
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
