"""Fixtures of all tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcray.cli import cached_analysis, progress


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache folder that replaces the user's."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(cached_analysis, "open_cache", lambda: folder)
    return folder


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable progress messages, which a slow machine would print."""
    monkeypatch.setattr(progress, "DELAY_SECONDS", 600.0)
