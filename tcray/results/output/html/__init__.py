"""The report of a sweep: one HTML file that needs no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tcray.results.analysis import Results


def render_report(results: Results) -> str:
    """Return the report as HTML; the same results give the same bytes."""
    from tcray.results.output.html.page import render_page

    return render_page(results)
