"""A sweep that somebody runs, shown until its driver has come to an end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import click
from rich.console import Console

from tcray.errors import Interrupted, SweepError
from tcray.store.driver_status import DriverStatus, read_activity
from tcray.store.lease import LeaseHolder, last_holder
from tcray.store.retry import retrying
from tcray.store.store import RETRY_SECONDS, SweepStore
from tcray.store.summary import ended_and_planned
from tcray.tune.status.display import Display

LOOK_SECONDS = 2.0
SILENT_SECONDS = 30.0
"""A driver that has told nothing for so long is said to be silent; it does so every ten seconds."""


def follow(sweep: SweepStore) -> None:
    """Shows what a sweep's driver is at until nobody runs the sweep, and says how it ended.

    Raises SweepError where the sweep is not finished then, and Interrupted at Ctrl-C, which the driver does not notice.
    """
    watched = Watched(sweep)
    try:
        _show(watched)
    except KeyboardInterrupt:
        raise Interrupted("no longer watched; the sweep goes on") from None
    ended = f"sweep {sweep.sweep_id} is no longer run: {ending(sweep, watched.driver)}"
    if not sweep.read_manifest().get("finished_at"):
        raise SweepError(ended)
    click.echo(ended)


def _show(watched: Watched) -> None:
    name = watched.sweep.read_manifest()["name"]
    console = Console()
    if watched.look() and watched.activity is None:
        click.echo(f"{watched.driver} is setting out")
        while watched.look() and watched.activity is None:
            time.sleep(LOOK_SECONDS)
    if watched.activity is None:
        return
    with Display(console, name, watched.shown, show_single_host=True) as display:
        while watched.look():
            display.tick()
            time.sleep(LOOK_SECONDS)


@dataclass
class Watched:
    """A sweep's driver, as far as the store tells of it."""

    sweep: SweepStore
    driver: LeaseHolder | None = field(default=None, init=False)
    """Who runs the sweep, or ran it last."""
    activity: DriverStatus | None = field(default=None, init=False)
    """What it last told, be it through another driver before."""
    _heard_at: float = field(default=0.0, init=False)

    def look(self) -> bool:
        """Sees what the store tells now, and whether anyone runs the sweep."""
        self.driver = retrying(lambda: last_holder(self.sweep), RETRY_SECONDS)
        if self.driver is None:
            return False
        token = self.driver.token
        told = retrying(lambda: read_activity(self.sweep, token), RETRY_SECONDS)
        if told is not None and told != self.activity:
            self.activity, self._heard_at = told, time.monotonic()
        return self.driver.is_live

    def shown(self) -> DriverStatus:
        """What it last told, and how long ago if that is long."""
        assert self.activity is not None, "it is shown once there is something to show"
        silent = time.monotonic() - self._heard_at
        if silent < SILENT_SECONDS:
            return self.activity
        why = {"silence": f"nothing was heard of the driver for {silent:.0f} s", **self.activity.why}
        return replace(self.activity, why=why)


def ending(sweep: SweepStore, driver: LeaseHolder | None) -> str:
    """How the last driver of a sweep came to its end, and how far the sweep is."""
    ended, planned = ended_and_planned(sweep, driver)
    done = f"{ended:,} of {planned:,} runs done"
    if sweep.read_manifest().get("finished_at"):
        return f"it is finished, with {done}"
    if driver is None or driver.released:
        return f"it stopped with {done}; `tcray sweep` with its file goes on from there"
    return f"its driver ({driver}) ended without a word, with {done}; `tcray sweep` with its file goes on from there"
