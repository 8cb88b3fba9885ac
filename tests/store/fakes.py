"""A fake of object storage in memory: an object appears when its stream is closed; writes can be made to fail."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from pyarrow import fs

from tcray.store.filesystem import StoreFilesystem


class Bucket(fs.FileSystemHandler):  # type: ignore[misc]  # pyarrow has no types
    """A bucket with the guarantees of object storage only; the methods are those that `pyarrow.fs` calls."""

    def __init__(self, type_name: str = "s3") -> None:
        self.type_name = type_name
        self.objects: dict[str, bytes] = {}
        self.failures = 0
        """Number of following writes that fail."""

    def filesystem(self) -> StoreFilesystem:
        """Return a filesystem in the bucket."""
        return StoreFilesystem("s3://KEY:SECRET@bucket/trials?region=nowhere", fs.PyFileSystem(self), "bucket/trials")

    def get_type_name(self) -> str:
        """Return the type name of the real filesystem."""
        return self.type_name

    def normalize_path(self, path: str) -> str:
        """Return the path unchanged."""
        return path

    def get_file_info(self, paths: list[str]) -> list[fs.FileInfo]:
        """Return the type of each path."""
        return [fs.FileInfo(path, self._type(path)) for path in paths]

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        """Return the entries of a folder."""
        inside = f"{selector.base_dir}/"
        names = {path.removeprefix(inside).split("/")[0] for path in self.objects if path.startswith(inside)}
        return [fs.FileInfo(inside + name, self._type(inside + name)) for name in names if name]

    def _type(self, path: str) -> fs.FileType:
        if path in self.objects:
            return fs.FileType.File
        below = any(known.startswith(f"{path}/") for known in self.objects)
        return fs.FileType.Directory if below else fs.FileType.NotFound

    def create_dir(self, path: str, recursive: bool) -> None:
        """Create the empty object that represents a folder."""
        self.objects.setdefault(f"{path}/", b"")

    def delete_file(self, path: str) -> None:
        """Delete an object. Raise FileNotFoundError if it is missing."""
        if path not in self.objects:
            raise FileNotFoundError(path)
        del self.objects[path]

    def open_input_file(self, path: str) -> Any:
        """Open an object. Raise FileNotFoundError if it is missing."""
        if path not in self.objects:
            raise FileNotFoundError(path)
        return pa.BufferReader(self.objects[path])

    def open_output_stream(self, path: str, metadata: Any) -> Any:
        """Return a stream that becomes an object when it is closed. Raise OSError while `failures` is positive."""
        if self.failures:
            self.failures -= 1
            raise OSError("When uploading: AWS Error SLOW_DOWN during PutObject operation")
        return pa.PythonFile(_Object(lambda content: self.objects.update({path: content})), mode="w")

    def _refuse(self, *_: Any) -> Any:
        raise NotImplementedError

    delete_dir = delete_dir_contents = delete_root_dir_contents = _refuse
    move = copy_file = open_input_stream = open_append_stream = _refuse


class _Object(io.BytesIO):
    def __init__(self, put: Callable[[bytes], None]) -> None:
        super().__init__()
        self._put = put

    def close(self) -> None:
        if not self.closed:
            self._put(self.getvalue())
        super().close()
