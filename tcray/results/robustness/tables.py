"""Tables of robustness: relative and effective, for each cell under each corruption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tcray.results.display.grouping import group_by
from tcray.results.display.labels import (
    MISSING,
    format_change,
    format_dataset,
    format_estimate,
    format_metric,
    format_stratum,
)
from tcray.results.display.table import ALWAYS, ColumnSpec, Table, TableRow
from tcray.results.robustness.analysis import Robustness
from tcray.results.robustness.figure import format_corruption
from tcray.results.robustness.panels import TOPIC
from tcray.statistics.estimate import Estimate

CELL = ColumnSpec("cell", "name", ALWAYS)


def build_robustness_tables(parts: Sequence[Robustness]) -> Iterator[Table]:
    """Yield up to two tables per dataset: relative robustness beside the clean metric, and effective robustness."""
    known = (part for part in parts if part.severities and part.n_units)
    for (dataset, source), own in group_by(known, lambda part: (part.dataset, part.source)).items():
        families = group_by(dict.fromkeys(part.corruption for part in own), lambda name: name.partition(":")[0])
        corruptions = [corruption for family in families.values() for corruption in family]
        columns = tuple(
            ColumnSpec(format_corruption(name).replace(" on ", "\non "), priority=place, brief=True)
            for place, name in enumerate(corruptions, 2)
        )
        by_cell = group_by(own, lambda part: format_stratum(part.stratum) or "the only cell")
        cells = {cell: {part.corruption: part for part in parts} for cell, parts in by_cell.items()}
        place, metric = format_dataset(dataset, source), format_metric(own[0].metric)
        yield Table(
            f"{place}: relative robustness, the mean of {metric} over severities",
            (CELL, ColumnSpec("clean", brief=True), *columns),
            tuple(
                TableRow((cell, format_estimate(_clean(own)), *(_format_area(own.get(c)) for c in corruptions)))
                for cell, own in cells.items()
            ),
            topic=TOPIC,
            dataset=dataset,
        )
        rows = tuple(
            TableRow((cell, *(_format_effective(own.get(c)) for c in corruptions)))
            for cell, own in cells.items()
            if any(part.effective is not None for part in own.values())
        )
        if rows:
            title = f"{place}: effective robustness against the same cell without conditioning"
            yield Table(title, (CELL, *columns), rows, topic=TOPIC, dataset=dataset)


def _clean(by_corruption: Mapping[str, Robustness]) -> Estimate | None:
    """Return the metric of a cell on clean inputs."""
    part = next(iter(by_corruption.values()))
    return part.values[0] if part.values else None


def _format_area(part: Robustness | None) -> str:
    return format_estimate(part.area) if part else MISSING


def _format_effective(part: Robustness | None) -> str:
    return format_change(part.effective) if part else MISSING
