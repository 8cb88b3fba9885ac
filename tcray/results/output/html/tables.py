"""The tables beside the plates: the numbers that the figures show."""

from __future__ import annotations

from collections.abc import Iterator

from tcray.results.analysis import Results
from tcray.results.display.table import Numbered
from tcray.results.modalities.tables import modality_tables
from tcray.results.rank.tables import rank_tables
from tcray.results.robustness.tables import robustness_tables
from tcray.results.search.tables import search_tables
from tcray.results.spectrum.tables import prior_tables, spectrum_tables


def numbers(results: Results) -> Iterator[Numbered]:
    """Every table of numbers, those of a topic and dataset after one another."""
    yield from rank_tables(results)
    yield from spectrum_tables(results)
    yield from prior_tables(results)
    yield from modality_tables(results)
    yield from robustness_tables(results)
    yield from search_tables(results)
