"""`tcray schema`: JSON Schema of the sweep file, or of the file that `tcray results --json` writes."""

from __future__ import annotations

import json

import click

from tcray.config.schema import to_json_schema


@click.command("schema")
@click.option("--results", is_flag=True, help="Print the schema of the file that `tcray results --json` writes.")
def command(results: bool) -> None:
    """Print the JSON Schema of the sweep file, with every key, its meaning and its default."""
    click.echo(json.dumps(_build_results_schema() if results else to_json_schema(), indent=2, ensure_ascii=False))


def _build_results_schema() -> dict[str, object]:
    from tcray.results.output.document import build_results_schema

    return build_results_schema()
