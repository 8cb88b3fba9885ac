"""All panels of a sweep's results, in reading order."""

from __future__ import annotations

from collections.abc import Iterator

from tcray.results.analysis import Results
from tcray.results.display.panels import PanelGroup
from tcray.results.modalities.panels import build_modality_panels
from tcray.results.prior.panels import build_prior_panels
from tcray.results.rank.panels import build_rank_panels
from tcray.results.robustness.panels import build_robustness_panels
from tcray.results.search.panels import build_search_panels
from tcray.results.spectrum.panels import build_spectrum_panels


def build_panels(results: Results) -> Iterator[PanelGroup]:
    """Yield the panels; those of a topic and dataset follow one another."""
    yield from build_rank_panels(results.profiles, results.sweep.claims, results.manifest["baselines"])
    yield from build_spectrum_panels(results.spectra)
    yield from build_prior_panels(results.conditionings)
    yield from build_modality_panels(results.contributions)
    yield from build_robustness_panels(results.robustness)
    yield from build_search_panels(results.search)
