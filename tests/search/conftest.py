"""Fixtures of the tests of the search."""

import os

import pytest


@pytest.fixture(autouse=True)
def _skip_fsync(monkeypatch) -> None:
    """Skip fsync: these tests write stores hundreds of times, and durability is tested with the store."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
