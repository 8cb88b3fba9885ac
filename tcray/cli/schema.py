"""`tcray schema`: the JSON Schema of the sweep file, or of what `tcray results --json` writes."""

from __future__ import annotations

import json

import click

from tcray.config.schema import to_json_schema


@click.command("schema")
@click.option("--results", is_flag=True, help="Of the file that `tcray results --json` writes.")
def command(results: bool) -> None:
    """Print the JSON Schema of the sweep file, for editors."""
    schema = _of_results() if results else to_json_schema()
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))


def _of_results() -> dict[str, object]:
    from tcray.results.output.document import build_results_schema

    return build_results_schema()
