"""`tcray trials`: every run of a sweep, as a table, CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
from pyarrow import parquet

from tcray.cli.resolve_sweep import store_option, which
from tcray.errors import InputError
from tcray.results.display.labels import format_count, format_dataset_short
from tcray.results.output.terminal.table import Column, fitting, plain, width_of
from tcray.store.finite import finite
from tcray.store.store import Store
from tcray.store.trials import Trials, as_table
from tcray.store.where import where


@click.command("trials")
@click.argument("sweep")
@store_option
@click.option("--where", "expression", metavar="EXPR", help='Only these runs, as: rank == 4 and state == "COMPLETE"')
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", "parquet"]), default="table", show_default=True
)
@click.option("-o", "--output", metavar="FILE", help="Write to a file, not to stdout.")
def command(sweep: str, store: str, expression: str | None, form: str, output: str | None) -> None:
    """List the runs of a sweep: SWEEP is an id, the beginning of one, a name, or a sweep file."""
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise InputError("parquet is not for reading in a terminal", "Name a file with -o.")
    asked = which(Store.open(store), sweep)
    trials = Trials.of(asked)
    if expression is not None and trials.records:
        wanted = where(expression, trials.names)
        trials = replace(trials, records=[run for run in trials.records if wanted(run)])
    if form == "json":
        content = as_json(trials).encode()
    elif form == "csv":
        content = as_csv(trials).encode()
    elif form == "parquet":
        content = as_parquet(trials)
    else:
        content = as_text(trials, asked.read_manifest(), shutil.get_terminal_size().columns).encode()
    deliver(content, output)


def as_json(trials: Trials) -> str:
    """A list, an object a line."""
    lines = (json.dumps(finite(run), ensure_ascii=False, allow_nan=False) for run in trials.records)
    return "[\n" + ",\n".join(lines) + "\n]\n" if trials.records else "[]\n"


def as_csv(trials: Trials) -> str:
    """A header and a line a run; what does not apply or is no number is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, trials.names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(finite(run) for run in trials.records)
    return text.getvalue()


def as_parquet(trials: Trials) -> bytes:
    """A Parquet file with a column a name."""
    sink = pa.BufferOutputStream()
    parquet.write_table(as_table(trials.records, trials.names), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def as_text(trials: Trials, manifest: Mapping[str, Any], width: int) -> str:
    """As many columns as `width` holds, of those that tell the runs apart; first what the sweep asks about."""
    runs = trials.records
    if not runs:
        return "no run\n"
    columns = [
        Column.of("dataset", [format_dataset_short(run["dataset"], run["source"]) for run in runs]),
        Column.of("state", [f"{run['state']}: {run['reason']}" if run["reason"] else run["state"] for run in runs]),
        *(Column.of(name, [run[name] for run in runs]) for name in by_interest(trials, manifest)),
    ]
    shown = fitting(columns, width, taken=width_of)
    hidden = len(columns) - len(shown)
    more = f", {hidden} more columns in a wider terminal or with --format csv" if hidden else ""
    return f"{plain(shown)}\n{format_count(len(runs), 'run')}{more}\n"


def by_interest(trials: Trials, manifest: Mapping[str, Any]) -> list[str]:
    """The columns that tell runs of a dataset apart: factors, objective, metrics that bear verdicts, then others."""
    factors = [name for name, _ in manifest["sweep"]["factors"]]
    primary = [f"test.{card['primary_metric']}" for card in manifest["cards"]]
    order = [
        *factors,
        manifest["objective"],
        *primary,
        *trials.hyperparameters,
        *("trial", "repeat", "seed", "phase", "epochs", "seconds", "run_id"),
        *trials.metrics,
    ]
    known = set(trials.names)
    return [name for name in dict.fromkeys(order) if name in known and _tells_apart(name, trials.records)]


def deliver(content: bytes, output: str | None) -> None:
    """Writes to the file `output`, or to stdout where none is named. Raises `InputError` for a file that cannot be."""
    if output is None:
        click.echo(content, nl=False)
        return
    try:
        Path(output).write_bytes(content)
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}", "Name another file with -o.") from error


def _tells_apart(name: str, runs: Sequence[Mapping[str, Any]]) -> bool:
    of_dataset: dict[str, Any] = {}
    return any(of_dataset.setdefault(run["dataset"], finite(run[name])) != finite(run[name]) for run in runs)
