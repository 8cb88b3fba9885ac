"""The text of a file that a person wrote, or the sentence that says why it has none."""

from __future__ import annotations

from pathlib import Path

from tcray.config.messages import find_nearest
from tcray.errors import ConfigError, Problem

LARGEST = 1_000_000
"""Bytes; such a file is a page of text."""


def read_text(source: str, noun: str, folder: str) -> str:
    """The text of the file at `source`.

    noun     what such a file is called, as in `sweep file`
    folder   where such files are kept, and looked for if there is none at `source`

    Raises:
        ConfigError: where the file is missing, with the nearest one, or is no text of a reasonable size.
    """
    path = Path(source)
    try:
        if path.exists() and not path.is_file():
            raise _whole(source, f"a folder, and no {noun}" if path.is_dir() else "not a regular file")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        near = _near(path, Path(folder))
        raise _whole(source, f'no such file; did you mean "{near}"?' if near else "no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise _whole(source, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > LARGEST:
        raise _whole(source, f"larger than 1 MB, and so no {noun}")
    if b"\0" in content:
        raise _whole(source, f"a binary file, and so no {noun}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(errors="replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        holds = f"not UTF-8: the byte 0x{error.object[error.start]:02x}"
        raise ConfigError(source, [Problem(line, column, "", holds)]) from None


def _whole(source: str, message: str) -> ConfigError:
    return ConfigError(source, [Problem(0, 0, "", message)])


def _near(path: Path, folder: Path) -> Path | None:
    """The file beside `path`, or in `folder`, whose name is nearest."""
    files = {file.stem: file for place in (folder, path.parent) for file in sorted(place.glob("*.y*ml"))}
    return files.get(find_nearest(path.stem, files))
