"""Other people's files, read so that whatever is wrong with one is a sentence that names it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcray.data.examples import Floats, single_precision
from tcray.errors import DataError

FETCH_AGAIN = "Fetch the file again from where it came from, and see that it arrived whole."


def find_file(folder: Path, *places: str) -> Path | None:
    """The first of `places`, paths below `folder`, that is there."""
    return next((folder / place for place in places if (folder / place).exists()), None)


def require_file(folder: Path, *places: str) -> Path:
    """The first of `places` below `folder`; DataError where none is there."""
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder", "Name the folder that holds the dataset's files.")
    path = find_file(folder, *places)
    if path is None:
        raise DataError(f"{folder}: {places[0]} is not in it", "Name the folder that holds the dataset's files.")
    return path


def read_bytes(path: Path) -> bytes:
    """The content of a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}", "Name a file you may read.") from error


def read_text(path: Path) -> str:
    """The content of a UTF-8 text file."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start})", FETCH_AGAIN) from error


def read_rows(path: Path, columns: int | None = None) -> list[list[str]]:
    """The rows of a CSV file, all `columns` long; as long as the first where that is None."""
    try:
        rows = list(csv.reader(io.StringIO(read_text(path), newline="")))
    except csv.Error as error:
        raise DataError(f"{path}: not a CSV file: {error}", FETCH_AGAIN) from error
    if not rows:
        raise DataError(f"{path}: it is empty", FETCH_AGAIN)
    width = columns or len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise DataError(f"{path}: row {number}: {width} columns expected, {len(row)} found", FETCH_AGAIN)
    return rows


def read_numbers(path: Path) -> NDArray[np.float64]:
    """A CSV file without a header, all of it numbers, as (rows, columns)."""
    rows = read_rows(path)
    table = np.empty((len(rows), len(rows[0])))
    for number, row in enumerate(rows, start=1):
        try:
            table[number - 1] = [float(cell) for cell in row]
        except ValueError as error:
            raise DataError(f"{path}: row {number}: {error}", FETCH_AGAIN) from error
    return table


def parse_number(cell: str, where: str) -> float:
    """`cell` as a number."""
    try:
        return float(cell)
    except ValueError as error:
        raise DataError(f"{where}: {cell[:40]!r} is not a number", FETCH_AGAIN) from error


def parse_index(cell: str, size: int, where: str) -> int:
    """`cell` as a whole number from 0 to `size` - 1."""
    number = parse_number(cell, where)
    if not (number.is_integer() and 0 <= number < size):
        raise DataError(f"{where}: {cell} is not one of the positions 0 to {size - 1}", FETCH_AGAIN)
    return int(number)


def parse_json(text: str, where: str) -> Mapping[str, Any]:
    """The JSON object in `text`, no key of which stands twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise DataError(f"{where}: {twice!r} stands twice in it", "Leave one of them out.")
        return found

    try:
        document = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not JSON: {error}", FETCH_AGAIN) from error
    if not isinstance(document, dict):
        raise DataError(f"{where}: a JSON object expected, {type(document).__name__} found", FETCH_AGAIN)
    return document


def read_json(path: Path) -> Mapping[str, Any]:
    """The JSON object that a file holds."""
    return parse_json(read_text(path), str(path))


def read_json_lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The JSON objects of a file with one on each line, each after where it stands."""
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if line.strip():
            where = f"{path}: line {number}"
            yield where, parse_json(line, where)


def get_field(item: Any, key: str, kind: type | tuple[type, ...], where: str) -> Any:
    """`item[key]`, where `item` is a mapping that has it and it is of `kind`."""
    if not isinstance(item, Mapping) or not isinstance(item.get(key), kind):
        raise DataError(f"{where}: {key} is missing or of the wrong type", FETCH_AGAIN)
    return item[key]


def read_npz(path: Path) -> Mapping[str, NDArray[Any]]:
    """The numeric arrays of an `.npz` file by name."""
    try:
        archive = np.load(io.BytesIO(read_bytes(path)), allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise ValueError("it holds a single array")
        return dict(archive)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not an .npz file of plain arrays: {error}", FETCH_AGAIN) from error


@contextmanager
def open_hdf5(path: Path) -> Iterator[Mapping[str, Any]]:
    """An HDF5 file, its datasets by name; what fails while it is open is said of the file."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise DataError(f"{path}: not a whole HDF5 file: {error}", FETCH_AGAIN) from error


def stack_vectors(vectors: Sequence[Any], names: Sequence[str], path: Path, width: int | None = None) -> Floats:
    """One vector each for `names` as the rows of a matrix; `width` long, or as long as the first."""
    rows = []
    for name, vector in zip(names, vectors, strict=True):
        array = np.asarray(vector)
        if array.dtype.kind not in "biuf" or array.ndim != 1:
            raise DataError(f"{path}: {name}: a vector of numbers expected, {_shape(array)} found", FETCH_AGAIN)
        width = array.size if width is None else width
        if array.size != width:
            raise DataError(f"{path}: {name}: {width} columns expected, {array.size} found", FETCH_AGAIN)
        rows.append(array)
    return single_precision(np.stack(rows))


def mean_over_frames(array: Any, axis: int, width: int, where: str) -> NDArray[np.float64]:
    """The mean of a matrix of numbers over its frames, along `axis`, of which there is at least one."""
    frames = np.asarray(array)
    if frames.dtype.kind not in "biuf" or frames.ndim != 2 or frames.shape[1 - axis] != width or not frames.size:
        expected = f"(frames, {width})" if axis == 0 else f"({width}, frames)"
        raise DataError(f"{where}: an array of {expected} expected, {_shape(frames)} found", FETCH_AGAIN)
    mean: NDArray[np.float64] = frames.astype(np.float64).mean(axis=axis)
    return mean


def _shape(array: NDArray[Any]) -> str:
    if array.dtype.kind not in "biuf":
        return "something that is not numbers"
    return f"({', '.join(map(str, array.shape))})"
