"""All plates of a sweep's results, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterator

from tcray.results.analyses.concluding import Results
from tcray.results.views.plates.conditioning import conditioning_plates
from tcray.results.views.plates.contributions import contribution_plates
from tcray.results.views.plates.plate import Plate
from tcray.results.views.plates.profiles import profile_plates
from tcray.results.views.plates.robustness import robustness_plates
from tcray.results.views.plates.searching import search_plates
from tcray.results.views.plates.spectra import spectrum_plates


def plates(results: Results) -> Iterator[Plate]:
    """Every plate; those of a topic and dataset are neighbours."""
    yield from profile_plates(results)
    yield from spectrum_plates(results)
    yield from conditioning_plates(results)
    yield from contribution_plates(results)
    yield from robustness_plates(results)
    yield from search_plates(results)
