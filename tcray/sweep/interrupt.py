"""Ctrl-C, once: what is being done is done to its end, and then the sweep stops."""

from __future__ import annotations

import signal
from types import TracebackType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Inside `with` the first SIGINT or SIGTERM is only noted, in `asked`; the next raises KeyboardInterrupt."""

    def __init__(self) -> None:
        """Nothing is taken over before `with`."""
        self.asked = False

    def __enter__(self) -> Self:
        """Takes the signals over."""
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Gives the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, *_: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
