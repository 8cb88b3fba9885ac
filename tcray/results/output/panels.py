"""All plates of a sweep's results, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterator

from tcray.results.analysis import Results
from tcray.results.display.panels import PanelGroup
from tcray.results.modalities.panels import modality_panels
from tcray.results.prior.panels import prior_panels
from tcray.results.rank.panels import rank_panels
from tcray.results.robustness.panels import robustness_panels
from tcray.results.search.panels import search_panels
from tcray.results.spectrum.panels import spectrum_panels


def plates(results: Results) -> Iterator[PanelGroup]:
    """Every plate; those of a topic and dataset are neighbours."""
    yield from rank_panels(results)
    yield from spectrum_panels(results)
    yield from prior_panels(results)
    yield from modality_panels(results)
    yield from robustness_panels(results)
    yield from search_panels(results)
