"""Ctrl-C, once, or `tcray stop`: what is being recorded is, and then the sweep stops."""

from __future__ import annotations

import signal
from types import TracebackType
from typing import Self

from tcray.store.lease import Lease

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Inside `with` the first SIGINT or SIGTERM is only noted, in `asked`; the next raises KeyboardInterrupt."""

    def __init__(self, lease: Lease) -> None:
        """Nothing is taken over before `with`."""
        self._lease = lease
        self._noted = False

    @property
    def asked(self) -> bool:
        """Whether the sweep is to stop: by a signal, or since somebody asked its driver to."""
        return self._noted or self._lease.stop_asked

    def __enter__(self) -> Self:
        """Takes the signals over."""
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Gives the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, *_: object) -> None:
        if self._noted:
            raise KeyboardInterrupt
        self._noted = True
