"""`tcray init`: write the shipped sweep files into a folder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from tcray.cli.output_files import write_file
from tcray.config.commands import format_command
from tcray.config.load import SWEEPS_FOLDER
from tcray.errors import InputError


@click.command("init")
@click.argument("folder", metavar="[DIR]", default=SWEEPS_FOLDER, type=click.Path(file_okay=True))
@click.option("--force", is_flag=True, help="Overwrite files that differ from the shipped ones.")
def command(folder: str, *, force: bool) -> None:
    """Write the sweep files that come with tcray into DIR (default: sweeps/), to run or to edit.

    Existing files are kept unless --force is given.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be made: {error.strerror}", "Name another folder.") from error
    kept = []
    for name, content in read_shipped_sweeps().items():
        path = Path(folder) / name
        if path.is_file() and path.read_bytes() == content:
            click.echo(f"{path} is up to date")
        elif path.exists() and not force:
            kept.append(path)
            click.echo(f"{path} exists and differs; it was kept", err=True)
        else:
            write_file(str(path), content)
            click.echo(f"{path} is written")
    if kept:
        again = format_command("tcray", "init", *([] if folder == SWEEPS_FOLDER else [folder]), "--force")
        raise InputError(
            f"{len(kept)} of the shipped files {'was' if len(kept) == 1 else 'were'} not written",
            f"Move your files away, or overwrite them: {again}",
        )
    first = Path(folder) / "quick.yaml"
    click.echo(f"Run one with: {format_command('tcray', 'sweep', str(first))}")


def read_shipped_sweeps() -> dict[str, bytes]:
    """Return the sweep files that come with tcray, by file name."""
    shipped = files("tcray").joinpath("shipped_sweeps")
    found = {file.name: file.read_bytes() for file in shipped.iterdir() if file.name.endswith(".yaml")}
    return dict(sorted(found.items()))
