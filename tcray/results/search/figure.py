"""Figures of the search phase: every trial, importance of the hyperparameters, optimism of the selection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tcray.results.display.canvas import add_legend, annotate, in_house_style, new_panel, padded_limits
from tcray.results.display.labels import format_dataset, format_direction, format_metric, format_number, format_signed
from tcray.results.display.palette import BLUE, INK, MUTED, ORANGE

if TYPE_CHECKING:
    from tcray.results.search.analysis import History, Importance, Optimism

SPREAD = 0.36
"""Half the width, in trials, over which the searches of a sweep are spread."""
FEW = 8
"""The largest number of searches with one line each; for more, the median and the quartiles are drawn."""


@in_house_style
def draw_history(part: History, title: str) -> Figure:
    """Draw every trial in the order of its search, and the best so far: one line per search, or quartiles of many."""
    better = format_direction(maximize=part.maximize)
    figure, axes = new_panel(title, "trial of a search, in order", f"{format_metric(part.objective)} ({better})")
    searches = list(dict.fromkeys((trial.cell, trial.repeat) for trial in part.trials))
    count = max(len(searches) - 1, 1)
    beside = {key: SPREAD * (2 * place / count - 1) if len(searches) > 1 else 0.0 for place, key in enumerate(searches)}
    for state, color, marker, size in (("COMPLETE", BLUE, "o", 2.2), ("PRUNED", ORANGE, "x", 2.6)):
        found = [trial for trial in part.trials if trial.state == state]
        points = [(t.order + 1 + beside[t.cell, t.repeat], t.value) for t in found if t.value is not None]
        if points:
            edge = 0.6 if marker == "x" else 0.0
            at, measured = zip(*points, strict=True)
            axes.plot(
                at, measured, ls="none", marker=marker, ms=size, mew=edge, color=color, alpha=0.6, label=state.lower()
            )
    values = [trial.value for trial in part.trials if trial.value is not None]
    if values:
        axes.set_ylim(*_limits_without_outliers(values, maximize=part.maximize))
    _draw_best_so_far(axes, part, searches)
    failed = sum(trial.state == "FAILED" for trial in part.trials)
    if failed:
        annotate(axes, 0.99, 0.97, f"{failed} failed", xycoords="axes fraction", ha="right", va="top")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    add_legend(axes)
    return figure


def _limits_without_outliers(values: Sequence[float], *, maximize: bool) -> tuple[float, float]:
    """Return limits without the worst outliers, which would compress the rest to a line."""
    first, third = np.quantile(values, [0.25, 0.75])
    reach = 4 * float(third - first)
    if not reach:
        return padded_limits(values)
    kept = [value for value in values if (value >= first - reach if maximize else value <= third + reach)]
    return padded_limits(kept)


def _draw_best_so_far(axes: Axes, part: History, searches: Sequence[tuple[str, int]]) -> None:
    """Draw the best value among the trials up to each."""
    lines: dict[tuple[str, int], dict[int, float]] = {key: {} for key in searches}
    for trial in part.trials:
        if trial.best_so_far is not None:
            lines[trial.cell, trial.repeat][trial.order + 1] = trial.best_so_far
    if len(searches) <= FEW:
        for place, line in enumerate(lines.values()):
            name = "best so far" if place == 0 else None
            axes.plot(list(line), list(line.values()), color=INK, lw=1.1, drawstyle="steps-post", label=name)
        return
    orders = sorted({order for line in lines.values() for order in line})
    quartiles = [np.quantile([line[at] for line in lines.values() if at in line], (0.25, 0.5, 0.75)) for at in orders]
    low, middle, high = np.array(quartiles).T
    axes.fill_between(orders, low, high, color=INK, alpha=0.14, lw=0, zorder=3)
    axes.plot(orders, middle, color=INK, lw=1.8, zorder=4, label="best so far (median, quartiles)")


@in_house_style
def draw_importances(part: Importance, title: str) -> Figure:
    """Draw one bar per tuned hyperparameter, with the standard deviation between cells."""
    names = sorted(part.importances, key=lambda name: part.importances[name])
    figure, axes = new_panel(title, "importance (shares sum to 1)", "", height=1.0 + 0.3 * len(names), left=1.15)
    ends = [0.1]
    for row, name in enumerate(names):
        value, spread = part.importances[name], part.spread.get(name) or 0.0
        axes.barh(row, value, height=0.56, facecolor=BLUE, alpha=0.32, edgecolor=BLUE, lw=1.0)
        axes.hlines(row, max(0.0, value - spread), value + spread, color=INK, lw=1.2)
        annotate(axes, value + spread, row, format_number(value), offset=(4, 0), va="center", bbox=None, color=INK)
        ends.append(value + spread)
    axes.set_yticks(range(len(names)), names)
    axes.grid(visible=False)
    axes.set_xlim(0, 1.15 * max(ends))
    return figure


@in_house_style
def draw_optimism(parts: Sequence[Optimism], title: str) -> Figure:
    """Draw how much better the selected trials were in the search than in their confirm runs, one row per dataset."""
    height = 1.1 + 0.32 * len(parts)
    figure, axes = new_panel(title, "optimism in the objective", "", height=height, left=1.45)
    for row, part in enumerate(reversed(parts)):
        mean, half = part.optimism.mean, part.optimism.half_width or 0.0
        if mean is not None:
            axes.hlines(row, mean - half, mean + half, color=BLUE, lw=1.6)
            axes.plot(mean, row, ls="none", marker="o", ms=5, color=BLUE)
            annotate(axes, mean, row, format_signed(mean), offset=(0, 5), ha="center", bbox=None, color=INK)
    axes.axvline(0, color=INK, lw=0.9)
    axes.set_yticks(range(len(parts)), [format_dataset(part.dataset, part.source) for part in reversed(parts)])
    axes.set_ylim(-0.6, len(parts) - 0.3)
    axes.grid(visible=False)
    axes.grid(visible=True, axis="x", color=MUTED, alpha=0.25)
    return figure


def describe_history(part: History) -> str:
    """Return the alternative text of `draw_history`."""
    states = [trial.state for trial in part.trials]
    counted = ", ".join(f"{states.count(state)} {state.lower()}" for state in ("COMPLETE", "PRUNED", "FAILED"))
    return f"{format_metric(part.objective)} of {len(states)} trials in the order of their searches: {counted}."


def describe_importances(part: Importance) -> str:
    """Return the alternative text of `draw_importances`."""
    shown = "; ".join(f"{name}: {format_number(value)}" for name, value in part.importances.items())
    return f"Importance of the tuned hyperparameters: {shown}."


def describe_optimism(parts: Sequence[Optimism]) -> str:
    """Return the alternative text of `draw_optimism`."""
    shown = "; ".join(f"{format_dataset(p.dataset, p.source)}: {format_signed(p.optimism.mean)}" for p in parts)
    return f"Objective of the selected, search against confirm runs: {shown}."
