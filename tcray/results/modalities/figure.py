"""Figures of the contributions of modalities: exact Shapley values, metrics of subsets, interactions of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tcray.results.display.canvas import annotate, in_house_style, new_panel
from tcray.results.display.labels import (
    format_direction,
    format_interval,
    format_level,
    format_metric,
    format_number,
    format_signed,
)
from tcray.results.display.palette import BLUE, GREEN, INK, MUTED, ORANGE, PAPER, RULE
from tcray.statistics.mean import Interval

if TYPE_CHECKING:
    from tcray.results.modalities.analysis import Contribution

ROW = 0.4
"""Inches of a modality's row."""
FAINT = 0.1
"""Interactions of at least this fraction of the largest value have the deepest tint."""


@in_house_style
def draw_shapley_values(part: Contribution, title: str) -> Figure:
    """Draw one bar per modality, with intervals over retraining (thick) and over retraining and people (thin)."""
    height = 1.15 + ROW * len(part.modalities)
    what = "reliance" if part.kind == "inference" else "Shapley value"
    figure, axes = new_panel(title, f"{what}, in {format_metric(part.metric)} gained", "", height=height, left=0.85)
    color = BLUE if part.kind == "retrained" else ORANGE
    for row, modality in enumerate(reversed(part.modalities)):
        value = part.shapley.values[modality]
        axes.barh(row, value, height=0.5, facecolor=color, alpha=0.32, edgecolor=color, lw=1.0, zorder=2)
        for interval, width in _select_intervals(part, modality):
            axes.hlines(row, interval.low, interval.high, color=INK, lw=width, zorder=3)
        annotate(axes, value, row, format_signed(value), offset=(0, 11), ha="center", va="center", color=INK, bbox=None)
    axes.axvline(0, color=INK, lw=0.9, zorder=4)
    axes.set_yticks(range(len(part.modalities)), list(reversed(part.modalities)))
    axes.set_ylim(-0.6, len(part.modalities) - 0.2)
    axes.grid(visible=False)
    axes.grid(visible=True, axis="x", color=RULE)
    axes.margins(x=0.08)
    return figure


@in_house_style
def draw_subsets(part: Contribution, title: str) -> Figure:
    """Draw the metric of every subset of modalities, smallest subset first."""
    subsets = sorted(part.by_subset, key=lambda subset: (len(subset), [m not in subset for m in part.modalities]))
    height = max(1.7, 1.1 + 0.24 * len(subsets))
    better = format_direction(maximize=part.maximize)
    figure, axes = new_panel(title, f"{format_metric(part.metric)} ({better})", "", height=height, left=1.35)
    for place, subset in enumerate(subsets):
        row, estimate = len(subsets) - 1 - place, part.by_subset[subset]
        axes.axhline(row, color=RULE, lw=0.6, zorder=0)
        if estimate.mean is None:
            continue
        half = estimate.half_width or 0.0
        whole = len(subset) == len(part.modalities)
        axes.hlines(row, estimate.mean - half, estimate.mean + half, color=BLUE, lw=1.4, zorder=2)
        axes.plot(
            estimate.mean, row, ls="none", marker="o", ms=5, mfc=BLUE if whole else PAPER, mec=BLUE, mew=1.2, zorder=3
        )
    everything = part.by_subset.get(frozenset(part.modalities))
    if everything is not None and everything.mean is not None:
        axes.axvline(everything.mean, color=MUTED, lw=0.9, ls=(0, (4, 2)), zorder=1)
    axes.set_yticks(range(len(subsets)), [format_subset(part, subset) for subset in reversed(subsets)])
    axes.set_ylim(-0.6, len(subsets) - 0.4)
    axes.grid(visible=False)
    return figure


@in_house_style
def draw_interactions(part: Contribution, title: str) -> Figure:
    """Draw one square per pair of modalities: interaction index and interval as text, sign and size as tint."""
    count = len(part.modalities)
    figure, axes = new_panel(title, "", "", height=1.0 + 0.5 * count, left=0.85)
    pairs = {frozenset(pair): index for pair, index in part.shapley.interactions.items()}
    details, centered = part.shapley.interaction_details, {"ha": "center", "va": "center", "bbox": None}
    sizes = [*map(abs, pairs.values()), *(FAINT * abs(value) for value in part.shapley.values.values())]
    deepest = max(sizes) or 1.0
    for row, one in enumerate(part.modalities):
        for column, other in enumerate(part.modalities):
            y = count - 1 - row
            if row == column:
                _draw_square(axes, column, y, RULE, 0.5)
                continue
            index = pairs[frozenset((one, other))]
            _draw_square(axes, column, y, GREEN if index > 0 else ORANGE, 0.08 + 0.5 * abs(index) / deepest)
            lift = 5 if details else 0
            annotate(axes, column, y, format_signed(index), offset=(0, lift), color=INK, fontsize=8, **centered)
            if details:
                detail = details[min(one, other), max(one, other)]
                text = format_interval(Interval(detail.ci_low, detail.ci_high))
                annotate(axes, column, y, text, offset=(0, -6), color=INK, fontsize=6.5, **centered)
    axes.set_xlim(-0.5, count - 0.5)
    axes.set_ylim(-0.5, count - 0.5)
    axes.set_xticks(range(count), part.modalities)
    axes.set_yticks(range(count), list(reversed(part.modalities)))
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def _draw_square(axes: Axes, x: float, y: float, color: str, alpha: float) -> None:
    axes.add_patch(Rectangle((x - 0.47, y - 0.47), 0.94, 0.94, facecolor=color, alpha=alpha, lw=0))


def format_subset(part: Contribution, subset: frozenset[str]) -> str:
    """Return a subset of modalities as text, in the dataset's order."""
    return format_level([modality for modality in part.modalities if modality in subset])


def _select_intervals(part: Contribution, modality: str) -> list[tuple[Interval, float]]:
    """Return the 95 % intervals of a modality's value, with line widths: thin over retraining and people."""
    if part.shapley.details is None:
        return []
    detail = part.shapley.details[modality]
    people = [(detail.people.interval(), 1.0)] if detail.people else []
    return [*people, (detail.retraining.interval(), 3.0)]


def describe_shapley_values(part: Contribution) -> str:
    """Return the alternative text of `draw_shapley_values`."""
    shown = "; ".join(f"{modality}: {format_signed(part.shapley.values[modality])}" for modality in part.modalities)
    return f"{part.name} of each modality in {format_metric(part.metric)}: {shown}."


def describe_subsets(part: Contribution) -> str:
    """Return the alternative text of `draw_subsets`."""
    shown = "; ".join(
        f"{format_subset(part, s)}: {format_number(estimate.mean)}" for s, estimate in part.by_subset.items()
    )
    return f"{format_metric(part.metric)} by subset of modalities: {shown}."


def describe_interactions(part: Contribution) -> str:
    """Return the alternative text of `draw_interactions`."""
    shown = "; ".join(f"{format_level(pair)}: {format_signed(i)}" for pair, i in part.shapley.interactions.items())
    return f"Interaction index of each pair of modalities: {shown}."
