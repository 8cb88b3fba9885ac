"""Tables over rank: effective rank, and what the shared prior changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tcray.results.analysis import Results
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import (
    NONE,
    format_change,
    format_count,
    format_dataset,
    format_estimate,
    format_metric,
    format_number,
    format_place,
    format_stratum,
)
from tcray.results.display.table import Cell, Numbered, Table, heads, name
from tcray.results.prior import panels as conditioning
from tcray.results.spectrum import panels as spectra
from tcray.statistics.estimate import Estimate


def spectrum_tables(results: Results) -> Iterator[Numbered]:
    """Of every dataset: effective rank by rank, a column a stratum."""
    complete = (part for part in results.spectra if len(part.effective_rank))
    for (dataset, source), parts in group_by(complete, lambda part: (part.dataset, part.source)).items():
        ranks = sorted({rank for part in parts for rank in part.ranks})
        columns = [_column(part.ranks, part.effective_rank) for part in parts]
        rows = tuple((name(str(rank)), *(Cell(column.get(rank, NONE)) for column in columns)) for rank in ranks)
        caption = (
            f"{format_dataset(dataset, source)}: effective rank, mean ± half the 95 % interval over {parts[0].unit}s"
        )
        labels = [format_stratum(part.stratum) or "effective rank" for part in parts]
        yield spectra.TOPIC, dataset, Table(caption, (heads(["rank"], labels),), rows)


def _column(levels: Sequence[Any], values: Any) -> dict[Any, str]:
    means = [Estimate.from_units([float(value) for value in column]) for column in np.asarray(values, np.float64).T]
    return dict(zip(levels, map(format_estimate, means), strict=True))


def prior_tables(results: Results) -> Iterator[Numbered]:
    """Of every dataset: jWAE − LMF by rank in each metric, and MMD² of both."""
    complete = (part for part in results.conditionings if len(part.differences))
    for where, parts in group_by(complete, format_place).items():
        first = parts[0]
        rows = tuple(
            (
                name(str(rank)),
                *(Cell(format_change(part.means[at])) for part in parts),
                Cell(format_number(first.mmd2_none[at])),
                Cell(format_number(first.mmd2_jwae[at])),
            )
            for at, rank in enumerate(first.ranks)
        )
        counted = format_count(len(first.differences), first.unit)
        caption = (
            f"{where}: jWAE − LMF by rank, mean ± half the 95 % interval over {counted}, and the manipulation check"
        )
        metrics = [f"jWAE − LMF, {format_metric(part.metric)}" for part in parts]
        head = heads(["rank"], [*metrics, "MMD², LMF", "MMD², jWAE"])
        yield conditioning.TOPIC, first.dataset, Table(caption, (head,), rows)
