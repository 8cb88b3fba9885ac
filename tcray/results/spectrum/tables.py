"""The table of effective rank by rank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tcray.results.display.grouping import group_by
from tcray.results.display.labels import MISSING, format_dataset, format_estimate, format_stratum
from tcray.results.display.table import ALWAYS, ColumnSpec, Table, TableRow
from tcray.results.spectrum.analysis import Spectrum
from tcray.results.spectrum.panels import TOPIC
from tcray.statistics.estimate import Estimate


def build_spectrum_tables(spectra: Sequence[Spectrum]) -> Iterator[Table]:
    """Yield a table per dataset: effective rank by rank, one column per stratum."""
    complete = (part for part in spectra if len(part.effective_rank))
    for (dataset, source), parts in group_by(complete, lambda part: (part.dataset, part.source)).items():
        ranks = sorted({rank for part in parts for rank in part.ranks})
        columns = [_format_means(part.ranks, part.effective_rank) for part in parts]
        yield Table(
            f"{format_dataset(dataset, source)}: effective rank, mean ± half the 95 % interval over {parts[0].unit}s",
            (
                ColumnSpec("rank", "name", ALWAYS),
                *(ColumnSpec(format_stratum(part.stratum) or "effective rank") for part in parts),
            ),
            tuple(TableRow((str(rank), *(column.get(rank, MISSING) for column in columns))) for rank in ranks),
            topic=TOPIC,
            dataset=dataset,
        )


def _format_means(levels: Sequence[Any], values: Any) -> dict[Any, str]:
    """Return the mean over units by level; `values` are units × levels."""
    means = [Estimate.from_units([float(value) for value in column]) for column in np.asarray(values, np.float64).T]
    return dict(zip(levels, map(format_estimate, means), strict=True))
