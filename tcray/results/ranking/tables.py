"""The ranking as tables: the cells of a dataset, best first, above the baselines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tcray.claims.units import Unit
from tcray.results.display.labels import MISSING, format_dataset, format_estimate, format_metric, format_number
from tcray.results.display.table import ALWAYS, ColumnSpec, Table, TableRow
from tcray.results.ranking.analysis import TRAIN_LOSS, DatasetTable, Ranking, Row, format_cell_value
from tcray.statistics.estimate import Estimate

UNKNOWN = Estimate(None)


def build_ranking_tables(ranking: Ranking) -> Iterator[Table]:
    """Yield a table per dataset: one row per cell, best first by the objective, then the baselines."""
    for table in ranking.tables:
        names = [ColumnSpec(level, _level_kind(table, level), ALWAYS) for level in table.levels or ("cell",)]
        counts = {"repeat": ["repeats × seeds"], "seed": ["seeds"], "trial": []}[table.unit]
        metrics = [*table.metrics, table.objective, TRAIN_LOSS]
        states = [state for state in ("failed", "pruned") if any(getattr(row, state) for row in table.rows)]
        columns = (
            *names,
            *(ColumnSpec(count, priority=1) for count in counts),
            *(_metric_column(table, metric) for metric in metrics),
            *(ColumnSpec(state, priority={"failed": 4, "pruned": 6}[state]) for state in states),
        )
        rows = (
            TableRow(
                (
                    *([format_cell_value(row.levels[level]) for level in table.levels] or [row.name]),
                    *(format_runs(row, table.unit) for _ in counts),
                    *(format_estimate(row.values.get(metric, UNKNOWN)) for metric in metrics),
                    *(str(getattr(row, state) or MISSING) for state in states),
                )
            )
            for row in table.rows
        )
        baselines = (
            TableRow(
                (
                    row.name,
                    *[""] * (len(names) - 1 + len(counts)),
                    *(format_number(row.values.get(metric, UNKNOWN).mean) for metric in metrics),
                    *[""] * len(states),
                ),
                "baseline",
            )
            for row in table.baselines
        )
        best = "best trials first" if table.unit == "trial" else "best first"
        title = f"{format_dataset(table.dataset, table.source)}: {best} by {format_metric(table.objective)}"
        yield Table(title, columns, (*rows, *baselines), table.notes, "ranking", table.dataset)


def format_runs(row: Row, unit: Unit) -> str:
    """Return the runs behind a row: repeats × seeds, as `3 × 2`, or `3 × 1–2` if repeats differ in seeds."""
    few, many = row.seeds
    seeds = f"{few}" if few == many else f"{few}–{many}"
    return f"{row.repeats} × {seeds}" if unit == "repeat" else seeds


def _level_kind(table: DatasetTable, level: str) -> Any:
    return "number" if all(isinstance(row.levels.get(level, ""), int | float) for row in table.rows) else "name"


def _metric_column(table: DatasetTable, metric: str) -> ColumnSpec:
    """Return the column of a metric: the primary one has the first claim to room, then losses, then other metrics."""
    if metric not in table.metrics:
        return ColumnSpec(format_metric(metric), priority=3, brief=True)
    place = table.metrics.index(metric)
    return ColumnSpec(format_metric(metric), priority={0: 2, 1: 5}.get(place, 7))
