"""`--cluster FILE`: a command said on the head of a cluster instead of here."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import click
from click.core import ParameterSource

from tcray.cli.resolve_sweep import STORE, STORE_VARIABLE
from tcray.errors import InputError

if TYPE_CHECKING:
    from tcray.cluster.submission import Submission
    from tcray.search.plan import Plan

cluster_option = click.option(
    "--cluster", metavar="FILE", help="Do it on the head of the cluster that `ray up FILE` has brought up."
)
"""The option of every command that may be said there."""


def say_there(cluster: str, command: str, sweep: str | None, *options: str) -> NoReturn:
    """Says a command on the head; what it prints there is printed here, and it ends as it ends there.

    Raises InputError where it cannot be said there.
    """
    from tcray.cluster.head import Head

    if sweep is not None and sweep.endswith((".yaml", ".yml")):
        raise InputError(
            f"with --cluster a sweep is named by its id or its name, and {sweep} is a file",
            f"The sweeps that were run there: tcray status --cluster {shlex.quote(cluster)}",
        )
    words = [*([] if sweep is None else [sweep]), *options, *_store_words()]
    head = Head.of(cluster)
    if other := head.greet().other_version:
        click.echo(f"note: {other}", err=True)
    click.get_current_context().exit(head.say("python3", "-m", "tcray", command, *words))


def run_there(
    planned: Plan, file: str, overrides: Sequence[str], cluster: str, *, fresh: bool, detach: bool
) -> NoReturn:
    """Has the sweep of a file run on a cluster, and follows it to its end, or to its beginning; ends as it ends.

    Raises InputError or SweepError where nothing was started there.
    """
    from tcray.cluster.check import expect_sound
    from tcray.cluster.cluster_file import load_cluster_file
    from tcray.cluster.head import Head
    from tcray.cluster.submission import submit

    said, described = _store_said(), load_cluster_file(cluster)
    expect_sound(described)
    described.expect_filled()
    head = Head.of(cluster)
    greeting = head.greet()
    if greeting.other_version:
        raise InputError(greeting.other_version, "The version has to be the same: install one of them on both.")
    store = said or _sayable(greeting.store, f"{STORE_VARIABLE} of {head}") or STORE
    submission = submit(head, file, overrides, planned, store=store, fresh=fresh)
    _tell(submission)
    if detach:
        ended = submission.follow_beginning()
    else:
        ended = submission.follow(lambda line: click.echo(line, err=True))
        if ended == 0 and (fetch := _fetch(submission)):
            click.echo(f"To have it on this machine: {fetch}", err=True)
    click.get_current_context().exit(ended)


def _store_said() -> str | None:
    """The store that the command line names; the environment names this machine's, and the head has its own."""
    context = click.get_current_context()
    said = context.get_parameter_source("store") is ParameterSource.COMMANDLINE
    return _sayable(str(context.params["store"]), "--store") if said else None


def _sayable(store: str, whose: str) -> str:
    """The store; raises InputError where it cannot be said on the head as it is."""
    if re.match(r"[^/]*://[^/@]*:[^/@]*@", store):
        raise InputError(
            f"{whose} has credentials in it, which whoever sees the head's processes and jobs would read",
            "Leave them out: the head takes them from its environment (for S3: AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY) or its machine's role.",
        )
    if store.startswith("~"):
        raise InputError(
            f"{whose} is {store}, and no shell of the head says whose home that is",
            "Name the folder as the head knows it: by its whole path, or from ~/tcray-work on.",
        )
    return store


def _store_words() -> list[str]:
    store = _store_said()
    return [] if store is None else ["--store", store]


def _tell(submission: Submission) -> None:
    """Says that the sweep runs, and the commands that watch it, stop it, and show its results on this machine."""
    sweep, fetch = submission.sweep_id, _fetch(submission)
    there = shlex.join([*_store_words(), "--cluster", submission.head.cluster])
    near = STORE if fetch else submission.store
    named = ["--store", near] if not fetch or os.environ.get(STORE_VARIABLE) else []
    lines = {
        "watch": f"tcray status {sweep} --follow {there}",
        "stop": f"tcray stop {sweep} {there}",
        "fetch": fetch,
        "results": shlex.join(["tcray", "results", sweep, *named]),
    }
    click.echo(f"sweep {sweep} runs on {submission.head}, whatever becomes of this machine", err=True)
    for name, line in lines.items():
        if line:
            click.echo(f"  {name:<8}{line}", err=True)


def _fetch(submission: Submission) -> str:
    """The command that brings the store to this machine; empty where it is a bucket, which is as near from here."""
    from tcray.cluster.head import WORK

    store = submission.store.removeprefix("file://")
    if "://" in store:
        return ""
    folder = store if store.startswith("/") else f"{WORK}/{store}"
    return shlex.join(["ray", "rsync-down", submission.head.cluster, f"{folder.rstrip('/')}/", STORE])
