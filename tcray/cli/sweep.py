"""`tcray sweep`: run a sweep file, or resume it, and print the results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tcray.cli import format_error
from tcray.cli.compare import LOGDIR, format_commands
from tcray.cli.completion import STORE
from tcray.cli.on_cluster import cluster_option, submit_to_cluster
from tcray.cli.progress import announce_if_slow
from tcray.cli.resolve_sweep import file_argument, set_option, store_option
from tcray.config.commands import format_command
from tcray.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tcray.config.sweep import Sweep
    from tcray.results.analysis import Results
    from tcray.results.output.tensorboard.comparison import WrittenFolder
    from tcray.store.store import SweepStore


@click.command("sweep")
@file_argument
@store_option
@set_option
@click.option(
    "--address",
    metavar="ADDRESS",
    help="Ray cluster to join: HOST:PORT or auto. The environment variable RAY_ADDRESS sets the default.",
)
@cluster_option
@click.option("--detach", is_flag=True, help="With --cluster: return when the sweep has started.")
@click.option("--fresh", is_flag=True, help="Start again and reuse nothing.")
@click.option(
    "--expect",
    metavar="ID",
    help="Start nothing unless FILE with the data on this machine is the sweep ID (`tcray plan` prints the id).",
)
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
    """Run the sweep in FILE and print its results. Rerun to resume.

    FILE is a sweep file, or the name of one in the current directory or in sweeps/ without its suffix.
    """
    _check_options(address, cluster, detach=detach)
    from tcray.config.load import find_sweep_file, load_sweep

    file = str(find_sweep_file(file))
    sweep = load_sweep(file, overrides)
    if cluster is not None:
        from tcray.search.plan import find_cards, plan

        submit_to_cluster(plan(sweep, find_cards(sweep)), file, overrides, cluster, fresh=fresh, detach=detach)

    if expect is not None:
        _check_sweep_id(expect, sweep, store, fresh=fresh)

    from tcray.tune.run import run_sweep

    result = run_sweep(sweep, store, address=address, fresh=fresh)
    if result.was_finished:
        click.echo(f"sweep {result.store.sweep_id} was already finished; there was nothing to train", err=True)
    print_results(result.store, store)


def _check_options(address: str | None, cluster: str | None, *, detach: bool) -> None:
    if address is not None and cluster is not None:
        raise InputError(
            "--cluster and --address exclude each other",
            "Pass --cluster on a machine outside the cluster, and --address on one of its nodes.",
        )
    if detach and cluster is None:
        raise InputError("--detach needs --cluster", "Name the cluster file: --cluster FILE.")


def _check_sweep_id(expected: str, sweep: Sweep, uri: str, *, fresh: bool) -> None:
    from tcray.search.plan import find_cards, plan
    from tcray.store.store import Store

    planned = plan(sweep, find_cards(sweep))
    sweep_id = planned.sweep_id(Store.open(uri, create=True).generation(planned.sweep_id(), fresh=fresh))
    if sweep_id != expected:
        raise InputError(
            f"expected sweep {expected}, but the file and the data on this machine are sweep {sweep_id}: "
            "nothing was started",
            "Someone may have sent other data or started the sweep meanwhile; run the same command again.",
        )


def print_results(sweep: SweepStore, uri: str) -> None:
    """Print the verdicts and tables of a sweep that has ended, and the commands that show the rest."""
    from rich.console import Console

    from tcray.cli.cached_analysis import load_or_analyze
    from tcray.results.output.terminal.results import print_summary

    with announce_if_slow(f"analyzing the runs of {sweep.sweep_id}"):
        results = load_or_analyze(sweep)
    print_summary(results, Console())
    words = [sweep.sweep_id] if uri == STORE else [sweep.sweep_id, "--store", uri]
    click.echo(f"\nAll results, with figures: {format_command('tcray', 'results', *words, '--html', 'report.html')}")
    folders = add_to_comparison(sweep, results, words)
    for command in format_commands(folders, LOGDIR) if folders else ():
        click.echo(f"Learning curves: {command}")
    for folder in folders:
        if folder.shown < folder.cells:
            click.echo(
                f"TensorBoard shows the best {folder.shown} of {folder.cells} cells by validation ({folder.path})"
            )


def add_to_comparison(sweep: SweepStore, results: Results, words: list[str]) -> Sequence[WrittenFolder]:
    """Add a sweep to the comparison in `LOGDIR` and return its folders; none if that failed.

    words   the words by which commands name the sweep

    A failure is only reported: every run is recorded already, and the comparison can be written at any time.
    """
    from tcray.results.output.tensorboard.comparison import write_comparison

    try:
        return write_comparison([sweep], Path(LOGDIR), [results])
    except Exception as error:  # noqa: BLE001 the sweep itself has succeeded
        message, _ = format_error(error)
        again = format_command("tcray", "compare", *words)
        click.echo(f"{LOGDIR}/ was not written; try again: {again}\n{message}", err=True)
        return ()
