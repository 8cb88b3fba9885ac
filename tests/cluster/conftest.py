"""Fixture: an empty working folder with the files that the cluster files send, and a home with a token."""

from __future__ import annotations

from pathlib import Path

import pytest

SENT = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change into a folder that looks like this repository to cluster files; return it. The home is in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / ".ray").mkdir(parents=True)
    (tmp_path / "home" / ".ray" / "auth_token").write_text("token")
    for name in ("tcray", "sweeps"):
        (tmp_path / name).mkdir()
    for name in SENT:
        (tmp_path / name).touch()
    return tmp_path
