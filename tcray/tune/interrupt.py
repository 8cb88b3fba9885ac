"""Ctrl-C and `tcray stop`: the first request lets the driver record what it has, then the sweep stops."""

from __future__ import annotations

import signal
import threading
from types import TracebackType
from typing import Self

from tcray.store.lease import Lease

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Context manager that notes the first SIGINT or SIGTERM in `asked`; the next one raises KeyboardInterrupt.

    In a thread other than the main one Python delivers no signals, and only `tcray stop` counts.
    """

    def __init__(self, lease: Lease) -> None:
        """Handlers are installed on `__enter__`."""
        self._lease = lease
        self._noted = False

    @property
    def asked(self) -> bool:
        """True if the sweep is to stop: because of a signal, or of a stop request in the store."""
        return self._noted or self._lease.stop_asked

    def __enter__(self) -> Self:
        """Install the signal handlers."""
        main = threading.current_thread() is threading.main_thread()
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS} if main else {}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Restore the previous handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, *_: object) -> None:
        if self._noted:
            raise KeyboardInterrupt
        self._noted = True
