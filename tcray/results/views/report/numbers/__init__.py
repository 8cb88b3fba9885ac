"""The tables beside the plates: the numbers that the figures show."""

from __future__ import annotations

from collections.abc import Iterator

from tcray.results.analyses.concluding import Results
from tcray.results.views.report.numbers.contributions import contribution_tables
from tcray.results.views.report.numbers.profiles import profile_tables
from tcray.results.views.report.numbers.ranks import conditioning_tables, spectrum_tables
from tcray.results.views.report.numbers.robustness import robustness_tables
from tcray.results.views.report.numbers.search import search_tables
from tcray.results.views.report.table import Numbered


def numbers(results: Results) -> Iterator[Numbered]:
    """Every table of numbers, those of a topic and dataset after one another."""
    yield from profile_tables(results)
    yield from spectrum_tables(results)
    yield from conditioning_tables(results)
    yield from contribution_tables(results)
    yield from robustness_tables(results)
    yield from search_tables(results)
