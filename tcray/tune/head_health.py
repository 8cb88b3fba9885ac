"""Health check of the cluster's head: without it Ray blocks for a minute and then ends the process."""

from __future__ import annotations

import os
import sys
import threading
import time
from types import TracebackType
from typing import Self

from tcray.tune.ray.joining import is_listening

SILENCE_SECONDS = 30.0
"""The head counts as gone after this time; Ray itself waits a minute, and its message is hard to understand."""

PROBE_SECONDS = 5.0

SHOW_CURSOR = "\x1b[?25h"


class HeadHealthCheck:
    """Context manager: probes the head from a thread; ends the process after `SILENCE_SECONDS` without an answer.

    An exception would come too late: a thread that waits for Ray by then never wakes up, and Ray's own exit cannot be
    caught.
    """

    def __init__(self, address: str) -> None:
        """Check the head at `address`, HOST:PORT of Ray's control service."""
        self._address = address
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._probe, name="tcray head health", daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop checking."""
        self._done.set()

    def _probe(self) -> None:
        answered_at = time.monotonic()
        while not self._done.wait(PROBE_SECONDS):
            if is_listening(self._address):
                answered_at = time.monotonic()
            elif time.monotonic() - answered_at > SILENCE_SECONDS and not self._done.is_set():
                self._end_process()

    def _end_process(self) -> None:
        """Print the reason and end the process; its lease expires."""
        cursor = SHOW_CURSOR if sys.stderr.isatty() else ""
        print(
            f"{cursor}Error: the Ray cluster at {self._address} is gone: its head has not answered for "
            f"{SILENCE_SECONDS:.0f} s\nRecorded results are kept. Run the same command on a running cluster to resume.",
            file=sys.stderr,
            flush=True,
        )
        os._exit(1)
