"""A local folder or a bucket, and the few things a store asks of it, each of which happens wholly or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pyarrow import fs

from tcray.errors import InputError, StoreError
from tcray.store import s3
from tcray.store.paths import TMP_SUFFIX

OBJECT_STORES = ("s3", "gcs", "abfs")
"""File systems where an object appears whole, when it is closed."""

SETTLE_SECONDS = 1.0
"""How long `create` waits before it looks who won, where nothing can be created exclusively."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder."""

    name: str
    is_file: bool


@dataclass(frozen=True)
class StoreFilesystem:
    """The root of a store on some file system; every path is relative to it, with `/` between its parts."""

    uri: str
    """An absolute path, or a URI with everything that another process needs to open it."""
    backend: fs.FileSystem
    root: str

    @classmethod
    def from_uri(cls, uri: str) -> StoreFilesystem:
        """The filesystem of a path (relative to the working directory) or of any URI that `pyarrow.fs` opens.

        Raises `InputError` for a URI that means nothing, and `StoreError` where its file system cannot be reached.
        """
        if not uri.strip() or "\0" in uri:
            raise InputError(f"{uri!r} is no place for a trial store", _PLACES)
        if "://" not in uri:
            return cls._local(uri)
        try:
            if uri.startswith(s3.SCHEME):
                s3.check_endpoint(uri)
            filesystem, root = fs.FileSystem.from_uri(uri)
        except (ValueError, NotImplementedError, ImportError) as error:
            raise InputError(f"{_shown(uri)} is no place for a trial store: {_reason(error)}", _PLACES) from error
        except OSError as error:
            raise StoreError(f"{_shown(uri)} cannot be reached: {_reason(error)}", _REMOTE) from error
        if not root:
            raise InputError(f"{_shown(uri)} names no bucket", _PLACES)
        return cls._local(root) if isinstance(filesystem, fs.LocalFileSystem) else cls(uri, filesystem, root)

    @classmethod
    def _local(cls, path: str) -> StoreFilesystem:
        root = str(Path(path).absolute())
        return cls(root, fs.LocalFileSystem(), root)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder, which may be another one on another machine, or none."""
        return isinstance(self.backend, fs.LocalFileSystem)

    def display_path(self, path: str = "") -> str:
        """How messages name a path: without the credentials and options of the URI."""
        root = _shown(self.uri)
        return f"{root}/{path}" if path else root

    def kind(self, path: str) -> Literal["file", "folder"] | None:
        """What is there, if anything."""
        with self._translate_errors(path, "read"):
            found = self.backend.get_file_info(self._full(path)).type
        if found == fs.FileType.NotFound:
            return None
        return "folder" if found == fs.FileType.Directory else "file"

    def entries(self, folder: str) -> list[Entry]:
        """What a folder holds, sorted by name; nothing where there is no such folder."""
        with self._translate_errors(folder, "read"):
            try:
                found = self.backend.get_file_info(fs.FileSelector(self._full(folder), allow_not_found=True))
            except FileNotFoundError:  # in spite of allow_not_found, where the folder is made at that very moment
                return []
        return sorted((Entry(info.base_name, info.is_file) for info in found), key=lambda entry: entry.name)

    def make_folder(self, folder: str) -> None:
        """Makes a folder and those above it."""
        with self._translate_errors(folder, "made"):
            self.backend.create_dir(self._full(folder), recursive=True)

    def read(self, path: str) -> bytes | None:
        """A file's content; None where there is no such file."""
        with self._translate_errors(path, "read"):
            try:
                with self.backend.open_input_file(self._full(path)) as file:
                    content: bytes = file.read()
            except FileNotFoundError:
                return None
        return content

    def write(self, path: str, content: bytes) -> None:
        """Writes or replaces a file: a reader sees all of it or none, and once this returns it survives a crash."""
        with self._translate_errors(path, "written"):
            if self.is_local:
                _write_aside(Path(self._full(path)), content)
            elif self.backend.type_name.removeprefix("py::") in OBJECT_STORES:
                self._put(path, content)
            else:
                aside = f"{path}.{secrets.token_hex(4)}{TMP_SUFFIX}"
                self.backend.create_dir(self._full(path).rpartition("/")[0], recursive=True)
                self._put(aside, content)
                self.backend.move(self._full(aside), self._full(path))

    def create(self, path: str, content: bytes) -> bool:
        """Writes a file that must not be there yet, and tells whether it was this call that did.

        Of several processes that try at once exactly one is told yes. Only a local disk can promise that; elsewhere
        the content is read back after `SETTLE_SECONDS`, so that of several writers within that time the last one wins.
        """
        if self.is_local:
            with self._translate_errors(path, "written"):
                return _create(Path(self._full(path)), content)
        if self.kind(path) is not None:
            return False
        self.write(path, content)
        time.sleep(SETTLE_SECONDS)
        return self.read(path) == content

    def delete(self, path: str) -> None:
        """Deletes a file, if it is there."""
        with self._translate_errors(path, "deleted"), contextlib.suppress(FileNotFoundError):
            self.backend.delete_file(self._full(path))

    def _full(self, path: str) -> str:
        return f"{self.root}/{path}" if path else self.root

    def _put(self, path: str, content: bytes) -> None:
        with self.backend.open_output_stream(self._full(path)) as file:
            file.write(content)

    @contextlib.contextmanager
    def _translate_errors(self, path: str, done: str) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            remedy = _LOCAL if self.is_local else _REMOTE
            raise StoreError(f"{self.display_path(path)} cannot be {done}: {_reason(error)}", remedy) from error


_PLACES = "Name a folder, or a bucket as s3://bucket/path, with --store."
_LOCAL = "Check that the disk is there, has room and may be written; the same command then goes on where it stopped."
_REMOTE = (
    "Check the address, the bucket's name and the credentials (for S3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "a profile, or the machine's role); the same command then goes on where it stopped."
)


def _shown(uri: str) -> str:
    return _without_keys(uri).partition("?")[0] if "://" in uri else uri


def _without_keys(text: str) -> str:
    return re.sub(r"://[^/?\s]*@", "://", text)


def _reason(error: BaseException) -> str:
    """The system's own words, where it has any; else plain ones for what S3 answers, or the library's first line."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    text = str(error).strip()
    return s3.explain_error(text) or _without_keys(next(iter(text.splitlines()), type(error).__name__))


def _write_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}{TMP_SUFFIX}")
    _write_new(aside, content, then=lambda: aside.replace(path))
    _sync_folder(path.parent)


def _create(path: Path, content: bytes) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write_new(path, content)
    except FileExistsError:
        return False
    _sync_folder(path.parent)
    return True


def _write_new(path: Path, content: bytes, then: Callable[[], object] = lambda: None) -> None:
    """Writes a file that is not there yet, does what comes `then`, and takes the file away should either fail."""
    with path.open("xb") as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            then()
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            raise


def _sync_folder(folder: Path) -> None:
    """Makes a new name in `folder` survive a power cut, not only its content."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
