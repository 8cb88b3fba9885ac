"""A folder that tcray writes and replaces as a whole; folders and files of others are never touched."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tcray.errors import InputError

MARKER = "tcray-compare.json"
"""The file that marks a folder as written by tcray; it lists the other files."""

FORMAT = 2
"""The version of the marker."""


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """A folder, which holds only files that `replace` wrote.

    Every method raises `InputError` if the folder cannot be read or written, or holds anything tcray did not write.
    """

    path: Path

    def read_info(self) -> Mapping[str, Any]:
        """Return the information that was last written with the files; empty if the folder does not exist."""
        marker = self._read_marker()
        return dict(marker["info"]) if marker else {}

    def read_files(self) -> dict[str, bytes]:
        """Return the content of each file by its path within the folder."""
        marker = self._read_marker()
        with self._translate_errors():
            return {name: (self.path / name).read_bytes() for name in (marker["files"] if marker else ())}

    def replace(self, files: Mapping[str, bytes], info: Mapping[str, Any]) -> None:
        """Write files (content by path within the folder) and information in place of all that is there.

        The new folder is written beside the old one and then renamed. A folder that would stay the same is not touched.
        """
        if self.read_info() == info and self.read_files() == files and is_output_folder(self.path):
            return
        new, old = (self._temporary_path() for _ in range(2))
        marker = {"format": FORMAT, "files": sorted(files), "info": info}
        with self._translate_errors():
            new.mkdir(parents=True)
            (new / MARKER).write_text(f"{json.dumps(marker, indent=1, ensure_ascii=False)}\n", "utf-8")
            for name, content in files.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_bytes(content)
            if self.path.exists():
                self.path.rename(old)
            new.rename(self.path)
            for leftover in self.path.parent.glob(f".{self.path.name}.*.tmp"):
                if (leftover / MARKER).is_file():
                    shutil.rmtree(leftover)

    def move(self, target: Path) -> None:
        """Move the folder to another path, in place of a folder of tcray that may be there."""
        OutputFolder(target).delete()
        if self._read_marker():
            with self._translate_errors():
                target.parent.mkdir(parents=True, exist_ok=True)
                self.path.rename(target)
                self._remove_empty_parent()

    def delete(self) -> None:
        """Delete the folder if it exists."""
        if self._read_marker():
            with self._translate_errors():
                shutil.rmtree(self.path)
                self._remove_empty_parent()

    def _read_marker(self) -> Mapping[str, Any] | None:
        """Return the marker; None if the folder is missing or empty."""
        with self._translate_errors():
            if not self.path.exists() or (self.path.is_dir() and not any(self.path.iterdir())):
                return None
            if not (self.path / MARKER).is_file():
                raise _make_error(self.path)
            content = (self.path / MARKER).read_bytes()
            found = {path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if not path.is_dir()}
        try:
            marker: Mapping[str, Any] = json.loads(content)
            known = {MARKER, *marker["files"]}
            if marker["format"] != FORMAT or not isinstance(marker["info"], dict):
                raise ValueError(marker)
        except (ValueError, LookupError, TypeError) as error:
            raise InputError(
                f"{self.path / MARKER} was not written by this version of `tcray compare`",
                "Move its folder away, or name another one with --logdir.",
            ) from error
        if others := sorted(found - known):
            raise _make_error(self.path / others[0])
        return marker

    def _temporary_path(self) -> Path:
        return self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.tmp")

    def _remove_empty_parent(self) -> None:
        with contextlib.suppress(OSError):  # it is not empty
            self.path.parent.rmdir()

    @contextlib.contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise `InputError` with a readable message instead of `OSError`."""
        try:
            yield
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            place = error.filename or self.path
            raise InputError(f"{place} cannot be written: {reason}", "Name another folder with --logdir.") from error


def is_output_folder(path: Path) -> bool:
    """True if tcray wrote the folder."""
    return (path / MARKER).is_file()


def _make_error(path: Path) -> InputError:
    return InputError(
        f"{path} exists, and `tcray compare` did not write it",
        "Move it away, or name another folder with --logdir.",
    )
