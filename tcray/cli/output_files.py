"""Files that commands write at the user's request."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from tcray.errors import InputError


def check_writable(file: str) -> None:
    """Check before a long computation that a file can be written.

    Raises:
        InputError: if it cannot, for a reason that is known beforehand.
    """
    path = Path(file)
    if path.is_dir():
        raise _make_error(file, "it is a folder")
    if not path.parent.is_dir():
        raise _make_error(file, f"there is no folder {path.parent}")


def write_file(file: str, content: bytes) -> None:
    """Write a file completely or not at all.

    Raises:
        InputError: if it cannot be written.
    """
    path = Path(file)
    target = path.resolve()  # a link stays a link
    temporary = target.parent / f".{target.name}.{secrets.token_hex(4)}"
    try:
        if path.exists() and not path.is_file():  # a pipe or a device cannot be replaced by another file
            path.write_bytes(content)
        else:
            temporary.write_bytes(content)
            temporary.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise _make_error(file, str(error.strerror)) from error


def _make_error(file: str, reason: str) -> InputError:
    return InputError(f"{file} cannot be written: {reason}", "Name another file.")
