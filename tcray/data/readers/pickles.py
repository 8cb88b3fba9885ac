"""Pickles of numpy arrays in plain containers, loaded without executing any code that they refer to.

A pickle is a program that may call whatever it can import. This unpickler resolves only the names below, none of them
to numpy's own functions, whose unpickling trusts its input. The stand-ins record their arguments, and the arrays are
then rebuilt from the recorded bytes.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tcray.data.readers.files import FETCH_AGAIN, read_bytes
from tcray.errors import DataError


def read_pickle(path: Path) -> Any:
    """Return the containers, text, numbers and numeric arrays in a pickle of any protocol.

    Raises DataError if the pickle is broken or refers to anything else, which is never called.
    """
    content = io.BytesIO(read_bytes(path))
    try:
        return _rebuild(_Unpickler(content, encoding="latin1").load())
    except _RefusedError as error:
        raise DataError(
            f"{path}: the pickle refers to {error}, which is neither an array nor a plain container; it was not loaded",
            "Save the file again as plain numpy arrays, or get it from its original source.",
        ) from error
    except Exception as error:  # a broken pickle may raise anything, and nothing but our own code has run
        raise DataError(
            f"{path}: incomplete or damaged pickle: {error or type(error).__name__}", FETCH_AGAIN
        ) from error


class _RefusedError(Exception):
    """A name that a pickle must not refer to."""


class _Dtype:
    """Record of a pickled dtype: its code, such as `f8`, and its byte order."""

    def __init__(self, code: str, *_: object) -> None:
        self.code = code
        self.order = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]

    def dtype(self) -> np.dtype[Any]:
        dtype = np.dtype(f"{self.order}{self.code}" if self.order in ("<", ">", "=") else self.code)
        if dtype.kind not in "biuf":
            raise _RefusedError(f"an array of {self.code}")
        return dtype


class _Array:
    """Record of a pickled array: its state is version, shape, dtype, Fortran order and bytes."""

    def __init__(self, *_: object) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def array(self) -> NDArray[Any]:
        _, shape, dtype, fortran, content = self.state
        raw = content.encode("latin1") if isinstance(content, str) else content
        return np.frombuffer(raw, dtype.dtype()).reshape(shape, order="F" if fortran else "C").copy()


def _record_buffer(content: bytes, dtype: _Dtype, shape: tuple[int, ...], order: str) -> _Array:
    """Record an array as protocol 5 writes it."""
    array = _Array()
    array.__setstate__((1, shape, dtype, order == "F", content))
    return array


def _encode_text(text: str = "", *_: object) -> bytes:
    """Decode bytes as Python 3 writes them in protocol 2."""
    return text.encode("latin1")


class _ArrayType:
    """Stand-in for `numpy.ndarray`, which a pickle passes to `_reconstruct` and never calls."""


_STAND_INS = {
    "numpy.ndarray": _ArrayType,
    "numpy.dtype": _Dtype,
    "numpy.core.multiarray._reconstruct": _Array,
    "numpy._core.multiarray._reconstruct": _Array,
    "numpy.core.numeric._frombuffer": _record_buffer,
    "numpy._core.numeric._frombuffer": _record_buffer,
    "_codecs.encode": _encode_text,
    "__builtin__.bytes": _encode_text,
}


class _Unpickler(pickle.Unpickler):
    """Unpickler that resolves the stand-ins above and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STAND_INS[f"{module}.{name}"]
        except KeyError:
            raise _RefusedError(f"{module}.{name}") from None


def _rebuild(value: Any) -> Any:
    """Return `value` with its arrays rebuilt."""
    match value:
        case _Array():
            return value.array()
        case dict():
            return {key: _rebuild(item) for key, item in value.items()}
        case list():
            return [_rebuild(item) for item in value]
        case tuple():
            return tuple(_rebuild(item) for item in value)
        case None | str() | bytes() | bool() | int() | float():
            return value
        case _:
            raise _RefusedError(f"a bare {type(value).__name__.strip('_')}")
