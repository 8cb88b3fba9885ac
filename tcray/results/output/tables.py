"""All tables of a sweep's results, in reading order."""

from __future__ import annotations

from collections.abc import Iterator

from tcray.results.analysis import Results
from tcray.results.display.table import Table
from tcray.results.modalities.tables import build_modality_tables
from tcray.results.prior.tables import build_prior_tables
from tcray.results.rank.tables import build_level_tables
from tcray.results.robustness.tables import build_robustness_tables
from tcray.results.search.tables import build_search_tables
from tcray.results.spectrum.tables import build_spectrum_tables


def build_tables(results: Results) -> Iterator[Table]:
    """Yield the tables behind the figures; those of a topic and dataset follow one another."""
    yield from build_level_tables(results.profiles)
    yield from build_spectrum_tables(results.spectra)
    yield from build_prior_tables(results.conditionings)
    yield from build_modality_tables(results.contributions)
    yield from build_robustness_tables(results.robustness)
    yield from build_search_tables(results.search)
