"""Robustness as a table: each cell's metric clean, and its mean over the severities of every corruption."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from tcray.cli.components import place
from tcray.cli.tables import Column, lines
from tcray.results.views.labels import metric_label, number_label, stratum_label

if TYPE_CHECKING:
    from tcray.results.analyses.robustness import Robustness

CLEAN = "clean"
UNORDERED = "missing"
"""The corruption that has no severities, and so no mean over them."""


def show_robustness(curves: Sequence[Robustness], *, console: Console | None = None) -> None:
    """Prints a table a dataset, with as many corruptions as fit; nothing where no cell was corrupted."""
    console = console or Console()
    for dataset, source, metric in dict.fromkeys((curve.dataset, curve.source, curve.metric) for curve in curves):
        cells = _by_cell([curve for curve in curves if (curve.dataset, curve.source) == (dataset, source)])
        console.print(Text(f"{place(dataset, source, {})}: {metric_label(metric)}", "bold"))
        for line in _fitting(cells, console.width):
            console.print(Text(line), soft_wrap=True)
        console.print()


def _by_cell(curves: Sequence[Robustness]) -> Mapping[str, Mapping[str, float | None]]:
    """Of each cell the clean value, and the mean under each corruption."""
    cells: dict[str, dict[str, float | None]] = {}
    for curve in sorted(curves, key=lambda curve: [_order(level) for level in curve.stratum.values()]):
        cell = cells.setdefault(stratum_label(curve.stratum), {CLEAN: curve.values[0].mean})
        if curve.corruption != UNORDERED:
            cell[curve.corruption] = curve.area.mean
    return cells


def _order(level: object) -> tuple[float, str]:
    """Numbers by size, then names."""
    return (float(level), "") if isinstance(level, int | float) else (math.inf, str(level))


def _fitting(cells: Mapping[str, Mapping[str, float | None]], width: int) -> list[str]:
    """The table, without the last corruptions that `width` has no room for."""
    columns = [Column(("cell",), tuple(cell or "all" for cell in cells), right=False)]
    names = list(dict.fromkeys(name for values in cells.values() for name in values))
    kinds = list(dict.fromkeys(name.partition(":")[0] for name in names))
    for name in sorted(names, key=lambda name: kinds.index(name.partition(":")[0])):
        texts = tuple(number_label(values[name]) if name in values else "" for values in cells.values())
        column = Column(tuple(name.split(":")), texts)
        if max(map(len, lines([*columns, column], 0))) <= width:
            columns.append(column)
    return lines(columns, 0)
