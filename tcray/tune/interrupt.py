"""Graceful stop of a sweep, by Ctrl-C, SIGTERM or `tcray stop`: results that are being recorded are completed first."""

from __future__ import annotations

import signal
import threading
from types import TracebackType
from typing import Self

from tcray.store.lease import Lease

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Context manager: the first SIGINT or SIGTERM only sets `requested`; the next raises KeyboardInterrupt.

    In a thread other than the main one Python delivers no signals, so only `tcray stop` counts.
    """

    def __init__(self, lease: Lease) -> None:
        """Take the lease whose holder may be asked to stop; signals are handled only inside `with`."""
        self._lease = lease
        self._signaled = False

    @property
    def requested(self) -> bool:
        """True if the sweep should stop, because of a signal or of `tcray stop`."""
        return self._signaled or self._lease.stop_requested

    def __enter__(self) -> Self:
        """Install the signal handlers."""
        main = threading.current_thread() is threading.main_thread()
        self._before = {number: signal.signal(number, self._handle) for number in SIGNALS} if main else {}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Restore the previous signal handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, *_: object) -> None:
        if self._signaled:
            raise KeyboardInterrupt
        self._signaled = True
