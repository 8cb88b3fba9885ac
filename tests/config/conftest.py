"""Fixtures: a sweep file in an empty folder, and its problems."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tcray.config.load import load_sweep
from tcray.config.sweep import Sweep
from tcray.errors import ConfigError

LEAST = """\
name: x
datasets: [mosi]
training: {epochs: 9}
confirm: {seeds: 2}
"""
"""The least that a sweep file may say, on four lines; tests go on from line 5."""

Load = Callable[..., Sweep]
Problems = Callable[..., list[str]]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load `more`, appended to the minimal sweep, as `x.yaml` with overrides."""
    monkeypatch.chdir(tmp_path)

    def load(more: str = "", *overrides: str, least: str = LEAST) -> Sweep:
        Path("x.yaml").write_text(least + more, encoding="utf-8")
        return load_sweep("x.yaml", overrides)

    return load


@pytest.fixture
def problems(load: Load) -> Problems:
    """Return the error lines of `more`, appended to the minimal sweep."""

    def problems(more: str = "", *overrides: str, least: str = LEAST) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(more, *overrides, least=least)
        return str(caught.value).splitlines()

    return problems
