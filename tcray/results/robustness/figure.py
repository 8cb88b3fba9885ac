"""Figures of robustness to perturbed test inputs: curves over severity, missing modalities, areas over a factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from tcray.results.display.canvas import HEIGHT, add_legend, in_house_style, new_panel, padded_limits
from tcray.results.display.labels import format_direction, format_factor, format_level, format_metric, format_number
from tcray.results.display.level_axis import LevelAxis
from tcray.results.display.palette import CATEGORIES, DASHES, MARKERS, MUTED, RULE, level_color

if TYPE_CHECKING:
    from tcray.results.robustness.analysis import Robustness

SEVERITY: Mapping[str, str] = {
    "noise": "σ of the noise, in train standard deviations",
    "dropout": "chance of each modality to be missing at test",
    "fgsm": "ε of the attack (L∞), in train standard deviations",
    "pgd": "ε of the attack (L∞), in train standard deviations",
}

NAMES: Mapping[str, str] = {
    "missing": "modalities missing",
    "dropout": "test-time dropout",
    "fgsm": "FGSM",
    "pgd": "PGD",
}


FEW = 3
"""The largest number of lines that are drawn with intervals."""

SHORT = 8
"""The largest length of a factor's name in a legend, in characters."""


def format_corruption(corruption: str) -> str:
    """Return a corruption as text: `noise:text` becomes `noise on text`."""
    family, _, modality = corruption.partition(":")
    return f"noise on {modality}" if modality else NAMES.get(family, family)


@in_house_style
def draw_severity_curves(
    parts: Sequence[Robustness], factor: str | None, title: str, *, limits: tuple[float, float] | None = None
) -> Figure:
    """Draw the metric against severity, one line per level of `factor`."""
    first = parts[0]
    xlabel = SEVERITY.get(first.corruption.partition(":")[0], "severity")
    figure, axes = new_panel(
        title, xlabel, f"{format_metric(first.metric)} ({format_direction(maximize=first.maximize)})"
    )
    for place, part in enumerate(parts):
        known = [
            (at, estimate.mean, estimate.half_width or 0.0)
            for at, estimate in zip(part.severities, part.values, strict=True)
            if estimate.mean is not None
        ]
        if known:
            at, means, halves = map(np.array, zip(*known, strict=True))
            color, marker = level_color(place, len(parts)), MARKERS[place % len(MARKERS)]
            name = _line_name(part, factor, first=place == 0)
            axes.plot(at, means, color=color, lw=1.4, marker=marker, ms=3.4, label=name, zorder=3)
            if len(parts) <= FEW:
                axes.fill_between(at, means - halves, means + halves, color=color, alpha=0.13, lw=0, zorder=1)
    if limits:
        axes.set_ylim(*limits)
    add_legend(axes)
    return figure


@in_house_style
def draw_missing_modalities(parts: Sequence[Robustness], factor: str | None, title: str) -> Figure:
    """Draw the metric with modalities missing: one row per combination, one mark per level of `factor`."""
    first = parts[0]
    labels = list(dict.fromkeys(label for part in parts for label in part.labels))
    better = format_direction(maximize=first.maximize)
    height = max(HEIGHT, 1.1 + 0.26 * len(labels))
    figure, axes = new_panel(title, f"{format_metric(first.metric)} ({better})", "", height=height, left=1.3)
    rows = {label: len(labels) - 1 - place for place, label in enumerate(labels)}
    for place, part in enumerate(parts):
        shift = 0.5 * (0.5 - (place + 0.5) / len(parts))
        known = [
            (m.mean, rows[label] + shift)
            for label, m in zip(part.labels, part.values, strict=True)
            if m.mean is not None
        ]
        if known:
            name = _line_name(part, factor, first=place == 0)
            color, marker = level_color(place, len(parts)), MARKERS[place % len(MARKERS)]
            axes.plot(*zip(*known, strict=True), ls="none", color=color, marker=marker, ms=4, label=name, zorder=3)
    axes.set_yticks(list(rows.values()), [label.replace("+", " + ") for label in rows])
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.grid(visible=False)
    for row in rows.values():
        axes.axhline(row, color=RULE, lw=0.6, zorder=0)
    add_legend(axes)
    return figure


@in_house_style
def draw_areas(
    groups: Mapping[str, Sequence[Robustness]], factor: str, title: str, *, effective: bool = False
) -> Figure:
    """Draw relative (or effective) robustness against the levels of `factor`, one line per group."""
    first = next(iter(groups.values()))[0]
    better = format_direction(maximize=effective or first.maximize)
    name = "effective robustness" if effective else f"mean {format_metric(first.metric)}"
    figure, axes = new_panel(title, format_factor(factor), f"{name} ({better})")
    levels = LevelAxis.of(list(dict.fromkeys(part.stratum[factor] for group in groups.values() for part in group)))
    ends: list[float] = []
    for place, (label, group) in enumerate(groups.items()):
        found = [(levels.position(part.stratum[factor]), part.effective if effective else part.area) for part in group]
        known = [(at, e.mean, e.half_width or 0.0) for at, e in found if e is not None and e.mean is not None]
        if known:
            shift = 0.05 * levels.step * (place - (len(groups) - 1) / 2)
            at, means, halves = zip(*((at + shift, mean, half) for at, mean, half in sorted(known)), strict=True)
            color, marker = CATEGORIES[place % len(CATEGORIES)], MARKERS[place % len(MARKERS)]
            dashes = DASHES[place % len(DASHES)]
            axes.plot(at, means, color=color, marker=marker, ls=dashes, lw=1.3, ms=3.8, label=label or None, zorder=3)
            lows, highs = ([mean + sign * half for mean, half in zip(means, halves, strict=True)] for sign in (-1, 1))
            axes.vlines(at, lows, highs, color=color, lw=0.8, alpha=0.7, zorder=2)
            ends += [*lows, *highs]
    if effective:
        axes.axhline(0, color=MUTED, lw=0.9, zorder=1)
        ends.append(0.0)
    if ends:
        axes.set_ylim(*padded_limits(ends))
    add_legend(axes)
    levels.apply(axes)
    return figure


def _line_name(part: Robustness, factor: str | None, *, first: bool) -> str | None:
    """Return the level of a line; for the first line, with the factor if its name is short."""
    if factor is None:
        return None
    noun = format_factor(factor)
    return (
        f"{noun} {format_level(part.stratum[factor])}"
        if first and len(noun) < SHORT
        else format_level(part.stratum[factor])
    )


def describe_severity_curves(parts: Sequence[Robustness], factor: str | None) -> str:
    """Return the alternative text of a corruption: the first and the last value of each line."""
    first = parts[0]
    text = f"{format_metric(first.metric)}, {format_corruption(first.corruption)}."
    for part in parts:
        name = f" {format_factor(factor)} {format_level(part.stratum[factor])}:" if factor else ""
        known = [mean.mean for mean in part.values if mean.mean is not None]
        if known:
            text += f"{name} from {format_number(known[0])} (clean) to {format_number(known[-1])} (most severe);"
    return text.rstrip(";") + "."


def severity_limits(parts: Sequence[Robustness]) -> tuple[float, float]:
    """Return limits of the y axis that contain the means of all parts, for panels that share an axis."""
    return padded_limits([mean.mean for part in parts for mean in part.values if mean.mean is not None] or [0.0, 1.0])
