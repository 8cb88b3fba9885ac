"""All plates of a sweep's results, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterator

from tcray.results.analysis import Results
from tcray.results.display.panels import PanelGroup
from tcray.results.modalities.panels import contribution_plates
from tcray.results.prior.panels import conditioning_plates
from tcray.results.rank.panels import profile_plates
from tcray.results.robustness.panels import robustness_plates
from tcray.results.search.panels import search_plates
from tcray.results.spectrum.panels import spectrum_plates


def plates(results: Results) -> Iterator[PanelGroup]:
    """Every plate; those of a topic and dataset are neighbours."""
    yield from profile_plates(results)
    yield from spectrum_plates(results)
    yield from conditioning_plates(results)
    yield from contribution_plates(results)
    yield from robustness_plates(results)
    yield from search_plates(results)
