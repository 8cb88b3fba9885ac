"""`tcray results`: what may be concluded from a sweep, in the terminal, as a report and as JSON."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

import click

from tcray.cli.resolve_sweep import store_option, which
from tcray.errors import InputError
from tcray.store.store import Store

ROBUSTNESS = "robustness"
"""The claim that describes, and so has no components with verdicts but a table of its own kind."""


@click.command("results")
@click.argument("sweep")
@store_option
@click.option("--html", metavar="FILE", help="Also write the report: one file, with every figure.")
@click.option("--json", "json_", metavar="FILE", help="Also write every finding and number, as JSON.")
def command(sweep: str, store: str, html: str | None, json_: str | None) -> None:
    """Show what may be concluded from SWEEP: an id, the beginning of one, a name, or a sweep file."""
    asked = which(Store.open(store), sweep)
    for file in filter(None, (html, json_)):
        check(file)

    from rich.console import Console

    from tcray.results.analysis import analyze
    from tcray.results.modalities.terminal import show_shares
    from tcray.results.output.terminal.components import print_components
    from tcray.results.output.terminal.verdicts import print_verdicts
    from tcray.results.rank.terminal import show_optima
    from tcray.results.ranking.terminal import show_ranking
    from tcray.results.robustness.terminal import show_robustness

    results = analyze(asked)
    if html:
        from tcray.results.output.html import report

        deliver(html, report(results))
    if json_:
        from tcray.results.output.document import build_document, format_document

        deliver(json_, format_document(build_document(results)))
    console = Console()
    print_verdicts(results, console)
    print_components(results, console)
    if ROBUSTNESS in results.sweep.claims:
        show_robustness(results.robustness, console)
    show_shares(results.contributions, console)
    show_optima(results.profiles, console)
    show_ranking(results.ranking, console)


def check(file: str) -> None:
    """Raises `InputError` where a file cannot be written for a reason that can be told beforehand."""
    path = Path(file)
    if path.is_dir():
        raise _unwritable(file, "it is a folder")
    if not path.parent.is_dir():
        raise _unwritable(file, f"there is no folder {path.parent}")


def deliver(file: str, content: str) -> None:
    """Writes a file wholly or not at all, and says so on stderr. Raises `InputError` where it cannot be written."""
    path = Path(file)
    target = path.resolve()  # a link stays one
    aside = target.parent / f".{target.name}.{secrets.token_hex(4)}"
    try:
        if path.exists() and not path.is_file():  # a pipe or a device is no file to put another in the place of
            path.write_text(content, "utf-8")
        else:
            aside.write_text(content, "utf-8")
            aside.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise _unwritable(file, str(error.strerror)) from error
    click.echo(f"{file} is written", err=True)


def _unwritable(file: str, reason: str) -> InputError:
    return InputError(f"{file} cannot be written: {reason}", "Name another file.")
