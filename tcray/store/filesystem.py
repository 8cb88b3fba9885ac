"""File operations of a store on a local folder or a bucket; each of them happens completely or not at all."""

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
"""File systems in which an object appears as a whole when it is closed."""

SETTLE_SECONDS = 1.0
"""Time that `create` waits before it checks which writer won, on file systems without exclusive creation."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder in a folder."""

    name: str
    is_file: bool


class StoreFilesystem:
    """The root folder of a store on a file system; all paths are relative to it, with `/` between their parts.

    A pickled copy contains only the URI; the file system is opened again at the first operation, in which case any
    operation may raise the errors of `from_uri`.

    uri   absolute path, or a URI with everything that another process needs to open it
    """

    def __init__(self, uri: str, backend: fs.FileSystem, root: str) -> None:
        """Wrap an open file system; see `from_uri`."""
        self.uri = uri
        self._opened: tuple[fs.FileSystem, str] | None = (backend, root)

    @classmethod
    def from_uri(cls, uri: str) -> StoreFilesystem:
        """Open a path (relative to the working directory) or any URI that `pyarrow.fs` supports.

        Raises `InputError` for an invalid URI, and `StoreError` if its file system cannot be reached.
        """
        if not uri.strip() or "\0" in uri:
            raise InputError(f"{uri!r} is not a valid location of a trial store", _LOCATIONS)
        if "://" not in uri:
            return cls._from_path(uri)
        backend, root = _open(uri)
        return cls._from_path(root) if isinstance(backend, fs.LocalFileSystem) else cls(uri, backend, root)

    @classmethod
    def _from_path(cls, path: str) -> StoreFilesystem:
        root = str(Path(path).absolute())
        return cls(root, fs.LocalFileSystem(), root)

    def __eq__(self, other: object) -> bool:
        """True if both are the same location."""
        return isinstance(other, StoreFilesystem) and self.uri == other.uri

    def __hash__(self) -> int:
        return hash(self.uri)

    def __repr__(self) -> str:
        return f"<StoreFilesystem {self.display_path()}>"

    def __getstate__(self) -> str:
        """Return the URI, from which another process opens the file system."""
        return self.uri

    def __setstate__(self, uri: str) -> None:
        """Take the URI without opening it, so that unpickling cannot fail."""
        self.uri = uri
        self._opened = None

    @property
    def backend(self) -> fs.FileSystem:
        """The file system of `pyarrow.fs`."""
        return self._open()[0]

    @property
    def root(self) -> str:
        """The root folder within `backend`."""
        return self._open()[1]

    @property
    def is_local(self) -> bool:
        """True for a local path, which other hosts may not share."""
        return "://" not in self.uri

    def display_path(self, path: str = "") -> str:
        """Return a path for messages: without the credentials and options of the URI."""
        root = _display(self.uri)
        return f"{root}/{path}" if path else root

    def kind(self, path: str) -> Literal["file", "folder"] | None:
        """Return whether the path is a file or a folder; None if it does not exist."""
        with self._translate_errors(path, "read"):
            found = self.backend.get_file_info(self._full(path)).type
        if found == fs.FileType.NotFound:
            return None
        return "folder" if found == fs.FileType.Directory else "file"

    def list_folder(self, folder: str) -> list[Entry]:
        """Return the files and folders in a folder, sorted by name; empty if the folder does not exist."""
        with self._translate_errors(folder, "read"):
            try:
                found = self.backend.get_file_info(fs.FileSelector(self._full(folder), allow_not_found=True))
            except FileNotFoundError:  # in spite of allow_not_found, if the folder is created at that very moment
                return []
        return sorted((Entry(info.base_name, info.is_file) for info in found), key=lambda entry: entry.name)

    def make_folder(self, folder: str) -> None:
        """Create a folder and its parents."""
        with self._translate_errors(folder, "created"):
            self.backend.create_dir(self._full(folder), recursive=True)

    def read(self, path: str) -> bytes | None:
        """Return the content of a file; None if it does not exist."""
        with self._translate_errors(path, "read"):
            try:
                with self.backend.open_input_file(self._full(path)) as file:
                    content: bytes = file.read()
            except FileNotFoundError:
                return None
        return content

    def write(self, path: str, content: bytes) -> None:
        """Write or replace a file atomically: readers see all of it or none; it survives a crash after the return."""
        with self._translate_errors(path, "written"):
            if self.is_local:
                _write_aside(Path(self._full(path)), content)
            elif self.backend.type_name.removeprefix("py::") in OBJECT_STORES:
                self._put(path, content)
            else:
                temporary = f"{path}.{secrets.token_hex(4)}{TMP_SUFFIX}"
                self.backend.create_dir(self._full(path).rpartition("/")[0], recursive=True)
                self._put(temporary, content)
                self.backend.move(self._full(temporary), self._full(path))

    def create(self, path: str, content: bytes) -> bool:
        """Write a file that does not exist yet; return True if this call created it.

        If several processes try at once, True is returned to exactly one. Only a local disk guarantees this; on other
        file systems the content is read back after `SETTLE_SECONDS`, so that the last writer within that time wins.
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
        """Delete a file if it exists."""
        with self._translate_errors(path, "deleted"), contextlib.suppress(FileNotFoundError):
            self.backend.delete_file(self._full(path))

    def _open(self) -> tuple[fs.FileSystem, str]:
        if self._opened is None:
            self._opened = (fs.LocalFileSystem(), self.uri) if self.is_local else _open(self.uri)
        return self._opened

    def _full(self, path: str) -> str:
        return f"{self.root}/{path}" if path else self.root

    def _put(self, path: str, content: bytes) -> None:
        with self.backend.open_output_stream(self._full(path)) as file:
            file.write(content)

    @contextlib.contextmanager
    def _translate_errors(self, path: str, done: str) -> Iterator[None]:
        """Raise `StoreError` with a remedy in place of the errors of the system and of Arrow."""
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            remedy = _LOCAL if self.is_local else _REMOTE
            raise StoreError(f"{self.display_path(path)} cannot be {done}: {_reason(error)}", remedy) from error


_LOCATIONS = "Pass a folder, or a bucket such as s3://bucket/path, with --store."
_LOCAL = "Check that the disk is mounted, writable and not full. Then run the same command to resume."
_REMOTE = (
    "Check the address, the bucket's name and the credentials (for S3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "a profile, or the machine's role). Then run the same command to resume."
)


def _open(uri: str) -> tuple[fs.FileSystem, str]:
    """Open the file system of a URI; return it and the root folder."""
    try:
        if uri.startswith(s3.SCHEME):
            s3.check_endpoint(uri)
        backend, root = fs.FileSystem.from_uri(uri)
    except (ValueError, NotImplementedError, ImportError) as error:
        raise InputError(
            f"{_display(uri)} is not a valid location of a trial store: {_reason(error)}", _LOCATIONS
        ) from error
    except OSError as error:
        raise StoreError(f"{_display(uri)} cannot be reached: {_reason(error)}", _REMOTE) from error
    if not root:
        raise InputError(f"{_display(uri)} has no bucket", _LOCATIONS)
    return backend, root


def _display(uri: str) -> str:
    return _remove_credentials(uri).partition("?")[0] if "://" in uri else uri


def _remove_credentials(text: str) -> str:
    return re.sub(r"://[^/?\s]*@", "://", text)


def _reason(error: BaseException) -> str:
    """Return the system's message; else an explanation of an S3 error, or the first line of the library's message."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    text = str(error).strip()
    return s3.explain_error(text) or _remove_credentials(next(iter(text.splitlines()), type(error).__name__))


def _write_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}{TMP_SUFFIX}")
    _write_new(temporary, content, then=lambda: temporary.replace(path))
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
    """Write a file that does not exist yet and call `then`; delete the file if either fails."""
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
    """Flush a folder to disk, so that a new name in it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
