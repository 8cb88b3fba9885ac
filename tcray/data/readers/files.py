"""File formats of published datasets; every problem is a DataError that names the file and the place in it."""

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

FETCH_AGAIN = "Download the file again from its source and check that it is complete."


def find_file(folder: Path, *places: str) -> Path | None:
    """Return the first of `places`, paths below `folder`, that exists; None if none does."""
    return next((folder / place for place in places if (folder / place).exists()), None)


def require_file(folder: Path, *places: str) -> Path:
    """Return the first of `places` below `folder` that exists; raise DataError if none does."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder", "Pass the folder that holds the dataset's files.")
    path = find_file(folder, *places)
    if path is None:
        raise DataError(f"{folder}: {places[0]} is missing", "Pass the folder that holds the dataset's files.")
    return path


def read_bytes(path: Path) -> bytes:
    """Return the content of a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror or error}", "Check that the file exists and is readable."
        ) from error


def read_text(path: Path) -> str:
    """Return the content of a UTF-8 text file."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start})", FETCH_AGAIN) from error


def read_rows(path: Path, columns: int | None = None) -> list[list[str]]:
    """Return the rows of a CSV file; all must have `columns` cells, by default as many as the first row."""
    try:
        rows = list(csv.reader(io.StringIO(read_text(path), newline="")))
    except csv.Error as error:
        raise DataError(f"{path}: not a CSV file: {error}", FETCH_AGAIN) from error
    if not rows:
        raise DataError(f"{path}: the file is empty", FETCH_AGAIN)
    width = columns or len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise DataError(f"{path}: row {number}: {width} columns expected, {len(row)} found", FETCH_AGAIN)
    return rows


def read_numbers(path: Path) -> NDArray[np.float64]:
    """Return a CSV file of numbers without a header as an array (rows, columns)."""
    rows = read_rows(path)
    table = np.empty((len(rows), len(rows[0])))
    for number, row in enumerate(rows, start=1):
        try:
            table[number - 1] = [float(cell) for cell in row]
        except ValueError as error:
            raise DataError(f"{path}: row {number}: {error}", FETCH_AGAIN) from error
    return table


def parse_number(cell: str, where: str) -> float:
    """Return `cell` as a number."""
    try:
        return float(cell)
    except ValueError as error:
        raise DataError(f"{where}: {cell[:40]!r} is not a number", FETCH_AGAIN) from error


def parse_index(cell: str, size: int, where: str) -> int:
    """Return `cell` as a whole number from 0 to `size` - 1."""
    number = parse_number(cell, where)
    if not (number.is_integer() and 0 <= number < size):
        raise DataError(f"{where}: {cell} is not an index from 0 to {size - 1}", FETCH_AGAIN)
    return int(number)


def parse_json(text: str, where: str) -> Mapping[str, Any]:
    """Return the JSON object in `text`; duplicate keys are an error."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise DataError(f"{where}: duplicate key {twice!r}", "Remove one of the two.")
        return found

    try:
        document = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not JSON: {error}", FETCH_AGAIN) from error
    if not isinstance(document, dict):
        raise DataError(f"{where}: a JSON object expected, {type(document).__name__} found", FETCH_AGAIN)
    return document


def read_json(path: Path) -> Mapping[str, Any]:
    """Return the JSON object in a file."""
    return parse_json(read_text(path), str(path))


def read_json_lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the JSON objects of a file with one per line, each with its location."""
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if line.strip():
            where = f"{path}: line {number}"
            yield where, parse_json(line, where)


def get_field(item: Any, key: str, kind: type | tuple[type, ...], where: str) -> Any:
    """Return `item[key]`; raise DataError if `item` has no such key or the value is not of type `kind`."""
    if not isinstance(item, Mapping) or not isinstance(item.get(key), kind):
        raise DataError(f"{where}: {key} is missing or of the wrong type", FETCH_AGAIN)
    return item[key]


def read_npz(path: Path) -> Mapping[str, NDArray[Any]]:
    """Return the numeric arrays of an `.npz` file by name."""
    try:
        archive = np.load(io.BytesIO(read_bytes(path)), allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise ValueError("the file holds a single array")
        return dict(archive)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not an .npz file of plain arrays: {error}", FETCH_AGAIN) from error


@contextmanager
def open_hdf5(path: Path) -> Iterator[Mapping[str, Any]]:
    """Context manager: yield an open HDF5 file, its datasets by name; errors inside the block name the file."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise DataError(f"{path}: incomplete or damaged HDF5 file: {error}", FETCH_AGAIN) from error


def stack_vectors(vectors: Sequence[Any], names: Sequence[str], path: Path, width: int | None = None) -> Floats:
    """Return the vectors, one per name, as the rows of a matrix; `width` defaults to that of the first vector."""
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
    """Return the mean of a matrix over its frames, along `axis`; raise DataError for no frames or another width."""
    frames = np.asarray(array)
    if frames.dtype.kind not in "biuf" or frames.ndim != 2 or frames.shape[1 - axis] != width or not frames.size:
        expected = f"(frames, {width})" if axis == 0 else f"({width}, frames)"
        raise DataError(f"{where}: an array of {expected} expected, {_shape(frames)} found", FETCH_AGAIN)
    mean: NDArray[np.float64] = frames.astype(np.float64).mean(axis=axis)
    return mean


def _shape(array: NDArray[Any]) -> str:
    if array.dtype.kind not in "biuf":
        return "a non-numeric array"
    return f"({', '.join(map(str, array.shape))})"
