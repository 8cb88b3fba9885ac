"""`tcray sweep`: runs a sweep file, or goes on where it stopped, and prints what came out."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tcray.cli import told
from tcray.cli.compare import LOGDIR
from tcray.cli.on_cluster import cluster_option, run_there
from tcray.cli.resolve_sweep import STORE, store_option
from tcray.errors import InputError

if TYPE_CHECKING:
    from tcray.config.sweep import Sweep
    from tcray.results.analysis import Results
    from tcray.store.store import SweepStore


@click.command("sweep")
@click.argument("file")
@store_option
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key, as resources.pack=8.")
@click.option("--address", metavar="ADDRESS", help="Ray cluster to join, as HOST:PORT or auto; RAY_ADDRESS otherwise.")
@cluster_option
@click.option("--detach", is_flag=True, help="With --cluster: return once it has begun; it goes on by itself.")
@click.option("--fresh", is_flag=True, help="Begin anew, and reuse nothing.")
@click.option("--expect", hidden=True, metavar="ID", help="The sweep it is to be, as it was announced from elsewhere.")
def command(
    file: str,
    store: str,
    overrides: tuple[str, ...],
    address: str | None,
    cluster: str | None,
    *,
    detach: bool,
    fresh: bool,
    expect: str | None,
) -> None:
    """Run the sweep of FILE, with live progress, and print its results; said again, it goes on where it stopped."""
    _expect_one_place(address, cluster, detach=detach)
    from tcray.config.load import load_sweep

    asked = load_sweep(file, overrides)
    if cluster is not None:
        from tcray.search.plan import find_cards, plan

        run_there(plan(asked, find_cards(asked)), file, overrides, cluster, fresh=fresh, detach=detach)

    if expect is not None:
        _expect_announced(expect, asked, store, fresh=fresh)

    from tcray.tune.run import run_sweep

    result = run_sweep(asked, store, address=address, fresh=fresh)
    if result.was_finished:
        click.echo(f"sweep {result.store.sweep_id} was finished before: nothing was left to train", err=True)
    show_end(result.store, store)


def _expect_one_place(address: str | None, cluster: str | None, *, detach: bool) -> None:
    if address is not None and cluster is not None:
        raise InputError(
            "--cluster and --address name two places to run at",
            "Say --cluster away from the cluster, and --address on a node of it.",
        )
    if detach and cluster is None:
        raise InputError("--detach is for a sweep that runs elsewhere", "Say where: --cluster FILE.")


def _expect_announced(announced: str, asked: Sweep, uri: str, *, fresh: bool) -> None:
    from tcray.search.plan import find_cards, plan
    from tcray.store.store import Store

    planned = plan(asked, find_cards(asked))
    sweep_id = planned.sweep_id(Store.open(uri, create=True).generation(planned.sweep_id(), fresh=fresh))
    if sweep_id != announced:
        raise InputError(
            f"sweep {announced} was handed over, and what is here now is sweep {sweep_id}: nothing was started",
            "Somebody else sent other data or began it meanwhile; say the same command again.",
        )


def show_end(sweep: SweepStore, uri: str) -> None:
    """Prints the verdicts and tables of a sweep that has ended, and what shows the rest."""
    from rich.console import Console

    from tcray.results.analysis import analyze
    from tcray.results.output.terminal.verdicts import print_verdicts
    from tcray.results.rank.terminal import show_optima
    from tcray.results.ranking.terminal import show_ranking

    results, console = analyze(sweep), Console()
    print_verdicts(results, console, brief=True)
    if not results.sweep.claims:
        show_optima(results.profiles, console)
    show_ranking(results.ranking, console)
    named = sweep.sweep_id if uri == STORE else f"{sweep.sweep_id} --store {shlex.quote(uri)}"
    click.echo(f"\nAll of it, with figures: tcray results {named} --html report.html")
    if compared(sweep, results, named):
        click.echo(f"Learning curves: tensorboard --logdir {LOGDIR}")


def compared(sweep: SweepStore, results: Results, named: str) -> bool:
    """Adds a sweep to the comparison in `LOGDIR`, and tells whether that could be done.

    named  how commands name the sweep

    A failure is said and no more: every run is recorded by now, and the comparison can be written at any time.
    """
    from tcray.results.output.tensorboard.comparison import compare

    try:
        compare([sweep], Path(LOGDIR), [results])
    except Exception as error:  # noqa: BLE001 whatever it is, the sweep has succeeded
        sentence, _ = told(error)
        click.echo(f"{LOGDIR}/ was not written; try again: tcray compare {named}\n{sentence}", err=True)
        return False
    return True
