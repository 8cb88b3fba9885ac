"""`tcray sweep`: runs a sweep file, or goes on where it stopped, and prints what came out."""

from __future__ import annotations

import click

from tcray.cli.which import store_option


@click.command("sweep")
@click.argument("file")
@store_option
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key, as resources.pack=8.")
@click.option("--address", metavar="ADDRESS", help="Ray cluster to join, as HOST:PORT or auto; RAY_ADDRESS otherwise.")
@click.option("--fresh", is_flag=True, help="Begin anew, and reuse nothing.")
def command(file: str, store: str, overrides: tuple[str, ...], address: str | None, fresh: bool) -> None:
    """Run the sweep of FILE, with live progress, and print its results; said again, it goes on where it stopped."""
    from tcray.spec.load import load_sweep

    asked = load_sweep(file, overrides)

    from tcray.sweep.driver import run_sweep

    result = run_sweep(asked, store, address=address, fresh=fresh)
    if result.was_finished:
        click.echo(f"sweep {result.store.sweep_id} was finished before: nothing was left to train", err=True)

    from tcray.cli.tables import show
    from tcray.results.ranking import ranking

    show(ranking(result.store))
