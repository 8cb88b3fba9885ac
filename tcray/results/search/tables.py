"""Tables of the search phase: the importance of each tuned hyperparameter, and the optimism of the selection."""

from __future__ import annotations

from collections.abc import Iterator

from tcray.results.display.labels import (
    MISSING,
    format_change,
    format_count,
    format_dataset,
    format_metric,
    format_number,
)
from tcray.results.display.table import ALWAYS, ColumnSpec, Table, TableRow
from tcray.results.search.analysis import Importance, SearchAnalysis
from tcray.results.search.panels import TOPIC


def build_search_tables(search: SearchAnalysis) -> Iterator[Table]:
    """Yield the table of importances and the table of the selection's optimism, over all datasets."""
    if parts := search.importances:
        hyperparameters = list(dict.fromkeys(key for part in parts for key in part.importances))
        note = "; ".join(
            f"{format_dataset(p.dataset, p.source)}: {p.n_trials:,} trials of {format_count(p.n_cells, 'cell')}, "
            f"{p.n_censored:,} stopped later or diverged"
            for p in parts
        )
        yield Table(
            "Importance of the tuned hyperparameters, mean ± standard deviation between cells",
            (
                ColumnSpec("tuned", "name", ALWAYS),
                *(ColumnSpec(format_dataset(part.dataset, part.source)) for part in parts),
            ),
            tuple(TableRow((key, *(_format_importance(part, key) for part in parts))) for key in hyperparameters),
            (f"{note}.",),
            TOPIC,
        )
    if search.optimisms:
        yield Table(
            "Optimism of the selection: search minus confirm runs, above 0 if the search was too optimistic",
            (
                ColumnSpec("dataset", "name", ALWAYS),
                ColumnSpec("objective", "text"),
                *map(ColumnSpec, ("optimism", "repeats", "choices")),
            ),
            tuple(
                TableRow(
                    (
                        format_dataset(part.dataset, part.source),
                        format_metric(part.objective),
                        format_change(part.optimism),
                        str(part.n_units),
                        str(part.n_chosen),
                    )
                )
                for part in search.optimisms
            ),
            topic=TOPIC,
        )


def _format_importance(part: Importance, key: str) -> str:
    if key not in part.importances:
        return MISSING
    spread = part.spread.get(key)
    return format_number(part.importances[key]) + (f" ± {format_number(spread)}" if spread is not None else "")
