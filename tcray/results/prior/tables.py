"""The table of the shared prior's effects by rank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tcray.results.display.grouping import group_by
from tcray.results.display.labels import format_change, format_count, format_metric, format_number, format_place
from tcray.results.display.table import ALWAYS, ColumnSpec, Table, TableRow
from tcray.results.prior.analysis import Conditioning
from tcray.results.prior.panels import TOPIC


def build_prior_tables(conditionings: Sequence[Conditioning]) -> Iterator[Table]:
    """Yield a table per dataset and stratum: jWAE − LMF by rank in each metric, and MMD² of both."""
    complete = (part for part in conditionings if len(part.differences))
    for place, parts in group_by(complete, format_place).items():
        first = parts[0]
        counted = format_count(len(first.differences), first.unit)
        metrics = [f"jWAE − LMF, {format_metric(part.metric)}" for part in parts]
        yield Table(
            f"{place}: jWAE − LMF by rank, mean ± half the 95 % interval over {counted}, and the manipulation check",
            (ColumnSpec("rank", "name", ALWAYS), *map(ColumnSpec, [*metrics, "MMD², LMF", "MMD², jWAE"])),
            tuple(
                TableRow(
                    (
                        str(rank),
                        *(format_change(part.means[at]) for part in parts),
                        format_number(first.mmd2_none[at]),
                        format_number(first.mmd2_jwae[at]),
                    )
                )
                for at, rank in enumerate(first.ranks)
            ),
            topic=TOPIC,
            dataset=first.dataset,
        )
