"""The sweep and the store that a command's arguments name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tcray.cli.completion import STORE, STORE_VARIABLE, complete_sweep, complete_sweep_file
from tcray.config.commands import format_command
from tcray.errors import InputError
from tcray.results.display.labels import format_time
from tcray.store.store import Store, SweepStore

_Command = TypeVar("_Command", bound=Callable[..., Any])

file_argument = click.argument("file", shell_complete=complete_sweep_file)
"""The argument FILE: a sweep file, or the bare name of one in the current directory or in `sweeps/`."""

sweep_argument = click.argument("sweep", shell_complete=complete_sweep)
"""The argument SWEEP of a command on one sweep of the store."""

optional_sweep_argument = click.argument("sweep", required=False, shell_complete=complete_sweep)
"""The same for a command on one sweep or on all of them."""

set_option = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of FILE, as in resources.pack=8."
)
"""The option `--set` of commands that read a sweep file."""


def store_option(command: _Command) -> _Command:
    """Add the option `--store` to a command."""
    return click.option(
        "--store",
        default=STORE,
        envvar=STORE_VARIABLE,
        show_default=True,
        metavar="URI",
        help=f"Folder or bucket of the trial store. The environment variable {STORE_VARIABLE} sets the default.",
    )(command)


def resolve_sweep(store: Store, text: str) -> SweepStore:
    """Return the sweep that `text` names: an id, the beginning of one, a name, or a sweep file.

    Print on stderr which sweep that is, and how many others have its name.

    Raises:
        InputError: if there is no such sweep.
    """
    sweep, others = find_sweep(store, text)
    manifest = sweep.read_manifest()
    count = f"; {others} other{'s are' if others > 1 else ' is'} called {manifest['name']}" if others else ""
    click.echo(f"sweep {sweep.sweep_id}, started {format_time(manifest['started_at'])}{count}", err=True)
    return sweep


def find_sweep(store: Store, text: str) -> tuple[SweepStore, int]:
    """Return the sweep that `text` names and the number of others with its name; print nothing."""
    sweep_id, others = _resolve_file(store, text) if _is_file(text) else store.resolve(text)
    return store.sweep(sweep_id), others


def _is_file(text: str) -> bool:
    return text.endswith((".yaml", ".yml")) or Path(text).is_file()


def _resolve_file(store: Store, path: str) -> tuple[str, int]:
    """Return the latest generation of the sweep that a file asks for with its data as they are now."""
    from tcray.config.load import load_sweep
    from tcray.search.plan import find_cards, plan

    sweep = load_sweep(path)
    sweep_id = plan(sweep, find_cards(sweep)).sweep_id()
    generations = store.list_generations(sweep_id)
    if not generations:
        raise InputError(
            f"{path} asks for sweep {sweep_id}, which was never run in {store.filesystem.display_path()}",
            f"Run `{format_command('tcray', 'sweep', path)}` first, or name another sweep of the store by its id.",
        )
    return store.resolve(generations[-1])
