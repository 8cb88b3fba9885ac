"""Panels: the figures of the report, grouped under captions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.figure import Figure

from tcray.results.display.labels import format_dataset, format_stratum

Place = tuple[str, str, Mapping[str, Any]]
"""Dataset, source and stratum of a panel."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure: its name, a description in words (the alternative text in HTML), and a function that draws it."""

    name: str
    alt_text: str
    draw: Callable[[], Figure]


@dataclass(frozen=True, slots=True)
class PanelGroup:
    """Panels side by side under one caption, which states the estimand.

    topic    the section that it belongs to, as `rank-generalisation`
    dataset, source   empty if the panels show several datasets
    notes    reasons why something is not drawn, one sentence each
    details  the title of the `<details>` element that hides it; empty if it is shown at once
    """

    topic: str
    dataset: str
    source: str
    caption: str
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()
    details: str = ""


def build_panel(place: Place, name: str, alt_text: str, draw: Callable[[str], Figure], *title: str) -> Panel:
    """Return the panel of a place.

    Args:
        place: dataset, source and stratum.
        name: the rest of the panel's name, as in `mosi (twin)/conditioning=none/history`.
        alt_text: the description in words.
        draw: draws the figure with a title, which is complete without its surroundings.
        title: the rest of that title, as in `mosi (twin) · conditioning=none · rank factors`.
    """
    dataset, source, stratum = place
    shown = [format_dataset(dataset, source), *filter(None, [format_stratum(stratum)])]
    return Panel("/".join([*shown, name]), alt_text, partial(draw, " · ".join([*shown, *title])))


def describe_units(count: int, unit: str) -> str:
    """Return a sentence on the faint lines, one per unit, and on their number."""
    meaning = " (the mean of its confirm seeds)" if unit == "repeat" else ""
    return f"A faint line is one {unit}{meaning}; there are {count}."
