"""`tcray compare`: several sweeps side by side in TensorBoard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tcray.cli.completion import complete_sweep
from tcray.cli.resolve_sweep import resolve_sweep, store_option
from tcray.config.commands import format_command
from tcray.results.display.labels import format_count
from tcray.store.store import Store

if TYPE_CHECKING:
    from tcray.results.output.tensorboard.comparison import WrittenFolder

LOGDIR = "comparisons"


@click.command("compare")
@click.argument("sweeps", metavar="SWEEP...", nargs=-1, required=True, shell_complete=complete_sweep)
@click.option("--logdir", default=LOGDIR, show_default=True, metavar="FOLDER", help="Folder to write event files into.")
@store_option
def command(sweeps: tuple[str, ...], logdir: str, store: str) -> None:
    """Write TensorBoard's event files for each SWEEP: an id, the beginning of one, a name, or a sweep file."""
    opened = Store.open(store)
    stored = {sweep.sweep_id: sweep for sweep in (resolve_sweep(opened, text) for text in sweeps)}

    from tcray.results.output.tensorboard.comparison import write_comparison

    folders = write_comparison(list(stored.values()), Path(logdir))
    for folder in folders:
        click.echo(format_folder(folder))
    for command in format_commands(folders, logdir):
        click.echo(f"Open it with: {command}")


def format_folder(folder: WrittenFolder) -> str:
    """Return a line about a folder: its path, and its number of cells with and without curves."""
    if not folder.cells:
        return f"{folder.path}: no cell has a run yet"
    text = f"{folder.path}: {format_count(folder.cells, 'cell')}"
    if folder.shown < folder.cells:
        text += f", the best {folder.shown} by validation are shown"
    if folder.without_curves:
        text += f", {len(folder.without_curves):,} of them without a complete confirm run"
    return text


def format_commands(folders: Sequence[WrittenFolder], logdir: str) -> list[str]:
    """Return the commands that open the folders: one for the logdir if it holds them all, otherwise one per folder.

    TensorBoard selects all runs of either.
    """
    if all(folder.path.is_relative_to(logdir) for folder in folders):
        return [format_command("tensorboard", "--logdir", logdir)]
    return [format_command("tensorboard", "--logdir", str(folder.path)) for folder in folders]
