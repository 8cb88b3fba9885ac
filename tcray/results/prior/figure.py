"""Figures of the shared prior: its effect at each rank, and the manipulation check."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from tcray.results.display.canvas import (
    add_legend,
    annotate,
    data_limits,
    draw_units,
    in_house_style,
    new_panel,
    padded_limits,
)
from tcray.results.display.labels import format_metric, format_signed
from tcray.results.display.level_axis import LevelAxis
from tcray.results.display.palette import BLUE, INK, MUTED, ORANGE, PAPER, RULE
from tcray.results.prior.analysis import BANDS, Conditioning


@in_house_style
def draw_differences(part: Conditioning, title: str) -> Figure:
    """Draw jWAE − LMF at each rank: every unit, the mean with its 95 % interval, and the bands of ranks behind."""
    figure, axes = new_panel(title, "rank", f"jWAE − LMF in {format_metric(part.metric)}")
    levels = LevelAxis.of(part.ranks)
    values = np.asarray(part.differences, np.float64)
    known = [
        (at, estimate.mean, estimate.half_width or 0.0)
        for at, estimate in zip(levels.positions, part.means, strict=True)
        if estimate.mean is not None
    ]
    low, high = padded_limits(data_limits(values, part.means), [0.0], above=0.2, below=0.12)
    for place, band in enumerate(BANDS):
        inside = [rank for rank in part.ranks if min(band.ranks) <= rank <= max(band.ranks)]
        if inside:
            left, right = levels.edges(inside)
            axes.axvspan(left, right, color=RULE, alpha=0.55 if place % 2 == 0 else 0.0, lw=0, zorder=0)
            middle = (max(left, min(levels.positions)) + min(right, max(levels.positions))) / 2
            annotate(
                axes,
                middle,
                0.985,
                band.component.rpartition("-")[2],
                xycoords=axes.get_xaxis_transform(),
                ha="center",
                va="top",
                bbox=None,
            )
    axes.axhline(0, color=INK, lw=0.9, zorder=2)
    draw_units(axes, levels.positions, values)
    axes.plot([at for at, *_ in known], [centre for _, centre, _ in known], color=BLUE, lw=1.8, zorder=3)
    for at, centre, half in known:
        clear = half > 0 and abs(centre) > half
        axes.vlines(at, centre - half, centre + half, color=BLUE, lw=1.2, zorder=3)
        axes.plot(at, centre, ls="none", marker="o", ms=5, mfc=BLUE if clear else PAPER, mec=BLUE, mew=1.2, zorder=4)
    axes.set_ylim(low, high)
    better = "▲ jWAE better" if part.maximize else "▼ jWAE better"
    height, align = (0.9, "top") if part.maximize else (0.03, "bottom")
    annotate(axes, 0.012, height, better, xycoords="axes fraction", ha="left", va=align, color=BLUE)
    levels.apply(axes)
    return figure


@in_house_style
def draw_manipulation_check(part: Conditioning, title: str) -> Figure:
    """Draw MMD² between latents and prior at each rank, without the prior and with it."""
    figure, axes = new_panel(title, "rank", "mean MMD² to the prior")
    levels = LevelAxis.of(part.ranks)
    series = (("LMF (none)", part.mmd2_none, ORANGE, "s", (0, (5, 1.6))), ("jWAE", part.mmd2_jwae, BLUE, "o", "-"))
    for name, values, color, marker, dashes in series:
        known = [(at, value) for at, value in zip(levels.positions, values, strict=True) if value is not None]
        if known:
            axes.plot(*zip(*known, strict=True), color=color, marker=marker, ms=4.2, lw=1.6, ls=dashes, label=name)
    halves = [(at, value / 2) for at, value in zip(levels.positions, part.mmd2_none, strict=True) if value is not None]
    if halves:
        axes.plot(*zip(*halves, strict=True), color=MUTED, lw=0.9, ls=(0, (1.4, 1.4)), label="half of LMF's")
        add_legend(axes)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    levels.apply(axes)
    return figure


def describe_differences(part: Conditioning) -> str:
    """Return the alternative text of `draw_differences`."""
    shown = "; ".join(f"{rank}: {format_signed(mean.mean)}" for rank, mean in zip(part.ranks, part.means, strict=True))
    return f"jWAE minus LMF in {format_metric(part.metric)} by rank. Means: {shown}."


def describe_manipulation_check(part: Conditioning) -> str:
    """Return the alternative text of `draw_manipulation_check`."""
    halved = "at least halved" if part.halved else "not halved"
    return f"MMD² of the latents to the prior by rank, for LMF and jWAE: {halved} by the prior."
