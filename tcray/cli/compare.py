"""`tcray compare`: several sweeps side by side in TensorBoard."""

from __future__ import annotations

from pathlib import Path

import click

from tcray.cli.completion import complete_sweep
from tcray.cli.resolve_sweep import resolve_sweep, store_option
from tcray.config.commands import format_command
from tcray.results.display.labels import format_count
from tcray.store.store import Store

LOGDIR = "comparisons"

MAX_SELECTED = 40
"""TensorBoard selects all runs by itself up to this number of runs, and none beyond."""


@click.command("compare")
@click.argument("sweeps", metavar="SWEEP...", nargs=-1, required=True, shell_complete=complete_sweep)
@click.option("--logdir", default=LOGDIR, show_default=True, metavar="FOLDER", help="Folder to write event files into.")
@store_option
def command(sweeps: tuple[str, ...], logdir: str, store: str) -> None:
    """Write TensorBoard's event files for each SWEEP: an id, the beginning of one, a name, or a sweep file."""
    opened = Store.open(store)
    stored = {sweep.sweep_id: sweep for sweep in (resolve_sweep(opened, text) for text in sweeps)}

    from tcray.results.output.tensorboard.comparison import VERDICTS, compare

    compared = compare(list(stored.values()), Path(logdir))
    for one in compared:
        click.echo(f"{one.folder}: {format_cells(one.cells, len(one.bare))}")
    click.echo(f"Open it with: {format_command('tensorboard', '--logdir', logdir)}")
    if sum(one.cells for one in compared) > MAX_SELECTED:
        click.echo(
            f"With more than {MAX_SELECTED} runs, TensorBoard selects none in Text, Images and Custom Scalars: "
            f"filter the runs by `{VERDICTS}` or by a part of a cell's name."
        )


def format_cells(cells: int, bare: int) -> str:
    """Return the number of cells and the number of those that have nothing to show."""
    if not cells:
        return "no cell has a run yet"
    count = format_count(cells, "cell")
    return f"{count}, {bare:,} of them without a complete confirm run" if bare else count
