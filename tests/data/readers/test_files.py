"""Errors in published files are DataErrors that name the file."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from tcray.data.readers.files import (
    mean_over_frames,
    open_hdf5,
    parse_index,
    read_json,
    read_json_lines,
    read_npz,
    read_numbers,
    read_rows,
    read_text,
    require_file,
    stack_vectors,
)
from tests.data.conftest import ErrorMessage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that does not exist yet."""
    return tmp_path / "file"


def test_numbers_are_read_as_a_matrix(path: Path) -> None:
    """Numbers may be quoted, in any notation, and follow a byte order mark."""
    path.write_bytes(b'\xef\xbb\xbf"1.5","-2e-3"\n3,nan\n')
    np.testing.assert_array_equal(read_numbers(path), [[1.5, -0.002], [3, np.nan]])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b"1,2\n3\n", "row 2: 2 columns expected, 1 found"),
        (b"1,2\n3,4,5\n", "row 2: 2 columns expected, 3 found"),
        (b"1,2\n\n", "row 2: 2 columns expected, 0 found"),
        (b"1,2\n3,four\n", "row 2: could not convert string to float: 'four'"),
        (b"1,2\n3,\xff\n", "not UTF-8 text (byte 6)"),
        (b'"' + b"1" * 200_000, "not a CSV file: field larger than field limit (131072)"),
    ],
)
def test_bad_numbers_are_refused(content: bytes, says: str, path: Path, error_of: ErrorMessage) -> None:
    """The message names the row of a malformed number or a ragged line."""
    path.write_bytes(content)
    assert error_of(lambda: read_numbers(path)) == f"{path}: {says}"


def test_rows_must_have_the_expected_columns(path: Path, error_of: ErrorMessage) -> None:
    """A row with another number of columns is refused, from the first row on."""
    path.write_text("a,b\n", encoding="utf-8")
    assert read_rows(path, 2) == [["a", "b"]]
    assert error_of(lambda: read_rows(path, 3)) == f"{path}: row 1: 3 columns expected, 2 found"


@pytest.mark.parametrize("cell", ["-1", "3", "1.5", "nan", "inf"])
def test_a_position_is_a_whole_number_in_range(cell: str, error_of: ErrorMessage) -> None:
    """A position must be a whole number in range; the message names any other value."""
    assert parse_index("2.0", 3, "x") == 2
    assert error_of(lambda: parse_index(cell, 3, "x")) == f"x: {cell} is not an index from 0 to 2"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, error_of: ErrorMessage) -> None:
    """A missing file and a folder are refused by name."""
    assert error_of(lambda: read_text(tmp_path / "no")) == f"{tmp_path}/no: cannot be read: No such file or directory"
    assert error_of(lambda: read_text(tmp_path)) == f"{tmp_path}: cannot be read: Is a directory"


def test_a_required_file_is_searched_in_order(tmp_path: Path, error_of: ErrorMessage) -> None:
    """The first of several places that exists is used; if none does, the first place or the folder is named."""
    (tmp_path / "b").touch()
    assert require_file(tmp_path, "a", "b") == tmp_path / "b"
    assert error_of(lambda: require_file(tmp_path, "a", "c")) == f"{tmp_path}: a is missing"
    assert error_of(lambda: require_file(tmp_path / "b", "a")) == f"{tmp_path}/b: no such folder"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"a": 1', "not JSON: Expecting ',' delimiter: line 1 column 8 (char 7)"),
        ("[1]", "a JSON object expected, list found"),
        ('{"a": 1, "b": 2, "a": 3}', "duplicate key 'a'"),
    ],
)
def test_bad_json_is_refused(content: str, says: str, path: Path, error_of: ErrorMessage) -> None:
    """Malformed JSON, other documents than objects and duplicate keys are refused."""
    path.write_text(content, encoding="utf-8")
    assert error_of(lambda: read_json(path)) == f"{path}: {says}"


def test_json_nested_too_deep_is_refused(path: Path, error_of: ErrorMessage) -> None:
    """JSON nested too deep raises a DataError, not a RecursionError."""
    path.write_text("[" * 100_000, encoding="utf-8")
    assert error_of(lambda: read_json(path)).startswith(f"{path}: not JSON: ")


def test_lines_of_json_are_numbered(path: Path, error_of: ErrorMessage) -> None:
    """Errors in JSON lines name the line; empty lines count but are skipped."""
    path.write_text('{"a": 1}\n\n{"a": 2}\n{"a"\n', encoding="utf-8")
    lines = read_json_lines(path)
    assert next(lines) == (f"{path}: line 1", {"a": 1})
    assert next(lines) == (f"{path}: line 3", {"a": 2})
    assert error_of(lambda: next(lines)).startswith(f"{path}: line 4: not JSON: ")


def test_bad_npz_files_are_refused(path: Path, error_of: ErrorMessage) -> None:
    """No archive, a single array, a truncated archive and one with a pickle inside are refused."""
    says = f"{path}: not an .npz file of plain arrays: "
    path.write_bytes(b"x" * 100)
    assert error_of(lambda: read_npz(path)).startswith(says)
    with path.open("wb") as file:
        np.save(file, np.ones(3))
    assert error_of(lambda: read_npz(path)) == f"{says}the file holds a single array"
    with path.open("wb") as file:
        np.savez(file, a=np.ones(3), b=np.array([{}], object))
    assert error_of(lambda: read_npz(path)).startswith(says)
    path.write_bytes(path.read_bytes()[:150])
    assert error_of(lambda: read_npz(path)).startswith(says)


def test_a_bad_hdf5_file_is_refused(path: Path, error_of: ErrorMessage) -> None:
    """A file in another format and a truncated HDF5 file are refused."""

    def read() -> None:
        with open_hdf5(path) as file:
            file["a"][()]

    with h5py.File(path, "w") as file:
        file["a"] = np.ones((50, 50))
    read()
    path.write_bytes(path.read_bytes()[:3000])
    assert error_of(read).startswith(f"{path}: incomplete or damaged HDF5 file: ")
    path.write_bytes(b"x" * 100)
    assert error_of(read).startswith(f"{path}: incomplete or damaged HDF5 file: ")


def test_vectors_of_one_length_are_stacked(path: Path, error_of: ErrorMessage) -> None:
    """Vectors are stacked if they are numeric and of one length, which may be given."""
    np.testing.assert_array_equal(stack_vectors([[1, 2], np.ones(2)], ["a", "b"], path), [[1, 2], [1, 1]])
    assert error_of(lambda: stack_vectors([[1, 2], [1]], ["a", "b"], path)) == f"{path}: b: 2 columns expected, 1 found"
    assert error_of(lambda: stack_vectors([[1, 2]], ["a"], path, 3)) == f"{path}: a: 3 columns expected, 2 found"
    assert (
        error_of(lambda: stack_vectors([[[1, 2]]], ["a"], path))
        == f"{path}: a: a vector of numbers expected, (1, 2) found"
    )
    assert error_of(lambda: stack_vectors(["text"], ["a"], path)) == (
        f"{path}: a: a vector of numbers expected, a non-numeric array found"
    )


def test_frames_are_averaged(error_of: ErrorMessage) -> None:
    """Frames are averaged along either axis; no frames and another width are refused."""
    frames = np.array([[1.0, 2.0], [3.0, 6.0]])
    np.testing.assert_array_equal(mean_over_frames(frames, 0, 2, "x"), [2, 4])
    np.testing.assert_array_equal(mean_over_frames(frames, 1, 2, "x"), [1.5, 4.5])
    assert error_of(lambda: mean_over_frames(frames, 0, 3, "x")) == "x: an array of (frames, 3) expected, (2, 2) found"
    assert (
        error_of(lambda: mean_over_frames(np.ones((3, 0)), 1, 3, "x"))
        == "x: an array of (3, frames) expected, (3, 0) found"
    )
