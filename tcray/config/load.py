"""From a sweep file to a sweep, or to every problem that the file has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tcray.config.overrides import apply_overrides
from tcray.config.parse import parse_yaml
from tcray.config.read_file import read_text
from tcray.config.schema import build_sweep
from tcray.config.sweep import Sweep
from tcray.errors import ConfigError, Problem


def load_sweep(path: str | Path, overrides: Sequence[str] = ()) -> Sweep:
    """The sweep in the file at `path`, with each of `overrides` (`KEY=VALUE`) in the place of what the file says.

    Raises:
        ConfigError: with every problem of the file and of the overrides.
    """
    source = str(path)
    problems: list[Problem] = []
    root = parse_yaml(read_text(source, "sweep file", "sweeps"), problems)
    sweep = build_sweep(apply_overrides(root, overrides, problems), Path(source).stem, problems) if root else None
    if problems or sweep is None:
        raise ConfigError(source, problems)
    return sweep
