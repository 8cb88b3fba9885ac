"""Reading of the text files that users write: sweep files and cluster files."""

from __future__ import annotations

from pathlib import Path

from tcray.config.messages import find_nearest
from tcray.errors import ConfigError, Problem

MAX_BYTES = 1_000_000
"""Larger files are refused: a configuration file is about a page of text."""


def read_text(source: str, noun: str, folder: str) -> str:
    """Read the text of the file at `source`.

    noun     the kind of file in error messages, as in `sweep file`
    folder   the usual folder of such files, searched for a similar name if there is no file at `source`

    Raises:
        ConfigError: if the file is missing (the message names the nearest one), is not text or is too large.
    """
    path = Path(source)
    try:
        if path.exists() and not path.is_file():
            raise _file_error(source, f"a folder, not a {noun}" if path.is_dir() else "not a regular file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        near = _find_similar_file(path, Path(folder))
        raise _file_error(source, f'no such file; did you mean "{near}"?' if near else "no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise _file_error(source, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > MAX_BYTES:
        raise _file_error(source, f"larger than 1 MB, too large for a {noun}")
    if b"\0" in content:
        raise _file_error(source, f"a binary file, not a {noun}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(errors="replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"not UTF-8: the byte 0x{error.object[error.start]:02x}"
        raise ConfigError(source, [Problem(line, column, "", message)]) from None


def _file_error(source: str, message: str) -> ConfigError:
    return ConfigError(source, [Problem(0, 0, "", message)])


def _find_similar_file(path: Path, folder: Path) -> Path | None:
    """Return the file in `folder` or beside `path` with the most similar name."""
    files = {file.stem: file for place in (folder, path.parent) for file in sorted(place.glob("*.y*ml"))}
    return files.get(find_nearest(path.stem, files))
