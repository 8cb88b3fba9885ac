"""Figures of the rank that a fusion uses: effective rank, energies of its factors, spectra of its unfoldings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tcray.results.display.canvas import add_legend, annotate, draw_units, in_house_style, new_panel
from tcray.results.display.labels import format_number
from tcray.results.display.level_axis import LevelAxis
from tcray.results.display.palette import BLUE, INK, MARKERS, MUTED, level_color

if TYPE_CHECKING:
    from tcray.results.spectrum.analysis import Spectrum


@in_house_style
def draw_effective_rank(part: Spectrum, title: str) -> Figure:
    """Draw effective rank against rank: every unit, the mean, and the line on which all of the rank is used."""
    figure, axes = new_panel(title, "rank", "effective rank of the fusion")
    levels = LevelAxis.of(part.ranks)
    values = np.asarray(part.effective_rank, np.float64)
    draw_units(axes, levels.positions, values)
    if len(values):
        axes.plot(levels.positions, values.mean(axis=0), color=BLUE, lw=1.8, marker="o", ms=5, zorder=3)
    top = float(values.max()) if values.size else 1.0
    axes.plot(levels.positions, part.ranks, color=INK, lw=0.9, ls=(0, (4, 2)), zorder=2)
    axes.set_ylim(0, 1.25 * top or 1)  # the effective rank is 0 for fusions without energy
    within = [(at, rank) for at, rank in zip(levels.positions, part.ranks, strict=True) if rank <= 1.2 * top]
    if within:
        annotate(axes, *within[-1], "all of the rank", offset=(-7, 2), ha="right", color=INK)
    levels.apply(axes)
    return figure


@in_house_style
def draw_factor_energies(part: Spectrum, title: str) -> Figure:
    """Draw the share of each rank factor in the fusion's energy, one line per rank."""
    figure, axes = new_panel(title, "rank factor, strongest first", "share of energy (log scale)")
    _draw_spectra(axes, part.energies)
    return figure


@in_house_style
def draw_unfolding(part: Spectrum, modality: str, title: str) -> Figure:
    """Draw the singular values of the fusion tensor unfolded along one modality, one line per rank."""
    figure, axes = new_panel(title, "singular value, largest first", "share of the sum (log scale)")
    _draw_spectra(axes, part.unfolded[modality])
    return figure


@in_house_style
def draw_gap(part: Spectrum, title: str) -> Figure:
    """Draw the generalization gap against effective rank: one line per unit, and the mean of each rank."""
    figure, axes = new_panel(title, "effective rank of the fusion", "test − train loss")
    assert part.gap is not None
    ranks, gaps = np.asarray(part.effective_rank, np.float64), np.asarray(part.gap, np.float64)
    for x, y in zip(ranks, gaps, strict=True):
        axes.plot(x, y, color=MUTED, alpha=0.32, lw=0.8, zorder=1)
    for place, (rank, x, y) in enumerate(zip(part.ranks, ranks.mean(axis=0), gaps.mean(axis=0), strict=True)):
        color = level_color(place, len(part.ranks))
        axes.plot(x, y, ls="none", marker="o", ms=5.5, color=color, zorder=3)
        annotate(axes, float(x), float(y), f"{rank}", offset=(0, 5), ha="center", color=INK, bbox=None)
    annotate(axes, 0.012, 0.97, "numbers: rank", xycoords="axes fraction", ha="left", va="top")
    return figure


def _draw_spectra(axes: Axes, by_rank: Mapping[int, Sequence[float]]) -> None:
    """Draw one line per rank on a log scale, up to the first zero."""
    longest = max((len(shares) for shares in by_rank.values()), default=1)
    for place, (rank, shares) in enumerate(by_rank.items()):
        known = [(at, share) for at, share in enumerate(shares, 1) if share > 1e-6]
        if known:
            name = f"{rank}" if place else f"rank {rank}"
            color, marker = level_color(place, len(by_rank)), MARKERS[place % len(MARKERS)]
            axes.plot(*zip(*known, strict=True), color=color, marker=marker, ms=3.4, lw=1.4, label=name)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlim(0.5, longest + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.minorticks_off()
    add_legend(axes)


def describe_effective_rank(part: Spectrum) -> str:
    """Return the alternative text of `draw_effective_rank`."""
    values = np.asarray(part.effective_rank, np.float64)
    if not len(values):
        return "Effective rank of the fusion by rank: no complete run."
    means = values.mean(axis=0)
    shown = "; ".join(f"{rank}: {format_number(float(mean))}" for rank, mean in zip(part.ranks, means, strict=True))
    return f"Effective rank of the fusion by rank. Means: {shown}."
