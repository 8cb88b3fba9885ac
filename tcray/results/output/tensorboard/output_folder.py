"""A folder with files that may be written again: it remembers which are its own, and touches no other."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tcray.errors import InputError

MARKER = "tcray-compare.json"
"""Beside the files: their names, and what else is to be remembered of them."""

FORMAT = 1
"""Of the marker and of what is remembered in it."""


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """A folder, and in it the files that were written by `rewrite`."""

    path: Path

    def remembered(self) -> Mapping[str, Any]:
        """What `rewrite` was told to remember; nothing where it never wrote."""
        remembered: Mapping[str, Any] = self._marker()["remembered"]
        return remembered

    @property
    def is_foreign(self) -> bool:
        """Whether somebody else made it: whether it holds anything, and `rewrite` never wrote there."""
        with self._said():
            return self.path.exists() and not (self.path / MARKER).exists() and any(self.path.iterdir())

    def rewrite(self, files: Mapping[str, bytes], remembered: Mapping[str, Any]) -> None:
        """Makes `files` (content by path within the folder, `/` between its parts) all that it has written.

        Whenever it is interrupted, all that it wrote until then is known for its own. A file that stays the same is
        left as it is. Raises `InputError` where the folder cannot be written, or has another's file in the way.
        """
        before = set(self._marker()["files"])
        with self._said():
            for name in files.keys() - before:
                if (self.path / name).exists() and (self.path / name).read_bytes() != files[name]:
                    raise foreign(self.path / name)
            if before != files.keys():
                self._mark({*before, *files}, remembered)
            for name, content in files.items():
                _write(self.path / name, content)
            for name in before - files.keys():
                self._delete(name)
            self._mark(files, remembered)

    def _marker(self) -> Mapping[str, Any]:
        path = self.path / MARKER
        with self._said():
            if not path.is_file():
                return {"files": [], "remembered": {}}
            content = path.read_bytes()
        with contextlib.suppress(ValueError, LookupError, TypeError):
            marker = json.loads(content)
            if marker["format"] == FORMAT and all(map(_within, marker["files"])):
                return {"files": marker["files"], "remembered": dict(marker["remembered"])}
        raise InputError(
            f"{path} is not as this version of `tcray compare` writes it",
            "Move its folder away, or name another with --logdir.",
        )

    def _mark(self, files: Collection[str], remembered: Mapping[str, Any]) -> None:
        marker = {"format": FORMAT, "files": sorted(files), "remembered": remembered}
        _write(self.path / MARKER, f"{json.dumps(marker, indent=1, ensure_ascii=False)}\n".encode())

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """Turns what the disk refuses into a sentence."""
        try:
            yield
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            place = error.filename or self.path
            raise InputError(f"{place} cannot be written: {reason}", "Name another folder with --logdir.") from error

    def _delete(self, name: str) -> None:
        """Deletes a file, and the folders that were made for it, once nothing is left in them."""
        path = self.path / name
        path.unlink(missing_ok=True)
        for parent in list(PurePosixPath(name).parents)[:-1]:
            with contextlib.suppress(OSError):  # not empty, or gone
                (self.path / parent).rmdir()


def foreign(path: Path) -> InputError:
    """What is said of a file or folder that stands in the way."""
    return InputError(
        f"{path} is there already, and `tcray compare` did not write it",
        "Move it away, or name another folder with --logdir.",
    )


def _within(name: str) -> bool:
    """Whether a marker's path leads nowhere but into its folder."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path != PurePosixPath()


def _write(path: Path, content: bytes) -> None:
    """Writes a file whole, or not at all, and only if that changes it."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{secrets.token_hex(8)}.tmp")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
