"""Foreign pickles of numpy arrays in plain containers, opened without running anything that they name.

A pickle is a program: it may call whatever it can name. Here it can name three things, none of them numpy's own, whose
unpickling trusts what it is told; they only note what was said, and the arrays are then rebuilt from their bytes.
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
    """The containers, text, numbers and numeric arrays that a pickle of any protocol holds.

    DataError for a pickle that names anything else, which is then not called, and for one that is broken.
    """
    content = io.BytesIO(read_bytes(path))
    try:
        return _rebuilt(_Unpickler(content, encoding="latin1").load())
    except _RefusedError as error:
        raise DataError(
            f"{path}: the pickle asks for {error}, which is neither an array nor a plain container, and was not opened",
            "Save the file again as plain numpy arrays, or get it from its original source.",
        ) from error
    except Exception as error:  # a broken pickle may raise anything, and nothing but our own code has run
        raise DataError(f"{path}: not a whole pickle: {error or type(error).__name__}", FETCH_AGAIN) from error


class _RefusedError(Exception):
    """The name of something a pickle may not have."""


class _Dtype:
    """What a pickle says of a dtype: its code, as `f8`, and its byte order."""

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
    """What a pickle says of an array: its state is version, shape, dtype, Fortran order and bytes."""

    def __init__(self, *_: object) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def array(self) -> NDArray[Any]:
        _, shape, dtype, fortran, content = self.state
        raw = content.encode("latin1") if isinstance(content, str) else content
        return np.frombuffer(raw, dtype.dtype()).reshape(shape, order="F" if fortran else "C").copy()


def _from_buffer(content: bytes, dtype: _Dtype, shape: tuple[int, ...], order: str) -> _Array:
    """How protocol 5 writes an array."""
    array = _Array()
    array.__setstate__((1, shape, dtype, order == "F", content))
    return array


def _from_text(text: str = "", *_: object) -> bytes:
    """How Python 3 writes bytes in protocol 2."""
    return text.encode("latin1")


class _ArrayType:
    """Stands for `numpy.ndarray`, which a pickle hands to `_reconstruct` and never calls."""


_STANDS_FOR = {
    "numpy.ndarray": _ArrayType,
    "numpy.dtype": _Dtype,
    "numpy.core.multiarray._reconstruct": _Array,
    "numpy._core.multiarray._reconstruct": _Array,
    "numpy.core.numeric._frombuffer": _from_buffer,
    "numpy._core.numeric._frombuffer": _from_buffer,
    "_codecs.encode": _from_text,
    "__builtin__.bytes": _from_text,
}


class _Unpickler(pickle.Unpickler):
    """Finds the stand-ins above, and refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STANDS_FOR[f"{module}.{name}"]
        except KeyError:
            raise _RefusedError(f"{module}.{name}") from None


def _rebuilt(value: Any) -> Any:
    """`value` with its arrays rebuilt."""
    match value:
        case _Array():
            return value.array()
        case dict():
            return {key: _rebuilt(item) for key, item in value.items()}
        case list():
            return [_rebuilt(item) for item in value]
        case tuple():
            return tuple(_rebuilt(item) for item in value)
        case None | str() | bytes() | bool() | int() | float():
            return value
        case _:
            raise _RefusedError(f"a bare {type(value).__name__.strip('_')}")
