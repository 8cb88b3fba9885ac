"""`tcray schema`: the JSON Schema of the sweep file."""

from __future__ import annotations

import json

import click

from tcray.spec.schema import json_schema


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the sweep file, for editors."""
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
