"""`tcray stop`: asks whoever runs a sweep to stop, wherever that is, and waits until it has."""

from __future__ import annotations

import time
from dataclasses import replace

import click

from tcray.cli.following import ending
from tcray.cli.on_cluster import cluster_option, say_there
from tcray.cli.resolve_sweep import store_option, which
from tcray.errors import Interrupted
from tcray.store.lease import LeaseHolder, ask_to_stop, last_holder
from tcray.store.retry import retrying
from tcray.store.store import RETRY_SECONDS, Store, SweepStore
from tcray.store.summary import ended_and_planned

LOOK_SECONDS = 1.0
SAY_SECONDS = 10.0
"""Between two lines while the driver is waited for."""


@click.command("stop")
@click.argument("sweep")
@store_option
@cluster_option
def command(sweep: str, store: str, cluster: str | None) -> None:
    """Stop SWEEP, on whatever host it runs; what is recorded stays, and `tcray sweep` goes on from there."""
    if cluster is not None:
        say_there(cluster, "stop", sweep)
    asked = which(Store.open(store), sweep)
    driver = last_holder(asked)
    if driver is None or not driver.is_live:
        click.echo(f"nobody runs sweep {asked.sweep_id}: {ending(asked, driver)}")
        return
    ask_to_stop(asked, driver)
    click.echo(f"{driver} is asked to stop; it looks every few seconds, and then ends as at Ctrl-C", err=True)
    try:
        driver = wait(asked, driver)
    except KeyboardInterrupt:
        raise Interrupted("it is no longer waited for, and stops all the same") from None
    click.echo(f"sweep {asked.sweep_id}: {ending(asked, driver)}")


def wait(sweep: SweepStore, driver: LeaseHolder) -> LeaseHolder:
    """Waits until the driver has given its lease back, or is gone; what it last said of itself."""
    said = time.monotonic()
    while driver.is_live:
        time.sleep(LOOK_SECONDS)
        last = retrying(lambda: last_holder(sweep), RETRY_SECONDS)
        if last is None or last.token != driver.token:
            return replace(driver, released=True)  # another has the lease already
        driver = last
        if driver.is_live and time.monotonic() - said > SAY_SECONDS:
            said = time.monotonic()
            ended, planned = ended_and_planned(sweep, driver)
            click.echo(f"waiting for {driver}: {ended:,} of {planned:,} runs done", err=True)
    return driver
