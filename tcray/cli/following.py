"""Display of a running sweep until its driver ends."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import click
from rich.console import Console

from tcray.errors import Interrupted, SweepError
from tcray.store.driver_status import DriverStatus, read_status
from tcray.store.lease import LeaseHolder, last_holder
from tcray.store.retry import retry
from tcray.store.store import RETRY_SECONDS, SweepStore
from tcray.store.summary import count_ended_and_planned
from tcray.tune.status.display import Display

POLL_SECONDS = 2.0
SILENT_SECONDS = 30.0
"""A driver writes its status every ten seconds; after this time without a new one it is reported as silent."""


def follow(sweep: SweepStore) -> None:
    """Show the status of a sweep's driver until it ends, and print how the sweep ended.

    Raises:
        SweepError: if the sweep is incomplete when its driver ends.
        Interrupted: at Ctrl-C, which does not affect the driver.
    """
    followed = FollowedSweep(sweep)
    try:
        _show(followed)
    except KeyboardInterrupt:
        raise Interrupted("no longer followed; the sweep keeps running") from None
    ended = f"sweep {sweep.sweep_id} is not running: {describe_state(sweep, followed.driver)}"
    if not sweep.read_manifest().get("finished_at"):
        raise SweepError(ended)
    click.echo(ended)


def _show(followed: FollowedSweep) -> None:
    name = followed.sweep.read_manifest()["name"]
    console = Console()
    if followed.poll() and followed.status is None:
        click.echo(f"{followed.driver} is starting")
        while followed.poll() and followed.status is None:
            time.sleep(POLL_SECONDS)
    if followed.status is None:
        return
    with Display(console, name, followed.current_status, show_single_host=True) as display:
        while followed.poll():
            display.tick()
            time.sleep(POLL_SECONDS)


@dataclass
class FollowedSweep:
    """A sweep's driver and its latest status, as recorded in the store."""

    sweep: SweepStore
    driver: LeaseHolder | None = field(default=None, init=False)
    """The current driver of the sweep, or the last one."""
    status: DriverStatus | None = field(default=None, init=False)
    """The latest status, which may be of an earlier driver."""
    _received_at: float = field(default=0.0, init=False)

    def poll(self) -> bool:
        """Read the driver and its status from the store; return True if the driver is running."""
        self.driver = retry(lambda: last_holder(self.sweep), RETRY_SECONDS)
        if self.driver is None:
            return False
        token = self.driver.token
        status = retry(lambda: read_status(self.sweep, token), RETRY_SECONDS)
        if status is not None and status != self.status:
            self.status, self._received_at = status, time.monotonic()
        return self.driver.is_alive

    def current_status(self) -> DriverStatus:
        """Return the latest status; if it is old, its age is one of the reasons for pending runs."""
        assert self.status is not None, "displayed only after the first status"
        age = time.monotonic() - self._received_at
        if age < SILENT_SECONDS:
            return self.status
        why = {"silence": f"no status from the driver for {age:.0f} s", **self.status.pending_reasons}
        return replace(self.status, pending_reasons=why)


def describe_state(sweep: SweepStore, driver: LeaseHolder | None) -> str:
    """Return how the last driver of a sweep ended, and how many runs are done."""
    ended, planned = count_ended_and_planned(sweep, driver)
    done = f"{ended:,} of {planned:,} runs done"
    if sweep.read_manifest().get("finished_at"):
        return f"it is finished, with {done}"
    if driver is None or driver.released:
        return f"it stopped with {done}; run `tcray sweep` with its file to resume"
    return f"its driver ({driver}) died with {done}; run `tcray sweep` with its file to resume"
