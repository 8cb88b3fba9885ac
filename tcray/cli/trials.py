"""`tcray trials`: the runs of a sweep as a table, CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
import pyarrow as pa
from pyarrow import parquet

from tcray.cli.completion import complete_columns
from tcray.cli.output_files import write_file
from tcray.cli.resolve_sweep import resolve_sweep, store_option, sweep_argument
from tcray.config.messages import suggest_names
from tcray.config.metrics import METRICS
from tcray.errors import InputError
from tcray.results.display.labels import format_count, format_dataset_short
from tcray.results.output.terminal.table import Column, fit_columns, plain, width_of
from tcray.store.json_values import to_json_value
from tcray.store.run_filter import parse_filter
from tcray.store.store import Store
from tcray.store.trials import Record, Trials, to_table

BEST = 20
"""Rows of a table unless --limit or --all is given."""


@click.command("trials")
@sweep_argument
@store_option
@click.option("--where", "expression", metavar="EXPR", help='Only these runs, as in: rank == 4 and state == "COMPLETE"')
@click.option(
    "--sort",
    metavar="COLUMN",
    shell_complete=complete_columns,
    help="Sort by COLUMN, smallest first; by -COLUMN, largest first.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help=f"Show N runs; default of a table: {BEST}.")
@click.option("--all", "all_", is_flag=True, help="Show every run.")
@click.option("--columns", metavar="A,B,…", shell_complete=complete_columns, help="Show these columns, in this order.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
    help="Formats other than table contain every run and column unless options select some.",
)
@click.option("-o", "--output", metavar="FILE", help="Write to a file instead of stdout.")
def command(
    sweep: str,
    store: str,
    expression: str | None,
    sort: str | None,
    limit: int | None,
    columns: str | None,
    format_: str,
    output: str | None,
    *,
    all_: bool,
) -> None:
    """List the best runs of SWEEP: an id, the beginning of one, a name, or a sweep file.

    A table shows the best complete runs of every dataset by the sweep's objective on validation.
    """
    if format_ == "parquet" and output is None and sys.stdout.isatty():
        raise InputError("parquet is not readable in a terminal", "Name a file with -o.")
    if all_ and limit is not None:
        raise InputError("--all and --limit exclude each other", "Pass one of them.")
    stored = resolve_sweep(Store.open(store), sweep)
    trials = Trials.read(stored)
    runs, names = list(trials.records), trials.names
    if expression is not None and runs:
        runs = [*filter(parse_filter(expression, names), runs)]
    chosen = None if columns is None else [check_column(name.strip(), names) for name in columns.split(",")]
    if sort is not None:
        runs = sort_runs(runs, check_column(sort.removeprefix("-"), names), descending=sort.startswith("-"))
    if format_ == "table":
        selection = Selection(
            trials, runs, stored.read_manifest(), sort=sort, limit=None if all_ else limit or BEST, columns=chosen
        )
        content = selection.format_table(shutil.get_terminal_size().columns).encode()
    else:
        write = {"json": to_json, "csv": to_csv, "parquet": to_parquet}[format_]
        content = write(runs[:limit], chosen or names)
    if output is None:
        click.echo(content, nl=False)
    else:
        write_file(output, content)


def check_column(name: str, names: Sequence[str]) -> str:
    """Return `name`.

    Raises:
        InputError: if there is no such column; the message names the nearest one.
    """
    if name not in names:
        raise InputError(f'there is no column "{name}"; {suggest_names(name, names)}')
    return name


def sort_runs(runs: Sequence[Record], name: str, *, descending: bool) -> list[Record]:
    """Return the runs sorted by a column; runs without a value there come last, and ties keep their order."""
    known = [run for run in runs if _is_defined(run[name])]
    missing = [run for run in runs if not _is_defined(run[name])]
    return [*sorted(known, key=lambda run: run[name], reverse=descending), *missing]


def to_json(runs: Sequence[Record], names: Sequence[str]) -> bytes:
    """Return a JSON list with one object per line."""
    lines = (
        json.dumps(to_json_value({name: run[name] for name in names}), ensure_ascii=False, allow_nan=False)
        for run in runs
    )
    return ("[\n" + ",\n".join(lines) + "\n]\n" if runs else "[]\n").encode()


def to_csv(runs: Sequence[Record], names: Sequence[str]) -> bytes:
    """Return a header and one line per run; values that do not apply or are not numbers are empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(to_json_value(run) for run in runs)
    return text.getvalue().encode()


def to_parquet(runs: Sequence[Record], names: Sequence[str]) -> bytes:
    """Return a Parquet file with one row per run."""
    sink = pa.BufferOutputStream()
    parquet.write_table(to_table(runs, names), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


@dataclass(frozen=True)
class Selection:
    """The runs that a table shows.

    sort      the column that `runs` are sorted by, with - for descending; None for the best of each dataset
    limit     largest number of rows (of each dataset if `sort` is None); None for all
    columns   the columns to show; None for those that distinguish the runs, as many as fit
    """

    trials: Trials
    runs: Sequence[Record]
    manifest: Mapping[str, Any]
    sort: str | None
    limit: int | None
    columns: Sequence[str] | None

    @property
    def objective(self) -> str:
        """The metric that the sweep's search optimizes."""
        return str(self.manifest["objective"])

    def format_table(self, width: int) -> str:
        """Return the table, as many columns as fit into `width` characters, and a line on what it leaves out."""
        if not self.runs:
            return "no run\n"
        shown = self._select_best() if self.sort is None else self.runs[: self.limit]
        if self.columns is not None:
            columns = [_make_column(name, shown) for name in self.columns]
            hidden = 0
        else:
            candidates = self._make_columns(shown)
            columns = fit_columns(candidates, width, measure=width_of)
            hidden = len(candidates) - len(columns)
        return f"{plain(columns)}\n{self._describe_rest(len(shown), hidden)}\n"

    def _select_best(self) -> list[Record]:
        """Return the runs of one dataset after the other, complete ones first, best objective first."""
        maximize = METRICS[self.objective.removeprefix("valid.")].maximize
        by_dataset: dict[tuple[str, str], list[Record]] = {}
        for run in self.runs:
            by_dataset.setdefault((run["dataset"], run["source"]), []).append(run)
        best: list[Record] = []
        for runs in by_dataset.values():
            ordered = sort_runs(runs, self.objective, descending=maximize) if self.objective in runs[0] else runs
            best += sorted(ordered, key=lambda run: run["state"] != "COMPLETE")[: self.limit]
        return best

    def _make_columns(self, shown: Sequence[Record]) -> list[Column]:
        state = []
        if any(run["state"] != "COMPLETE" for run in shown):
            texts = [f"{run['state']}: {run['reason']}" if run["reason"] else run["state"] for run in shown]
            state = [Column.of("state", texts)]
        names = [_make_column(name, shown) for name in self._order_columns(shown)]
        return [_make_column("dataset", shown), *state, *names]

    def _order_columns(self, shown: Sequence[Record]) -> list[str]:
        """Return the columns that distinguish runs of a dataset, most interesting first."""
        sweep = self.manifest["sweep"]
        key = self.objective if self.sort is None else self.sort.removeprefix("-")
        order = [
            key,
            *(name for name, _ in sweep.get("tune", ())),
            *(name for name, _ in sweep["factors"]),
            self.objective,
            *(f"test.{card['primary_metric']}" for card in self.manifest["cards"]),
            *self.trials.hyperparameters,
            *("trial", "repeat", "seed", "phase", "epochs", "seconds", "run_id"),
            *self.trials.metrics,
        ]
        known = {*self.trials.names} - {"dataset", "state", "reason"}
        return [name for name in dict.fromkeys(order) if name in known and _distinguishes(name, shown)]

    def _describe_rest(self, rows: int, hidden: int) -> str:
        total = len(self.runs)
        if rows == total:
            count = format_count(total, "run")
        else:
            order = f"the best by {self.objective}" if self.sort is None else f"the first by {self.sort}"
            count = f"{rows:,} of {format_count(total, 'run')}, {order}; --all shows every run"
        more = f"; {format_count(hidden, 'more column')} in a wider terminal, with --columns or with --format csv"
        return count + (more if hidden else "")


def _make_column(name: str, runs: Sequence[Record]) -> Column:
    if name == "dataset":
        return Column.of(name, [format_dataset_short(run["dataset"], run["source"]) for run in runs])
    return Column.of(name, [run[name] for run in runs])


def _distinguishes(name: str, runs: Sequence[Mapping[str, Any]]) -> bool:
    """True if two runs of one dataset differ in the column `name`."""
    first: dict[str, Any] = {}
    return any(first.setdefault(run["dataset"], to_json_value(run[name])) != to_json_value(run[name]) for run in runs)


def _is_defined(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))
