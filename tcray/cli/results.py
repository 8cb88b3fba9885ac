"""`tcray results`: verdicts and tables of a sweep in the terminal, as an HTML report and as JSON."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from tcray.cli.output_files import check_writable, write_file
from tcray.cli.progress import announce_if_slow
from tcray.cli.resolve_sweep import resolve_sweep, store_option, sweep_argument
from tcray.store.store import Store


@click.command("results")
@sweep_argument
@store_option
@click.option("--html", metavar="FILE", help="Also write the report: a single file with every figure.")
@click.option("--json", "json_", metavar="FILE", help="Also write every finding and number as JSON.")
@click.option(
    "--open", "open_", is_flag=True, help="Open the report in the browser; --html is SWEEP-ID.html if omitted."
)
def command(sweep: str, store: str, html: str | None, json_: str | None, *, open_: bool) -> None:
    """Print verdicts and tables of SWEEP: an id, the beginning of one, a name, or a sweep file."""
    stored = resolve_sweep(Store.open(store), sweep)
    if open_ and html is None:
        html = f"{stored.sweep_id}.html"
    for file in filter(None, (html, json_)):
        check_writable(file)

    from rich.console import Console

    from tcray.cli.cached_analysis import load_or_analyze
    from tcray.results.output.terminal.results import print_results

    with announce_if_slow(f"analyzing the runs of {stored.sweep_id}"):
        results = load_or_analyze(stored)
    if html:
        from tcray.results.output.html import render_report

        with announce_if_slow("drawing the figures of the report"):
            content = render_report(results)
        _write(html, content)
    if json_:
        from tcray.results.output.document import build_document, format_document

        _write(json_, format_document(build_document(results)))
    print_results(results, Console())
    if open_ and html and not webbrowser.open(Path(html).resolve().as_uri()):
        click.echo(f"no browser was found; open {html} in one", err=True)


def _write(file: str, content: str) -> None:
    write_file(file, content.encode())
    click.echo(f"{file} is written", err=True)
