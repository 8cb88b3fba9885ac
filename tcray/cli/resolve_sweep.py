"""Which sweep a command means, and of which store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tcray.errors import InputError
from tcray.results.display.labels import format_time
from tcray.store.store import Store, SweepStore

STORE = "trials/"
"""Where commands look for the trial store, unless told otherwise."""

STORE_VARIABLE = "TCRAY_STORE"
"""The environment variable that names another."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


def store_option(command: _Command) -> _Command:
    """The option `--store` of every command that touches a store."""
    told = f"Folder or bucket of the trial store; {STORE_VARIABLE} in the environment otherwise."
    return click.option("--store", default=STORE, envvar=STORE_VARIABLE, show_default=True, metavar="URI", help=told)(
        command
    )


def which(store: Store, text: str) -> SweepStore:
    """The sweep that `text` means: an id, the beginning of one, a name, or a sweep file.

    Says on stderr which sweep that is, and how many others bear its name. Raises `InputError` where there is none.
    """
    sweep_id, others = _of_file(store, text) if _is_file(text) else store.resolve(text)
    sweep = store.sweep(sweep_id)
    manifest = sweep.read_manifest()
    count = f"; {others} other{'s are' if others > 1 else ' is'} called {manifest['name']}" if others else ""
    click.echo(f"sweep {sweep_id}, started {format_time(manifest['started_at'])}{count}", err=True)
    return sweep


def _is_file(text: str) -> bool:
    return text.endswith((".yaml", ".yml")) or Path(text).is_file()


def _of_file(store: Store, path: str) -> tuple[str, int]:
    """The last begun generation of the sweep that a file asks for with its data as it is now."""
    from tcray.config.load import load_sweep
    from tcray.search.plan import find_cards, plan

    asked = load_sweep(path)
    sweep_id = plan(asked, find_cards(asked)).sweep_id()
    generations = store.generations(sweep_id)
    if not generations:
        raise InputError(
            f"{path} asks for sweep {sweep_id}, which was never run in {store.volume.shown()}",
            f"Run `tcray sweep {path}` first, or name another sweep of the store by its id.",
        )
    return store.resolve(generations[-1])
