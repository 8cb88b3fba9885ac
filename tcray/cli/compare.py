"""`tcray compare`: sweeps side by side in TensorBoard."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from tcray.cli.resolve_sweep import store_option, which
from tcray.results.display.labels import format_count
from tcray.store.store import Store

LOGDIR = "comparisons"

SHOWN = 40
"""Runs up to which TensorBoard's older tabs show all of them unasked."""


@click.command("compare")
@click.argument("sweeps", metavar="SWEEP...", nargs=-1, required=True)
@click.option("--logdir", default=LOGDIR, show_default=True, metavar="FOLDER", help="Folder that TensorBoard opens.")
@store_option
def command(sweeps: tuple[str, ...], logdir: str, store: str) -> None:
    """Write what TensorBoard shows of each SWEEP: an id, the beginning of one, a name, or a sweep file."""
    opened = Store.open(store)
    asked = {sweep.sweep_id: sweep for sweep in (which(opened, text) for text in sweeps)}

    from tcray.results.output.tensorboard.comparison import VERDICTS, compare

    compared = compare(list(asked.values()), Path(logdir))
    for one in compared:
        click.echo(f"{one.folder}: {said(one.cells, len(one.bare))}")
    click.echo(f"Look at it with: tensorboard --logdir {shlex.quote(logdir)}")
    if sum(one.cells for one in compared) > SHOWN:
        click.echo(
            f"Beyond {SHOWN} runs, Text, Images and Custom Scalars show none by themselves: "
            f"filter them by `{VERDICTS}`, or by a part of a cell's name."
        )


def said(cells: int, bare: int) -> str:
    """How many cells there are, and how many of them have nothing to show."""
    if not cells:
        return "no cell has a run yet"
    counted = format_count(cells, "cell")
    return f"{counted}, {bare:,} of them without a complete confirm run" if bare else counted
