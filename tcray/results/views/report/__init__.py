"""The report of a sweep: one HTML file that needs no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tcray.results.analyses.concluding import Results


def report(results: Results) -> str:
    """The report as HTML: a pure function of the results, down to the bytes."""
    from tcray.results.views.report.page import page

    return page(results)
