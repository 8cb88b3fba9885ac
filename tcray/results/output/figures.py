"""Figures of a sweep's results, drawn without pyplot and without global state."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tcray.results.analysis import Results


def draw_figures(results: Results) -> dict[str, Figure]:
    """Every figure of the report by name, as `rank-generalisation/mosi (twin)/conditioning=none/test MAE`."""
    from tcray.results.output.panels import plates

    return {f"{plate.topic}/{panel.name}": panel.draw() for plate in plates(results) for panel in plate.panels}
