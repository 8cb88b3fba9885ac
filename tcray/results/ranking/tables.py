"""The ranking as tables of the report: the cells of a dataset above the reference rows that they have to beat."""

from __future__ import annotations

from tcray.results.display.labels import (
    NONE,
    format_dataset,
    format_estimate,
    format_metric,
    format_number,
    format_runs,
)
from tcray.results.display.table import Cell, Table, heads, name, words
from tcray.results.ranking.analysis import TRAIN_LOSS, DatasetTable, format_cell_value
from tcray.statistics.estimate import Estimate

UNTOLD = Estimate(None)


def ranked(table: DatasetTable) -> Table:
    """A row a cell, best first by the objective, then the reference rows."""
    counted = {"repeat": ["repeats × seeds"], "seed": ["seeds"], "trial": []}[table.unit]
    ended = [state for state in ("failed", "pruned") if any(getattr(row, state) for row in table.rows)]
    levels = table.levels or ("cell",)
    first, *others = table.metrics
    metrics = [first, table.objective, *others, TRAIN_LOSS]
    head = heads(levels, [*counted, *map(format_metric, metrics), *ended])
    rows = tuple(
        (
            *([name(format_cell_value(row.levels[level])) for level in table.levels] or [name(row.name)]),
            *(Cell(format_runs(row, table.unit)) for _ in counted),
            *(Cell(format_estimate(row.values.get(metric, UNTOLD))) for metric in metrics),
            *(Cell(str(getattr(row, state) or NONE)) for state in ended),
        )
        for row in table.rows
    )
    lower = tuple(
        (
            name(row.name),
            *[words("")] * (len(levels) - 1 + len(counted)),
            *(Cell(format_number(row.values.get(metric, UNTOLD).mean)) for metric in metrics),
            *[Cell(NONE)] * len(ended),
        )
        for row in table.baselines
    )
    where = format_dataset(table.dataset, table.source)
    best = "best trials first" if table.unit == "trial" else "best first"
    return Table(f"{where}: {best} by {format_metric(table.objective)}", (head,), rows, lower, " ".join(table.notes))
