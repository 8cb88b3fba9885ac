"""From a sweep file to a sweep, or to every problem that the file has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tcray.errors import Problem, SpecError
from tcray.spec.form import sweep_of
from tcray.spec.overrides import overridden
from tcray.spec.parse import parse
from tcray.spec.sweep import Sweep
from tcray.spec.words import nearest

LARGEST = 1_000_000
"""Bytes; a sweep file is a page of text."""


def load_sweep(path: str | Path, overrides: Sequence[str] = ()) -> Sweep:
    """The sweep in the file at `path`, with each of `overrides` (`KEY=VALUE`) in the place of what the file says.

    Raises:
        SpecError: with every problem of the file and of the overrides.
    """
    source, path = str(path), Path(path)
    problems: list[Problem] = []
    root = parse(_text(source, path), problems)
    sweep = sweep_of(overridden(root, overrides, problems), path.stem, problems) if root else None
    if problems or sweep is None:
        raise SpecError(source, problems)
    return sweep


def _text(source: str, path: Path) -> str:
    """The text of the file, or a SpecError that says why it has none."""
    try:
        if path.exists() and not path.is_file():
            raise _whole(source, "a folder, and no sweep file" if path.is_dir() else "not a regular file")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        near = _near(path)
        raise _whole(source, f'no such file; did you mean "{near}"?' if near else "no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise _whole(source, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > LARGEST:
        raise _whole(source, "larger than 1 MB, and so no sweep file")
    if b"\0" in content:
        raise _whole(source, "a binary file, and so no sweep file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(errors="replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        holds = f"not UTF-8: the byte 0x{error.object[error.start]:02x}"
        raise SpecError(source, [Problem(line, column, "", holds)]) from None


def _whole(source: str, message: str) -> SpecError:
    return SpecError(source, [Problem(0, 0, "", message)])


def _near(path: Path) -> Path | None:
    """The sweep file beside `path`, or in `sweeps/`, whose name is nearest."""
    folders = (path.parent, Path("sweeps"))
    files = {file.stem: file for folder in reversed(folders) for file in sorted(folder.glob("*.y*ml"))}
    return files.get(nearest(path.stem, files))
