"""`tcray completion`: the script for the shell, and the values that it offers for arguments.

Values are computed at each press of the tab key, so nothing here is imported that is slow, and nothing is raised.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from tcray.errors import InputError

STORE = "trials/"
"""The default trial store of every command."""

STORE_VARIABLE = "TCRAY_STORE"
"""The environment variable that names another one."""

SHELLS = ("bash", "zsh", "fish")

SHELL_VARIABLE = "_TCRAY_COMPLETE"
"""The environment variable by which the shell's script asks for values."""

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
def command(shell: str | None) -> None:
    """Print the script that completes commands, sweeps, files, datasets and columns in SHELL.

    \b
    Add one line to your shell's startup file:
      ~/.bashrc                   eval "$(tcray completion bash)"
      ~/.zshrc                    eval "$(tcray completion zsh)"
      ~/.config/fish/config.fish  tcray completion fish | source

    SHELL is your login shell by default.
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        raise InputError(f"there is no completion for the shell {name!r}", "Pass bash, zsh or fish.")
    completion_class = get_completion_class(name)
    assert completion_class is not None
    root = click.get_current_context().find_root().command
    click.echo(completion_class(root, {}, "tcray", SHELL_VARIABLE).source())


def _safely(values: Callable[[click.Context, str], Iterable[str]], *, or_files: bool = False) -> Complete:
    """Return a callback that offers `values`, and no values if that fails; `or_files`: files if there are none."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            found = [value for value in dict.fromkeys(values(ctx, incomplete)) if value.startswith(incomplete)]
        except Exception:  # noqa: BLE001 an error message would garble the command line that is being typed
            found = []
        if or_files and not found:
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(value) for value in found]

    return complete


def _sweep_files(_: click.Context, incomplete: str) -> list[str]:
    """Return sweep files of the current directory and bare names of those in `sweeps/`."""
    from tcray.config.load import SWEEPS_FOLDER

    if "/" in incomplete:
        return []
    here = [path.name for path in sorted(Path().iterdir()) if path.suffix in (".yaml", ".yml")]
    return [*here, *(path.stem for path in sorted(Path(SWEEPS_FOLDER).glob("*.yaml")))]


def _sweeps(ctx: click.Context, incomplete: str) -> list[str]:
    """Return names and ids of the sweeps of a local store, and sweep files."""
    from tcray.store.store import Store

    uri = str(ctx.params.get("store") or os.environ.get(STORE_VARIABLE) or STORE)
    files = _sweep_files(ctx, incomplete)
    if "://" in uri or not Path(uri).is_dir():  # a bucket would answer too slowly
        return files
    manifests = Store.open(uri).manifests()
    return [*(str(one["name"]) for one in manifests), *(str(one["sweep_id"]) for one in manifests), *files]


def _datasets(_: click.Context, incomplete: str) -> list[str]:  # noqa: ARG001 the signature is that of all values
    from tcray.data.catalog import dataset_names

    return [*dataset_names()]


def _columns(ctx: click.Context, incomplete: str) -> list[str]:
    """Return the columns of a sweep's runs; `incomplete` may be a list, whose last name is completed."""
    from tcray.cli.resolve_sweep import find_sweep
    from tcray.store.store import Store
    from tcray.store.trials import Trials

    uri = str(ctx.params.get("store") or os.environ.get(STORE_VARIABLE) or STORE)
    # While the value of an option is being typed, click leaves the arguments before it unassigned.
    sweep, _ = find_sweep(Store.open(uri), str(ctx.params.get("sweep") or ctx.args[0]))
    before = incomplete[: incomplete.rfind(",") + 1]
    return [f"{before}{name}" for name in Trials.read(sweep).names]


complete_sweep_file = _safely(_sweep_files, or_files=True)
complete_sweep = _safely(_sweeps, or_files=True)
complete_dataset = _safely(_datasets)
complete_columns = _safely(_columns)
