"""Environment of all tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def activated_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as in an activated environment: its programs are on the PATH, so that messages name them alone."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
