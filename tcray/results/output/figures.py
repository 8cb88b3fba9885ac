"""Figures of a sweep's results, drawn without pyplot and without global state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tcray.results.analysis import Results

TOPICS: Mapping[str, str] = {
    "spectrum": "rank-spectrum",
    "prior": "conditioning",
    "modalities": "modal-asymmetry",
}
"""Topics whose figures have another name than the topic's folder in `tcray.results`."""


def draw_figures(results: Results, topic: str | None = None, dataset: str | None = None) -> dict[str, Figure]:
    """Return the figures of the report by name, as `rank-generalisation/mosi (twin)/conditioning=none/test MAE`.

    topic    only the figures of topics that contain this text: `rank`, `rank-spectrum`, `prior`, `modalities`
    dataset  only the figures of this dataset, and those of several datasets together
    """
    from tcray.results.output.panels import build_panels

    wanted = TOPICS.get(topic, topic) if topic else ""
    return {
        f"{group.topic}/{panel.name}": panel.draw()
        for group in build_panels(results)
        for panel in group.panels
        if wanted in group.topic and dataset in (None, group.dataset, *_datasets_in(panel.name))
    }


def _datasets_in(name: str) -> list[str]:
    """Return the dataset that a panel's name begins with, as `mosi (real)/history`."""
    place = name.partition("/")[0]
    return [place.rpartition(" (")[0]] if place.endswith(")") else []
