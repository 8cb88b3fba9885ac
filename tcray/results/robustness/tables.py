"""Tables of robustness: relative and effective, of each cell under each corruption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tcray.results.analysis import Results
from tcray.results.display.grouping import grouped
from tcray.results.display.labels import (
    NONE,
    change_label,
    dataset_label,
    estimate_label,
    metric_label,
    stratum_label,
)
from tcray.results.display.table import Cell, Numbered, Table, heads, name
from tcray.results.robustness import panels as robustness
from tcray.results.robustness.analysis import Robustness
from tcray.results.robustness.figure import corruption_label
from tcray.statistics.estimate import Estimate


def robustness_tables(results: Results) -> Iterator[Numbered]:
    """Of every dataset: relative robustness of each cell under each corruption, with the clean metric."""
    known = (part for part in results.robustness if part.severities and part.n_units)
    for (dataset, source), parts in grouped(known, lambda part: (part.dataset, part.source)).items():
        corruptions = list(dict.fromkeys(part.corruption for part in parts))
        by_cell = grouped(parts, lambda part: stratum_label(part.stratum) or "the only cell")
        cells = {cell: {part.corruption: part for part in own} for cell, own in by_cell.items()}
        labels = list(map(corruption_label, corruptions))
        where, metric = dataset_label(dataset, source), metric_label(parts[0].metric)
        rows = tuple(
            (name(cell), Cell(estimate_label(_clean(by))), *(Cell(_area(by.get(c))) for c in corruptions))
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
    return estimate_label(part.area) if part else NONE


def _effective(part: Robustness | None) -> str:
    return change_label(part.effective) if part else NONE
