"""Panels: the figures of the report, grouped under captions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from tcray.results.display.labels import format_dataset, format_stratum


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


def format_panel_name(dataset: str, source: str, stratum: Mapping[str, Any], *words: str) -> str:
    """Return the name of a figure among those of its topic."""
    return "/".join(part for part in (format_dataset(dataset, source), format_stratum(stratum), *words) if part)


def format_panel_title(dataset: str, source: str, stratum: Mapping[str, Any] | None = None, *words: str) -> str:
    """Return a title with which a figure can stand alone: `mosi (twin) · conditioning=none`."""
    return " · ".join(p for p in (format_dataset(dataset, source), format_stratum(stratum or {}), *words) if p)


def describe_units(count: int, unit: str) -> str:
    """Return a sentence on the faint lines, one per unit, and on their number."""
    meaning = " (the mean of its confirm seeds)" if unit == "repeat" else ""
    return f"A faint line is one {unit}{meaning}; there are {count}."
