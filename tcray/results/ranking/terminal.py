"""A sweep's ranking: a table a dataset, cells above the reference rows."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Literal

from rich.console import Console

from tcray.results.display.labels import format_dataset_short, format_metric, format_number, format_runs
from tcray.results.output.terminal.prose import print_table, print_wrapped
from tcray.results.output.terminal.table import Column, fitting, ruled, width_of
from tcray.results.ranking.analysis import TRAIN_LOSS, DatasetTable, Ranking, format_cell_value
from tcray.statistics.estimate import Estimate

LONG = 8
"""The name of a hyperparameter is broken where it is longer, and can be."""


def show_ranking(ranking: Ranking, console: Console) -> None:
    """Prints the tables of a sweep, how to read them and, where columns had to go, the width that has room for all."""
    for table in ranking.tables:
        lines = ruled(columns_of(table, console.width), len(table.baselines))
        print_table(console, lines, format_dataset_short(table.dataset, table.source), table.notes)
    for note in (ranking.caption, *ranking.notes):
        print_wrapped(console, note)
    widest = max((width_of(columns_of(table, math.inf)) for table in ranking.tables), default=0)
    if widest > console.width:
        print_wrapped(console, f"Columns that do not fit are left out; in a terminal of {widest} characters all do.")


def columns_of(table: DatasetTable, width: float) -> list[Column]:
    """The columns of a table that fit in `width` characters; what names a row is among them however narrow that is."""
    named, counted = _named(table), _counted(table)
    first, *others = (_tested(table, metric) for metric in table.metrics)
    losses = [_mean(table, metric) for metric in (table.objective, TRAIN_LOSS)]
    failed, pruned = _ended("failed", table), _ended("pruned", table)
    by_interest = [named, *counted, first, *losses, *failed, *others[:1], *pruned, *others[1:]]
    kept = fitting(by_interest, width, taken=width_of)
    return [column for column in (named, *counted, first, *others, *losses, *failed, *pruned) if column in kept]


def _named(table: DatasetTable) -> Column:
    """What tells the rows apart, a column a hyperparameter, in one block that the name of a reference row may span."""
    baselines = [row.name for row in table.baselines]
    if not table.levels:
        return Column(("cell",), (*(row.name for row in table.rows), *baselines), right=False)
    columns = [
        Column(
            header=_broken(level),
            texts=tuple(format_cell_value(row.levels[level]) for row in table.rows),
            right=not any(isinstance(row.levels[level], str) for row in table.rows),
        )
        for level in table.levels
    ]
    block = Column.block(columns)
    return replace(block, texts=(*block.texts, *baselines))


def _counted(table: DatasetTable) -> list[Column]:
    """How many searches and confirm runs an estimate rests on."""
    if table.unit == "trial":
        return []
    counts = (format_runs(row, table.unit) for row in table.rows)
    header = ("repeats", "× seeds") if table.unit == "repeat" else ("seeds",)
    return [Column(header, (*counts, *[""] * len(table.baselines)))]


def _tested(table: DatasetTable, metric: str) -> Column:
    """A test metric, with half its interval where there is one or could be."""
    means = _mean(table, metric)
    if table.unit == "trial":
        return means
    halves = [_half(row.values[metric]) for row in table.rows] + [""] * len(table.baselines)
    longest = max(map(len, means.texts), default=0)
    texts = tuple(mean.rjust(longest) + half for mean, half in zip(means.texts, halves, strict=True))
    return Column(means.header, texts, right=False)


def _mean(table: DatasetTable, metric: str) -> Column:
    """A metric without its interval; nothing for a reference row that does not have it."""
    rows = (*table.rows, *table.baselines)
    texts = (format_number(row.values[metric].mean) if metric in row.values else "" for row in rows)
    return Column(_header(metric), tuple(texts))


def _ended(state: Literal["failed", "pruned"], table: DatasetTable) -> list[Column]:
    """How many runs of each row ended so, unless none did."""
    counts = [getattr(row, state) for row in table.rows]
    if not any(counts):
        return []
    return [Column((state,), (*(str(count or "") for count in counts), *[""] * len(table.baselines)))]


def _half(estimate: Estimate) -> str:
    return "" if estimate.mean is None else f" ± {format_number(estimate.half_width)}"


def _header(metric: str) -> tuple[str, ...]:
    """`test.acc2` as `test acc-2` above `(≥ 0)`, `train.loss` as `train` above `loss`."""
    split, _, name = metric.partition(".")
    label, bracket, reading = format_metric(name).partition(" (")
    return (f"{split} {label}", f"({reading}") if bracket else (split, label)


def _broken(name: str) -> tuple[str, ...]:
    """A hyperparameter's name, broken after `_` and `.` into lines where it is long."""
    broken: list[str] = []
    for part in re.findall(r"[^_.]+[_.]?", name):
        if broken and len(broken[-1] + part) <= LONG:
            broken[-1] += part
        else:
            broken.append(part)
    return tuple(broken)
