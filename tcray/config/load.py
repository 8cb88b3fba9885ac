"""From a sweep file to a sweep, or to every problem that the file has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tcray.config.overrides import overridden
from tcray.config.parse import parse
from tcray.config.read_file import text_of
from tcray.config.schema import sweep_of
from tcray.config.sweep import Sweep
from tcray.errors import Problem, SpecError


def load_sweep(path: str | Path, overrides: Sequence[str] = ()) -> Sweep:
    """The sweep in the file at `path`, with each of `overrides` (`KEY=VALUE`) in the place of what the file says.

    Raises:
        SpecError: with every problem of the file and of the overrides.
    """
    source = str(path)
    problems: list[Problem] = []
    root = parse(text_of(source, "sweep file", "sweeps"), problems)
    sweep = sweep_of(overridden(root, overrides, problems), Path(source).stem, problems) if root else None
    if problems or sweep is None:
        raise SpecError(source, problems)
    return sweep
