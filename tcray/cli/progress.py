"""Progress messages of commands that may take a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

DELAY_SECONDS = 1.0


@contextmanager
def announce_if_slow(text: str) -> Iterator[None]:
    """Print `text` on stderr if the block takes longer than `DELAY_SECONDS`."""
    timer = threading.Timer(DELAY_SECONDS, lambda: click.echo(f"{text} …", err=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
