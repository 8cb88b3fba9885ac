"""Loading of sweep files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tcray.config.messages import format_key
from tcray.config.nodes import Node, Place
from tcray.config.overrides import apply_overrides
from tcray.config.parse import parse_yaml
from tcray.config.read_file import read_text
from tcray.config.schema import build_sweep
from tcray.config.sweep import Sweep
from tcray.errors import ConfigError, Problem

SWEEPS_FOLDER = "sweeps"
"""The usual folder of sweep files, relative to the current directory."""


def load_sweep(path: str | Path, overrides: Sequence[str] = ()) -> Sweep:
    """Load the sweep file at `path` and apply `overrides` (`KEY=VALUE`), which take precedence over the file.

    A bare name without a suffix, such as `rank`, means `rank.yaml` in the current directory or in `sweeps/`.

    Raises:
        ConfigError: with every problem of the file and of the overrides.
    """
    source = str(find_sweep_file(path))
    problems: list[Problem] = []
    root = parse_yaml(read_text(source, "sweep file", SWEEPS_FOLDER), problems)
    sweep = build_sweep(apply_overrides(root, overrides, problems), Path(source).stem, problems) if root else None
    if problems or sweep is None:
        raise ConfigError(source, problems)
    return sweep


def sweep_from_mapping(keys: Mapping[str, Any]) -> Sweep:
    """Return the sweep of a mapping with the keys of a sweep file and plain values; no file is needed.

    Raises:
        ConfigError: with every problem of the mapping.
    """
    problems: list[Problem] = []
    root = _to_node(keys, "", problems)
    sweep = None if problems else build_sweep(root, str(keys.get("name", "")), problems)
    if problems or sweep is None:
        raise ConfigError("sweep", problems)
    return sweep


def _to_node(value: Any, path: str, problems: list[Problem]) -> Node:
    """Return a tree of plain Python values (numpy scalars included) as nodes without a place in a file."""
    nowhere = Place(0, 0)
    if isinstance(value, Mapping):
        below = {str(key): f"{path}.{format_key(str(key))}" if path else format_key(str(key)) for key in value}
        entries = {str(key): _to_node(item, below[str(key)], problems) for key, item in value.items()}
        return Node(entries, nowhere, path, nowhere)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return Node([_to_node(item, f"{path}[{i}]", problems) for i, item in enumerate(value)], nowhere, path, nowhere)
    plain = value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value
    if plain is not None and not isinstance(plain, str | int | float | bool):
        problems.append(nowhere.problem(path, f"expected a plain value, found {type(value).__name__}"))
        plain = None
    return Node(plain, nowhere, path, nowhere)


def find_sweep_file(path: str | Path) -> Path:
    """Return the sweep file that `path` names; `path` itself if it is not a bare name or no such file exists."""
    given = Path(path)
    if given.suffix or len(given.parts) != 1 or _is_file(given):
        return given
    candidates = (Path(f"{given}.yaml"), Path(SWEEPS_FOLDER) / f"{given}.yaml")
    return next((file for file in candidates if _is_file(file)), given)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or has a NUL byte; reading reports it
        return False
