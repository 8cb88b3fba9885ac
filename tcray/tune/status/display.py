"""How a sweep is doing, for whoever watches: a live picture on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tcray.store.driver_status import DriverStatus, Host
from tcray.tune.status.pending import USUAL

PLAIN_SECONDS = 10.0
"""Between two plain lines."""
LIVE_SECONDS = 0.5
RESTS = 20
"""The driver does something else for so many times as long as it took to look."""

HOST_HEADER = ("host", "state", "slots", "packs", "runs done", "runs/h")


class Display:
    """Inside `with` it shows what a driver is at, at most as often as anyone can read; notes stand by themselves.

    look   tells what it is at; asked only when something is shown
    lone   whether a host is shown where there is but one
    """

    def __init__(self, console: Console, name: str, look: Callable[[], DriverStatus], *, lone: bool) -> None:
        """Of the sweep called `name`."""
        self._console = console
        self._name = name
        self._look = look
        self._lone = lone
        self._known: frozenset[str] = frozenset()
        self._live: Live | None = None
        if console.is_terminal and not console.is_dumb_terminal:
            self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        """Begins to watch."""
        if self._live:
            self._live.start()
        self._show()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Shows a last time how far it has come."""
        self._show()
        if self._live:
            self._live.stop()

    def tick(self) -> None:
        """Shows what the driver is at, if the last time was a while ago."""
        if time.monotonic() - self._shown >= max(LIVE_SECONDS if self._live else PLAIN_SECONDS, self._rest):
            self._show()

    def _show(self) -> None:
        began = time.monotonic()
        activity = self._look()
        self._shown = time.monotonic()
        self._rest = RESTS * (self._shown - began)
        if self._live:
            hosts = activity.hosts if self._lone or len(activity.hosts) > 1 else ()
            self._live.update(picture(self._name, activity, hosts), refresh=True)
            return
        say(self._console, f"{self._name}: {line(activity)}")
        for about, reason in activity.why.items():
            if about not in self._known | USUAL:
                say(self._console, f"{self._name}: {reason}")
        self._known = frozenset(activity.why)


def say(console: Console, note: str) -> None:
    """Shows a note, to stay: above the picture, where there is one."""
    console.print(Text(note), soft_wrap=True)


def line(activity: DriverStatus) -> str:
    """How far a sweep has come, in a line."""
    busy = sum(host.packs > 0 for host in activity.hosts)
    where = f" on {busy} hosts" if busy > 1 else ""
    best = ", ".join(f"{leader.dataset} {leader.value:.4g}" for leader in activity.best)
    told = f"{counts(activity)}{where}{format_time_left(activity)}"
    return f"{told}; best {activity.objective}: {best}" if best else told


def picture(name: str, activity: DriverStatus, hosts: Sequence[Host]) -> Group:
    """How far a sweep has come, as a bar above the best cell of each dataset, what waits, and a line a host."""
    head = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=max(1, activity.planned), completed=activity.ended, width=24)
    head.add_row(Text(name), bar, Text(f"{counts(activity)}{format_time_left(activity)}"))
    best = Table.grid(padding=(0, 2))
    for leader in activity.best:
        levels = leader.cell.removeprefix(leader.dataset).removeprefix("/")
        value = f"best {activity.objective} {leader.value:.4g}"
        best.add_row(Text(f"  {leader.dataset}"), Text(value), Text(levels, style="dim"))
    why = [Text(f"  {reason}", style="dim" if about in USUAL else "") for about, reason in activity.why.items()]
    return Group(head, *([best] if activity.best else []), *why, *([_host_grid(hosts)] if hosts else []))


def _host_grid(hosts: Sequence[Host]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column()
    for _ in HOST_HEADER[2:]:
        grid.add_column(justify="right")
    grid.add_row(*(Text(name, style="dim") for name in (f"  {HOST_HEADER[0]}", *HOST_HEADER[1:])))
    for host, row in zip(hosts, format_host_rows(hosts), strict=True):
        grid.add_row(*(Text(text, style="" if host.state == "up" else "dim") for text in (f"  {row[0]}", *row[1:])))
    return grid


def format_host_rows(hosts: Iterable[Host]) -> list[tuple[str, ...]]:
    """A row a host, under `HOST_HEADER`; hosts of one name are told apart by their address."""
    hosts = list(hosts)
    names = Counter(host.name for host in hosts)
    return [
        (
            host.name if names[host.name] == 1 else f"{host.name} ({host.address})",
            host.state,
            *(("", "") if host.state == "gone" else (f"{host.slots:,}", f"{host.packs:,}")),
            f"{host.runs:,}",
            "" if host.per_hour is None else f"{host.per_hour:,.0f}",
        )
        for host in hosts
    ]


def counts(activity: DriverStatus) -> str:
    """Runs by what became of them."""
    return (
        f"{activity.ended:,} of {activity.planned:,} runs done "
        f"({activity.pruned:,} pruned, {activity.failed:,} failed), {activity.running:,} running"
    )


def format_time_left(activity: DriverStatus) -> str:
    """How long it will take from here; nothing where that cannot be told."""
    seconds = activity.seconds_left
    if seconds is None or activity.ended == activity.planned:
        return ""
    if seconds < 90:
        return f", about {max(1, round(seconds))} s left"
    minutes = round(seconds / 60)
    return f", about {minutes} min left" if minutes < 90 else f", about {minutes / 60:.1f} h left"
