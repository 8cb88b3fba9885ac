"""Pickles are read without executing the code that they refer to."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tcray.data.readers.pickles import read_pickle
from tests.data.conftest import ErrorMessage
from tests.data.factories import write_pickle


class Runs:
    """An object whose unpickling calls a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        """Return the call that pickle should make."""
        return self.call


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that does not exist yet."""
    return tmp_path / "x.p"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
        np.arange(3, dtype=">f4"),
        np.array([True, False]),
        np.array(4.0),
        np.zeros((0, 3), np.float16),
        np.arange(4, dtype=np.uint8),
    ],
    ids=lambda array: f"{array.dtype}-{array.shape}",
)
def test_arrays_are_rebuilt_from_any_protocol(array: np.ndarray, protocol: int, path: Path) -> None:
    """Values, shape and dtype of arrays survive every protocol."""
    write_pickle(path, array, protocol)
    rebuilt = read_pickle(path)
    np.testing.assert_array_equal(rebuilt, array)
    assert (rebuilt.dtype, rebuilt.shape) == (array.dtype, array.shape)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_containers_are_read(protocol: int, path: Path) -> None:
    """Nested dictionaries, lists, tuples, text, bytes and numbers are read."""
    value = {"a": [1, 2.5, None, True], "b": ("é", b"\x00\xff", {"c": []}), 3: -(10**30)}
    write_pickle(path, value, protocol)
    assert read_pickle(path) == value


def test_an_array_written_by_python_2_is_read(path: Path) -> None:
    """Python 2 wrote the bytes as text and used the old module name."""
    path.write_bytes(
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85q\x02U\x01bq\x03\x87q\x04Rq\x05"
        b"(K\x01K\x02\x85q\x06cnumpy\ndtype\nq\x07U\x02f8q\x08K\x00K\x01\x87q\tRq\n"
        b"(K\x03U\x01<q\x0bNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0cb\x89"
        b"U\x10\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\x00\xc0q\rtq\x0eb."
    )
    np.testing.assert_array_equal(read_pickle(path), [1.0, -2.0])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(
    protocol: int, path: Path, tmp_path: Path, error_of: ErrorMessage
) -> None:
    """A pickle that calls a function is refused by name, and the function is not called."""
    proof = tmp_path / "ran"
    write_pickle(path, {"a": Runs(Path.touch, proof)}, protocol)
    assert "which is neither an array nor a plain container; it was not loaded" in error_of(lambda: read_pickle(path))
    write_pickle(path, [np.ones(2), Runs(eval, f"open({str(proof)!r}, 'w')")], protocol)
    assert error_of(lambda: read_pickle(path)) == (
        f"{path}: the pickle refers to {'__builtin__' if protocol < 3 else 'builtins'}.eval,"
        " which is neither an array nor a plain container; it was not loaded"
    )
    assert not proof.exists()


@pytest.mark.parametrize(
    ("value", "asks"),
    [
        (OrderedDict(a=1), "collections.OrderedDict"),
        (Path("x"), "pathlib.PosixPath"),
        (np.array([{}], object), "an array of O8"),
        (np.array(["text"]), "an array of U4"),
        (np.zeros(2, [("a", "f8")]), "an array of V8"),
        ({1, 2}, "builtins.set"),
        (np.ndarray, "a bare type"),
        (np.dtype("f8"), "a bare Dtype"),
        (np.float64(1), "numpy._core.multiarray.scalar"),
    ],
    ids=str,
)
def test_anything_else_is_refused(value: Any, asks: str, path: Path, error_of: ErrorMessage) -> None:
    """Other objects are refused, also inside arrays."""
    write_pickle(path, value, 3)
    assert error_of(lambda: read_pickle(path)) == (
        f"{path}: the pickle refers to {asks}, which is neither an array nor a plain container; it was not loaded"
    )


def test_a_forged_array_cannot_reach_beyond_its_bytes(path: Path, error_of: ErrorMessage) -> None:
    """An array whose bytes do not fill its shape is refused."""
    whole = pickle.dumps(np.arange(8, dtype=np.uint8), 2)
    path.write_bytes(whole.replace(b"K\x08\x85", b"K\xff\x85"))
    assert error_of(lambda: read_pickle(path)).startswith(f"{path}: incomplete or damaged pickle: cannot reshape")


def test_a_broken_pickle_is_refused(path: Path, error_of: ErrorMessage) -> None:
    """Truncated pickles and other files are refused."""
    whole = pickle.dumps({"a": np.arange(2.0), "b": [1, "two"]}, 2)
    for length in range(0, len(whole) - 1, 5):
        path.write_bytes(whole[:length])
        assert error_of(lambda: read_pickle(path)).startswith(f"{path}: incomplete or damaged pickle: ")
    path.write_bytes(b'{"json": 1}')
    assert error_of(lambda: read_pickle(path)).startswith(f"{path}: incomplete or damaged pickle: ")


def test_a_recursive_pickle_is_refused(path: Path, error_of: ErrorMessage) -> None:
    """A recursive pickle raises a DataError, not a RecursionError."""
    loop: list[Any] = []
    loop.append(loop)
    write_pickle(path, loop)
    assert error_of(lambda: read_pickle(path)).startswith(f"{path}: incomplete or damaged pickle: ")
