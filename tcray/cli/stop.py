"""`tcray stop`: ask the driver of a sweep to stop, on any host, and wait until it has stopped."""

from __future__ import annotations

import time
from dataclasses import replace

import click

from tcray.cli.following import describe_state
from tcray.cli.on_cluster import cluster_option, run_on_head
from tcray.cli.resolve_sweep import resolve_sweep, store_option, sweep_argument
from tcray.errors import Interrupted
from tcray.store.lease import LeaseHolder, last_holder, request_stop
from tcray.store.retry import retry
from tcray.store.store import RETRY_SECONDS, Store, SweepStore
from tcray.store.summary import count_ended_and_planned

POLL_SECONDS = 1.0
REPORT_SECONDS = 10.0
"""Between two progress lines while the driver finishes."""


@click.command("stop")
@sweep_argument
@store_option
@cluster_option
def command(sweep: str, store: str, cluster: str | None) -> None:
    """Stop SWEEP on any host. Recorded runs are kept; rerun `tcray sweep` to resume."""
    if cluster is not None:
        run_on_head(cluster, "stop", sweep)
    stored = resolve_sweep(Store.open(store), sweep)
    driver = last_holder(stored)
    if driver is None or not driver.is_alive:
        click.echo(f"sweep {stored.sweep_id} is not running: {describe_state(stored, driver)}")
        return
    request_stop(stored, driver)
    click.echo(f"{driver} was asked to stop; it checks every few seconds and then ends as after Ctrl-C", err=True)
    try:
        driver = wait(stored, driver)
    except KeyboardInterrupt:
        raise Interrupted("this command no longer waits; the sweep stops nevertheless") from None
    click.echo(f"sweep {stored.sweep_id}: {describe_state(stored, driver)}")


def wait(sweep: SweepStore, driver: LeaseHolder) -> LeaseHolder:
    """Wait until the driver has released its lease or is gone, and return its last record."""
    reported = time.monotonic()
    while driver.is_alive:
        time.sleep(POLL_SECONDS)
        last = retry(lambda: last_holder(sweep), RETRY_SECONDS)
        if last is None or last.token != driver.token:
            return replace(driver, released=True)  # another driver has the lease already
        driver = last
        if driver.is_alive and time.monotonic() - reported > REPORT_SECONDS:
            reported = time.monotonic()
            ended, planned = count_ended_and_planned(sweep, driver)
            click.echo(f"waiting for {driver}: {ended:,} of {planned:,} runs done", err=True)
    return driver
