"""Tables of robustness: relative and effective, of each cell under each corruption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tcray.results.analysis import Results
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import (
    NONE,
    format_change,
    format_dataset,
    format_estimate,
    format_metric,
    format_stratum,
)
from tcray.results.display.table import Cell, Numbered, Table, heads, name
from tcray.results.robustness import panels as robustness
from tcray.results.robustness.analysis import Robustness
from tcray.results.robustness.figure import format_corruption
from tcray.statistics.estimate import Estimate


def robustness_tables(results: Results) -> Iterator[Numbered]:
    """Of every dataset: relative robustness of each cell under each corruption, with the clean metric."""
    known = (part for part in results.robustness if part.severities and part.n_units)
    for (dataset, source), parts in group_by(known, lambda part: (part.dataset, part.source)).items():
        corruptions = list(dict.fromkeys(part.corruption for part in parts))
        by_cell = group_by(parts, lambda part: format_stratum(part.stratum) or "the only cell")
        cells = {cell: {part.corruption: part for part in own} for cell, own in by_cell.items()}
        labels = list(map(format_corruption, corruptions))
        where, metric = format_dataset(dataset, source), format_metric(parts[0].metric)
        rows = tuple(
            (name(cell), Cell(format_estimate(_clean(by))), *(Cell(_area(by.get(c))) for c in corruptions))
            for cell, by in cells.items()
        )
        caption = f"{where}: relative robustness, the mean of {metric} over severities, ± half the 95 % interval"
        yield robustness.TOPIC, dataset, Table(caption, (heads(["cell"], ["clean", *labels]),), rows)
        if any(part.effective is not None for part in parts):
            rows = tuple(
                (name(cell), *(Cell(_effective(by.get(c))) for c in corruptions))
                for cell, by in cells.items()
                if any(part.effective is not None for part in by.values())
            )
            caption = (
                f"{where}: effective robustness against the same cell without conditioning, ± half the 95 % interval"
            )
            yield robustness.TOPIC, dataset, Table(caption, (heads(["cell"], labels),), rows)


def _clean(by_corruption: Mapping[str, Robustness]) -> Estimate | None:
    part = next(iter(by_corruption.values()))
    return part.values[0] if part.values else None


def _area(part: Robustness | None) -> str:
    return format_estimate(part.area) if part else NONE


def _effective(part: Robustness | None) -> str:
    return format_change(part.effective) if part else NONE
