"""What each modality contributes: exact Shapley values, what every subset reaches, and how pairs interact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tcray.results.display.canvas import drawn, note, panel
from tcray.results.display.labels import (
    better_label,
    interval_label,
    level_label,
    metric_label,
    number_label,
    signed_label,
)
from tcray.results.display.palette import BLUE, GREEN, INK, MUTED, ORANGE, PAPER, RULE
from tcray.statistics.mean import Interval

if TYPE_CHECKING:
    from tcray.results.modalities.analysis import Contribution

ROW = 0.4
"""Inches of a modality's row."""
FAINT = 0.1
"""An interaction of this fraction of the largest value, or larger, has the deepest tint."""


@drawn
def shapley_figure(part: Contribution, title: str) -> Figure:
    """A bar a modality, with the interval over retraining (thick) and over retraining and people (thin)."""
    height = 1.15 + ROW * len(part.modalities)
    what = "reliance" if part.kind == "inference" else "Shapley value"
    figure, axes = panel(title, f"{what}, in {metric_label(part.metric)} gained", "", height=height, left=0.85)
    colour = BLUE if part.kind == "retrained" else ORANGE
    for row, modality in enumerate(reversed(part.modalities)):
        value = part.shapley.values[modality]
        axes.barh(row, value, height=0.5, facecolor=colour, alpha=0.32, edgecolor=colour, lw=1.0, zorder=2)
        for interval, width in intervals(part, modality):
            axes.hlines(row, interval.low, interval.high, color=INK, lw=width, zorder=3)
        note(axes, value, row, signed_label(value), offset=(0, 11), ha="center", va="center", color=INK, bbox=None)
    axes.axvline(0, color=INK, lw=0.9, zorder=4)
    axes.set_yticks(range(len(part.modalities)), list(reversed(part.modalities)))
    axes.set_ylim(-0.6, len(part.modalities) - 0.2)
    axes.grid(visible=False)
    axes.grid(visible=True, axis="x", color=RULE)
    axes.margins(x=0.08)
    return figure


@drawn
def subsets_figure(part: Contribution, title: str) -> Figure:
    """What every subset of modalities reaches, smallest first, in the metric itself."""
    subsets = sorted(part.by_subset, key=lambda subset: (len(subset), [m not in subset for m in part.modalities]))
    height = max(1.7, 1.1 + 0.24 * len(subsets))
    better = better_label(maximize=part.maximize)
    figure, axes = panel(title, f"{metric_label(part.metric)} ({better})", "", height=height, left=1.35)
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
    axes.set_yticks(range(len(subsets)), [subset_label(part, subset) for subset in reversed(subsets)])
    axes.set_ylim(-0.6, len(subsets) - 0.4)
    axes.grid(visible=False)
    return figure


@drawn
def interactions_figure(part: Contribution, title: str) -> Figure:
    """A square a pair of modalities: its interaction index and interval in numbers, sign and size as tint."""
    count = len(part.modalities)
    figure, axes = panel(title, "", "", height=1.0 + 0.5 * count, left=0.85)
    pairs = {frozenset(pair): index for pair, index in part.shapley.interactions.items()}
    details, centred = part.shapley.interaction_details, {"ha": "center", "va": "center", "bbox": None}
    sizes = [*map(abs, pairs.values()), *(FAINT * abs(value) for value in part.shapley.values.values())]
    deepest = max(sizes) or 1.0
    for row, one in enumerate(part.modalities):
        for column, other in enumerate(part.modalities):
            y = count - 1 - row
            if row == column:
                _square(axes, column, y, RULE, 0.5)
                continue
            index = pairs[frozenset((one, other))]
            _square(axes, column, y, GREEN if index > 0 else ORANGE, 0.08 + 0.5 * abs(index) / deepest)
            lift = 5 if details else 0
            note(axes, column, y, signed_label(index), offset=(0, lift), color=INK, fontsize=8, **centred)
            if details:
                detail = details[min(one, other), max(one, other)]
                told = interval_label(Interval(detail.ci_low, detail.ci_high))
                note(axes, column, y, told, offset=(0, -6), color=INK, fontsize=6.5, **centred)
    axes.set_xlim(-0.5, count - 0.5)
    axes.set_ylim(-0.5, count - 0.5)
    axes.set_xticks(range(count), part.modalities)
    axes.set_yticks(range(count), list(reversed(part.modalities)))
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def _square(axes: Axes, x: float, y: float, colour: str, alpha: float) -> None:
    axes.add_patch(Rectangle((x - 0.47, y - 0.47), 0.94, 0.94, facecolor=colour, alpha=alpha, lw=0))


def subset_label(part: Contribution, subset: frozenset[str]) -> str:
    """A subset of modalities, in the dataset's order."""
    return level_label([modality for modality in part.modalities if modality in subset])


def intervals(part: Contribution, modality: str) -> list[tuple[Interval, float]]:
    """The 95 % intervals of a modality's value, each with its line's width: thin over retraining and people."""
    if part.shapley.details is None:
        return []
    detail = part.shapley.details[modality]
    people = [(detail.people.interval(), 1.0)] if detail.people else []
    return [*people, (detail.retraining.interval(), 3.0)]


def shapley_words(part: Contribution) -> str:
    """What the panel shows, in words and numbers."""
    shown = "; ".join(f"{modality}: {signed_label(part.shapley.values[modality])}" for modality in part.modalities)
    return f"{part.name} of each modality in {metric_label(part.metric)}: {shown}."


def subsets_words(part: Contribution) -> str:
    """The same of what subsets reach."""
    shown = "; ".join(
        f"{subset_label(part, s)}: {number_label(estimate.mean)}" for s, estimate in part.by_subset.items()
    )
    return f"{metric_label(part.metric)} by subset of modalities: {shown}."


def interactions_words(part: Contribution) -> str:
    """The same of the pairs."""
    shown = "; ".join(f"{level_label(pair)}: {signed_label(i)}" for pair, i in part.shapley.interactions.items())
    return f"Interaction index of each pair of modalities: {shown}."
