"""The report of a sweep: one HTML file that needs no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tcray.results.analysis import Results


def report(results: Results) -> str:
    """The report as HTML: a pure function of the results, down to the bytes."""
    from tcray.results.output.html.page import page

    return page(results)
