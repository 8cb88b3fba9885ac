"""`--cluster FILE`: run a command on the cluster's head node."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import click
from click.core import ParameterSource

from tcray.cli.completion import STORE, STORE_VARIABLE
from tcray.config.commands import format_command
from tcray.errors import InputError

if TYPE_CHECKING:
    from tcray.cluster.submission import Submission
    from tcray.search.plan import Plan

cluster_option = click.option(
    "--cluster", metavar="FILE", help="Run on the head node of the cluster that `ray up FILE` has started."
)
"""The option of every command that can run on a cluster's head node."""


def run_on_head(cluster: str, command: str, sweep: str | None, *options: str) -> NoReturn:
    """Run a command on the head node, print its output here, and exit with its exit code.

    Raises:
        InputError: if the command cannot run there.
    """
    from tcray.cluster.head import Head

    if sweep is not None and sweep.endswith((".yaml", ".yml")):
        raise InputError(
            f"with --cluster a sweep is named by its id or its name, and {sweep} is a file",
            f"List the sweeps of the cluster: {format_command('tcray', 'status', '--cluster', cluster)}",
        )
    words = [*([] if sweep is None else [sweep]), *options, *_list_store_words()]
    head = Head.from_file(cluster)
    if other := head.handshake().other_version:
        click.echo(f"note: {other}", err=True)
    click.get_current_context().exit(head.run("python3", "-m", "tcray", command, *words))


def submit_to_cluster(
    planned: Plan, file: str, overrides: Sequence[str], cluster: str, *, fresh: bool, detach: bool
) -> NoReturn:
    """Run a sweep file on a cluster, follow it to its end (or start), and exit with its exit code.

    Raises:
        InputError: if nothing was started.
        SweepError: if nothing was started, or if the connection breaks.
    """
    from tcray.cluster.check import require_valid
    from tcray.cluster.cluster_file import load_cluster_file
    from tcray.cluster.head import Head
    from tcray.cluster.submission import submit

    given, cluster_file = _read_store_option(), load_cluster_file(cluster)
    require_valid(cluster_file)
    cluster_file.require_filled()
    head = Head.from_file(cluster)
    info = head.handshake()
    if info.other_version:
        raise InputError(info.other_version, "Install the same version on both.")
    store = given or _check_store(info.store, f"{STORE_VARIABLE} of {head}") or STORE
    submission = submit(head, file, overrides, planned, store=store, fresh=fresh)
    _print_commands(submission)
    if detach:
        exit_code = submission.follow_startup()
    else:
        exit_code = submission.follow(lambda line: click.echo(line, err=True))
        if exit_code == 0 and (fetch := _format_fetch(submission)):
            click.echo(f"To copy the store to this machine: {fetch}", err=True)
    click.get_current_context().exit(exit_code)


def _read_store_option() -> str | None:
    """Return the store that the command line names; the environment variable is only for this machine."""
    context = click.get_current_context()
    is_given = context.get_parameter_source("store") is ParameterSource.COMMANDLINE
    return _check_store(str(context.params["store"]), "--store") if is_given else None


def _check_store(store: str, origin: str) -> str:
    """Return the store.

    Raises:
        InputError: if it cannot be passed to the head node as it is.
    """
    if re.match(r"[^/]*://[^/@]*:[^/@]*@", store):
        raise InputError(
            f"{origin} contains credentials, which anyone who lists the head's processes and jobs could read",
            "Leave them out: the head takes them from its environment (for S3: AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY) or its machine's role.",
        )
    if store.startswith("~"):
        raise InputError(
            f"{origin} is {store}, and no shell on the head expands the ~",
            "Name the folder by its absolute path on the head, or relative to ~/tcray-work.",
        )
    return store


def _list_store_words() -> list[str]:
    store = _read_store_option()
    return [] if store is None else ["--store", store]


def _print_commands(submission: Submission) -> None:
    """Print that the sweep runs, and the commands that follow it, stop it, and show its results on this machine."""
    sweep, fetch = submission.sweep_id, _format_fetch(submission)
    on_head = [*_list_store_words(), "--cluster", submission.head.cluster]
    local_store = STORE if fetch else submission.store
    named = ["--store", local_store] if not fetch or os.environ.get(STORE_VARIABLE) else []
    commands = {
        "watch": format_command("tcray", "status", sweep, "--follow", *on_head),
        "stop": format_command("tcray", "stop", sweep, *on_head),
        "fetch": fetch,
        "results": format_command("tcray", "results", sweep, *named),
    }
    click.echo(f"sweep {sweep} runs on {submission.head} and does not depend on this machine", err=True)
    for name, line in commands.items():
        if line:
            click.echo(f"  {name:<8}{line}", err=True)


def _format_fetch(submission: Submission) -> str:
    """Return the command that copies the store to this machine; empty for a bucket, which needs no copy."""
    from tcray.cluster.head import WORK_FOLDER

    store = submission.store.removeprefix("file://")
    if "://" in store:
        return ""
    folder = store if store.startswith("/") else f"{WORK_FOLDER}/{store}"
    return format_command("ray", "rsync-down", submission.head.cluster, f"{folder.rstrip('/')}/", STORE)
