"""Retries of store operations with exponential backoff, for full disks and brief network outages."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from tcray.errors import StoreError

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


def retry(action: Callable[[], _T], seconds: float) -> _T:
    """Call `action` until it succeeds and return its result.

    Raises its last `StoreError` if it still fails after `seconds`; other exceptions are raised at once.
    """
    end = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while True:
        try:
            return action()
        except StoreError as error:
            left = end - time.monotonic()
            if left <= 0:
                raise
            if pause == FIRST_PAUSE:
                _log.warning("%s; retrying for %.0f s", error.message, seconds)
        time.sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_PAUSE)
