"""Tables of the search phase: what mattered, and how far it flattered itself."""

from __future__ import annotations

from collections.abc import Iterator

from tcray.results.analysis import Results
from tcray.results.display.labels import (
    NONE,
    change_label,
    dataset_label,
    metric_label,
    number_label,
    plural,
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
            f"{dataset_label(p.dataset, p.source)}: {p.n_trials:,} trials of {plural(p.n_cells, 'cell')}, "
            f"{p.n_censored:,} stopped later or diverged"
            for p in parts
        )
        head = heads(["tuned"], [dataset_label(part.dataset, part.source) for part in parts])
        caption = "Importance of the tuned hyperparameters, mean ± standard deviation between cells"
        yield searching.TOPIC, "", Table(caption, (head,), rows, note=f"{told}.")
    chosen = results.search.optimisms
    if chosen:
        rows = tuple(
            (
                name(dataset_label(part.dataset, part.source)),
                words(metric_label(part.objective)),
                Cell(change_label(part.optimism)),
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
    return number_label(part.importances[key]) + (f" ± {number_label(spread)}" if spread is not None else "")
