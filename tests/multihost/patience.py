"""Waiting for a condition, with a limit that suits a busy machine."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 300.0


def until(holds: Callable[[], object], what: str) -> float:
    """Wait until a condition holds; return the seconds it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE_SECONDS, f"{what} did not happen within {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.1)
    return time.monotonic() - began
