"""Waiting for what must happen, on a machine that has more to do."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 300.0


def until(holds: Callable[[], object], what: str) -> float:
    """Waits until something holds, and tells after how many seconds it did."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE_SECONDS, f"{what} did not come about in {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.1)
    return time.monotonic() - began
