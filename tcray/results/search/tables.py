"""Tables of the search phase: what mattered, and how far it flattered itself."""

from __future__ import annotations

from collections.abc import Iterator

from tcray.results.analysis import Results
from tcray.results.display.labels import (
    NONE,
    format_change,
    format_count,
    format_dataset,
    format_metric,
    format_number,
)
from tcray.results.display.table import Cell, Numbered, Table, heads, name, words
from tcray.results.search import panels as searching
from tcray.results.search.analysis import Importance


def search_tables(results: Results) -> Iterator[Numbered]:
    """What mattered, and how far the search flattered itself."""
    parts = results.search.importances
    if parts:
        hyperparameters = list(dict.fromkeys(key for part in parts for key in part.importances))
        rows = tuple((name(key), *(Cell(_importance(part, key)) for part in parts)) for key in hyperparameters)
        told = "; ".join(
            f"{format_dataset(p.dataset, p.source)}: {p.n_trials:,} trials of {format_count(p.n_cells, 'cell')}, "
            f"{p.n_censored:,} stopped later or diverged"
            for p in parts
        )
        head = heads(["tuned"], [format_dataset(part.dataset, part.source) for part in parts])
        caption = "Importance of the tuned hyperparameters, mean ± standard deviation between cells"
        yield searching.TOPIC, "", Table(caption, (head,), rows, note=f"{told}.")
    chosen = results.search.optimisms
    if chosen:
        rows = tuple(
            (
                name(format_dataset(part.dataset, part.source)),
                words(format_metric(part.objective)),
                Cell(format_change(part.optimism)),
                Cell(str(part.n_units)),
                Cell(str(part.n_chosen)),
            )
            for part in chosen
        )
        head = heads(["dataset", "objective"], ["optimism", "repeats", "choices"])
        caption = "Optimism of the selection: search less confirm runs, above 0 where the search flattered"
        yield searching.TOPIC, "", Table(caption, (head,), rows)


def _importance(part: Importance, key: str) -> str:
    if key not in part.importances:
        return NONE
    spread = part.spread.get(key)
    return format_number(part.importances[key]) + (f" ± {format_number(spread)}" if spread is not None else "")
