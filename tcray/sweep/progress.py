"""How a sweep is doing, for whoever watches: a live bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tcray.search.queue import Progress

PLAIN_SECONDS = 10.0
"""Between two plain lines."""
LIVE_SECONDS = 0.5


class Display:
    """Inside `with` it shows how far a sweep has come, at most as often as anyone can read; notes stand by themselves.

    progress   says how far; asked only when something is shown
    """

    def __init__(self, console: Console, name: str, objective: str, progress: Callable[[], Progress]) -> None:
        """Of the sweep called `name`, whose runs are judged by `objective`."""
        self._console = console
        self._name = name
        self._objective = objective
        self._progress = progress
        self._live: Live | None = None
        if console.is_terminal and not console.is_dumb_terminal:
            self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        """Begins to watch: the pace is measured from here."""
        self._began, self._epochs = time.monotonic(), self._progress().epochs_done
        if self._live:
            self._live.start()
        self._show()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Shows a last time how far it has come."""
        self._show()
        if self._live:
            self._live.stop()

    def say(self, note: str) -> None:
        """Shows a note, to stay."""
        self._console.print(Text(note), soft_wrap=True)

    def tick(self) -> None:
        """Shows how far it has come, if the last time was a while ago."""
        if time.monotonic() - self._shown >= (LIVE_SECONDS if self._live else PLAIN_SECONDS):
            self._show()

    def _show(self) -> None:
        progress = self._progress()
        self._shown = time.monotonic()
        left = self._seconds_left(progress)
        if self._live:
            self._live.update(picture(self._name, progress, self._objective, left), refresh=True)
        else:
            self.say(f"{self._name}: {line(progress, self._objective, left)}")

    def _seconds_left(self, progress: Progress) -> float:
        """At the pace so far; infinite before anything has come back."""
        done = progress.epochs_done - self._epochs
        elapsed = time.monotonic() - self._began
        return progress.epochs_to_do * elapsed / done if done else math.inf


def line(progress: Progress, objective: str, seconds_left: float) -> str:
    """How far a sweep has come, in a line."""
    best = ", ".join(f"{dataset} {found.value:.4g}" for dataset, found in progress.best.items())
    return f"{counts(progress)}{until(progress, seconds_left)}" + (f"; best {objective}: {best}" if best else "")


def picture(name: str, progress: Progress, objective: str, seconds_left: float) -> Group:
    """How far a sweep has come, as a bar above the best cell of each dataset."""
    head = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=max(1, progress.planned), completed=progress.ended, width=24)
    head.add_row(Text(name), bar, Text(f"{counts(progress)}{until(progress, seconds_left)}"))
    best = Table.grid(padding=(0, 2))
    for dataset, found in progress.best.items():
        levels = found.cell.removeprefix(dataset).removeprefix("/")
        best.add_row(Text(f"  {dataset}"), Text(f"best {objective} {found.value:.4g}"), Text(levels, style="dim"))
    return Group(head, best)


def counts(progress: Progress) -> str:
    """Runs by what became of them."""
    return (
        f"{progress.ended:,} of {progress.planned:,} runs done "
        f"({progress.pruned:,} pruned, {progress.failed:,} failed), {progress.in_flight:,} running"
    )


def until(progress: Progress, seconds: float) -> str:
    """How long it will take from here; nothing where that cannot be told."""
    if not math.isfinite(seconds) or progress.ended == progress.planned:
        return ""
    if seconds < 90:
        return f", about {max(1, round(seconds))} s left"
    minutes = round(seconds / 60)
    return f", about {minutes} min left" if minutes < 90 else f", about {minutes / 60:.1f} h left"
