"""`tcray store`: verify the trial store, and export it as JSON lines."""

from __future__ import annotations

from collections.abc import Iterator

import click

from tcray.cli.resolve_sweep import optional_sweep_argument, resolve_sweep, store_option
from tcray.errors import InputError, StoreError
from tcray.results.display.labels import format_count
from tcray.store.export import export_rows, to_json_line
from tcray.store.store import Store
from tcray.store.upgrade import upgrade_sweep
from tcray.store.verify import check_sweep, list_sweep_ids


@click.group("store")
def command() -> None:
    """Verify, export or upgrade the trial store."""


@command.command("verify")
@optional_sweep_argument
@store_option
def verify(sweep: str | None, store: str) -> None:
    """Check that the records of SWEEP, or of all sweeps, are readable, consistent and complete."""
    opened = Store.open(store)
    ids = list_sweep_ids(opened) if sweep is None else [resolve_sweep(opened, sweep).sweep_id]
    issues = 0
    for sweep_id in ids:
        health = check_sweep(opened.sweep(sweep_id))
        issues += len(health.issues)
        for issue in health.issues:
            click.echo(str(issue))
        for note in health.notes:
            click.echo(f"{sweep_id}: note: {note}")
        click.echo(str(health))
    if not ids:
        click.echo(f"{opened.filesystem.display_path()} has no sweep yet")
    if issues:
        raise StoreError(
            f"{opened.filesystem.display_path()} is not sound: {format_count(issues, 'issue')}",
            "The lines above name them; nothing was changed.",
        )


@command.command("export")
@optional_sweep_argument
@store_option
@click.option("-o", "--output", metavar="FILE", help="Write to a file instead of stdout.")
@click.option("--reproducible", is_flag=True, help="Leave out times, hosts, devices and packs, to compare stores.")
def export(sweep: str | None, store: str, output: str | None, *, reproducible: bool) -> None:
    """Print every row of every table of SWEEP, or of all sweeps, as one line of JSON per row."""
    opened = Store.open(store)
    ids = opened.sweep_ids() if sweep is None else [resolve_sweep(opened, sweep).sweep_id]
    rows = (to_json_line(row) for one in ids for row in export_rows(opened.sweep(one), reproducible=reproducible))
    if output is None:
        for row in rows:
            click.echo(row)
    else:
        _write(rows, output)


@command.command("upgrade")
@optional_sweep_argument
@store_option
def upgrade(sweep: str | None, store: str) -> None:
    """Convert SWEEP, or all sweeps, of an earlier version of tcray to the present schema, in place.

    An upgraded sweep keeps all rows and results, but an unfinished one cannot be resumed. An interrupted upgrade is
    completed by running the command again.
    """
    opened = Store.open(store)
    ids = opened.sweep_ids() if sweep is None else [opened.resolve(sweep, any_version=True)[0]]
    for sweep_id in ids:
        upgraded = upgrade_sweep(opened.sweep(sweep_id))
        click.echo(f"{sweep_id}: {'upgraded' if upgraded else 'nothing to do'}")


def _write(rows: Iterator[str], output: str) -> None:
    try:
        with open(output, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.writelines(f"{row}\n" for row in rows)
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}", "Name another file with -o.") from error
