"""A plate: panels side by side, and the caption under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from tcray.results.display.labels import format_dataset, format_stratum


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure: its name, what it shows in words for those who do not see it, and how it is drawn."""

    name: str
    words: str
    draw: Callable[[], Figure]


@dataclass(frozen=True, slots=True)
class PanelGroup:
    """Panels with one caption, which states the estimand.

    topic    the section it belongs to, as `rank-generalisation`
    dataset, source   empty where its panels are of several
    notes    what could not be drawn, a sentence each
    drawer   what it lies behind until a reader asks for it; empty where all should see it
    """

    topic: str
    dataset: str
    source: str
    caption: str
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()
    drawer: str = ""


def format_panel_name(dataset: str, source: str, stratum: Mapping[str, Any], *words: str) -> str:
    """The name of a figure among those of its topic."""
    return "/".join(part for part in (format_dataset(dataset, source), format_stratum(stratum), *words) if part)


def format_panel_title(dataset: str, source: str, stratum: Mapping[str, Any] | None = None, *words: str) -> str:
    """What a figure is headed with, so that it can stand alone: `mosi (twin) · conditioning=none`."""
    return " · ".join(p for p in (format_dataset(dataset, source), format_stratum(stratum or {}), *words) if p)


def describe_units(count: int, unit: str) -> str:
    """What a faint line is, and how many there are."""
    meaning = " (the mean of its confirm seeds)" if unit == "repeat" else ""
    return f"A faint line is one {unit}{meaning}; there are {count}."
