"""Display of a sweep's progress: a live view on a terminal and in a notebook, plain lines at intervals otherwise."""

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
from tcray.tune.status.notebook import NotebookLive
from tcray.tune.status.pending import ROUTINE

PLAIN_SECONDS = 10.0
"""Interval between plain lines."""
LIVE_SECONDS = 0.5
MAX_OVERHEAD = 1 / 20
"""Largest share of the driver's time that reading the status may take; a slow read makes updates less frequent."""

HOST_HEADER = ("host", "state", "slots", "packs", "runs done", "runs/h")


class Display:
    """Context manager: shows a driver's status at every tick that is due, at the start, and at the end.

    read_status        returns the status; called only when it is shown
    show_single_host   show the table of hosts even if there is only one host
    """

    def __init__(
        self, console: Console, name: str, read_status: Callable[[], DriverStatus], *, show_single_host: bool
    ) -> None:
        """Prepare a live view in a notebook, or on a terminal that can move its cursor; `name` is the sweep's."""
        self._console = console
        self._name = name
        self._read_status = read_status
        self._show_single_host = show_single_host
        self._shown_reasons: frozenset[str] = frozenset()
        self._live: Live | NotebookLive | None = None
        if console.is_jupyter:
            self._live = NotebookLive()
        elif console.is_terminal and not console.is_dumb_terminal:
            self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        """Show the first status."""
        if self._live:
            self._live.start()
        self._show()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Show the final status."""
        self._show()
        if self._live:
            self._live.stop()

    def tick(self) -> None:
        """Show the status if the last update is old enough."""
        if time.monotonic() - self._shown_at >= max(LIVE_SECONDS if self._live else PLAIN_SECONDS, self._min_pause):
            self._show()

    def _show(self) -> None:
        started_at = time.monotonic()
        status = self._read_status()
        self._shown_at = time.monotonic()
        self._min_pause = (self._shown_at - started_at) / MAX_OVERHEAD
        if self._live:
            hosts = status.hosts if self._show_single_host or len(status.hosts) > 1 else ()
            self._live.update(render_status(self._name, status, hosts), refresh=True)
            return
        print_note(self._console, f"{self._name}: {format_status(status)}")
        for key, reason in status.pending_reasons.items():
            if key not in self._shown_reasons | ROUTINE:
                print_note(self._console, f"{self._name}: {reason}")
        self._shown_reasons = frozenset(status.pending_reasons)


def print_note(console: Console, note: str) -> None:
    """Print a line that stays; above the live view if there is one."""
    console.print(Text(note), soft_wrap=True)


def format_status(status: DriverStatus) -> str:
    """Return the progress of a sweep as one line."""
    busy = sum(host.packs > 0 for host in status.hosts)
    on_hosts = f" on {busy} hosts" if busy > 1 else ""
    progress = f"{format_counts(status)}{on_hosts}{format_time_left(status)}"
    best = ", ".join(f"{run.dataset} {run.value:.4g}" for run in status.best)
    return f"{progress}; best {status.objective}: {best}" if best else progress


def render_status(name: str, status: DriverStatus, hosts: Sequence[Host]) -> Group:
    """Return the live view: progress bar, best cell of each dataset, reasons for waiting, and one row per host."""
    head = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=max(1, status.planned), completed=status.ended, width=24)
    head.add_row(Text(name), bar, Text(f"{format_counts(status)}{format_time_left(status)}"))
    best = Table.grid(padding=(0, 2))
    for run in status.best:
        levels = run.cell.removeprefix(run.dataset).removeprefix("/")
        value = f"best {status.objective} {run.value:.4g}"
        best.add_row(Text(f"  {run.dataset}"), Text(value), Text(levels, style="dim"))
    reasons = [
        Text(f"  {reason}", style="dim" if key in ROUTINE else "") for key, reason in status.pending_reasons.items()
    ]
    return Group(head, *([best] if status.best else []), *reasons, *([_render_hosts(hosts)] if hosts else []))


def _render_hosts(hosts: Sequence[Host]) -> Table:
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
    """Return one row per host, with the columns of `HOST_HEADER`; hosts with the same name also show their address."""
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


def format_counts(status: DriverStatus) -> str:
    """Return the numbers of runs that are done, pruned, failed and running."""
    return (
        f"{status.ended:,} of {status.planned:,} runs done "
        f"({status.pruned:,} pruned, {status.failed:,} failed), {status.running:,} running"
    )


def format_time_left(status: DriverStatus) -> str:
    """Return the estimated remaining time, with a leading comma; empty if unknown or if all runs are done."""
    seconds = status.seconds_left
    if seconds is None or status.ended == status.planned:
        return ""
    if seconds < 90:
        return f", about {max(1, round(seconds))} s left"
    minutes = round(seconds / 60)
    return f", about {minutes} min left" if minutes < 90 else f", about {minutes / 60:.1f} h left"
