"""Whether the cluster is still there: where its head is gone Ray answers nothing, and then ends the process."""

from __future__ import annotations

import os
import sys
import threading
import time
from types import TracebackType
from typing import Self

from tcray.tune.ray.joining import answers

SILENCE_SECONDS = 30.0
"""How long the head may not be reached until it counts as gone; Ray waits for a minute, and is hard to understand."""

LOOK_SECONDS = 5.0

SHOW_CURSOR = "\x1b[?25h"


class HeadHealthCheck:
    """Inside `with` a thread feels it; where there is none for `SILENCE_SECONDS` the process ends, with a sentence.

    An exception would come too late: whoever waits for Ray by then is never woken, and Ray's own end cannot be caught.
    """

    def __init__(self, address: str) -> None:
        """Of the head that answers at `address`, HOST:PORT, where it has Ray's control service."""
        self._address = address
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._feel, name="tcray pulse", daemon=True)

    def __enter__(self) -> Self:
        """Begins to feel it."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """It may go now."""
        self._done.set()

    def _feel(self) -> None:
        felt_at = time.monotonic()
        while not self._done.wait(LOOK_SECONDS):
            if answers(self._address):
                felt_at = time.monotonic()
            elif time.monotonic() - felt_at > SILENCE_SECONDS and not self._done.is_set():
                self._end()

    def _end(self) -> None:
        """Says why, and ends the process; its lease goes with it."""
        shown = SHOW_CURSOR if sys.stderr.isatty() else ""
        print(
            f"{shown}Error: the Ray cluster at {self._address} is gone: its head has not answered for "
            f"{SILENCE_SECONDS:.0f} s\nWhat was recorded stays: on a cluster that is there the same command goes on.",
            file=sys.stderr,
            flush=True,
        )
        os._exit(1)
