"""The style of the figures and the empty panel: open axes, a light grid, text that is legible at a width of 360 px."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from tcray.results.display.palette import INK, MUTED, PAPER, RULE
from tcray.statistics.estimate import Estimate

P = ParamSpec("P")

WIDTH, HEIGHT = 4.2, 2.95
"""Inches of a panel. At a width of 380 px its 8-point text is 10 px high."""
SMALL = 7.0
"""Font size of annotations, in points."""
LEGEND_ROW, LEGEND_KEY, LEGEND_CHARACTER = 0.16, 0.32, 0.052
"""Inches of a row of a legend, of the key of an entry with its padding, and of a character of its name."""
FENCE = 3.0
"""Distance from the quartiles, in interquartile ranges, beyond which a unit does not extend an axis."""

STYLE: dict[Any, Any] = {
    "figure.figsize": (WIDTH, HEIGHT),
    "figure.facecolor": PAPER,
    "figure.dpi": 160,
    "savefig.dpi": 160,
    "axes.facecolor": "none",
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.7,
    "axes.labelcolor": INK,
    "axes.labelsize": 8,
    "axes.labelpad": 3,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.titlepad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "xtick.major.width": 0.7,
    "text.color": INK,
    "font.size": 8,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.columnspacing": 1.0,
    "legend.borderaxespad": 0.0,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "svg.hashsalt": "tcray",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Context manager: use the style of the figures instead of the user's settings of matplotlib."""
    with mpl.rc_context():
        mpl.rcdefaults()
        with mpl.rc_context(STYLE):
            yield


def in_house_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorate a function that draws a figure: it draws in the style of the figures."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with house_style():
            return draw(*args, **kwargs)

    return styled


def new_panel(
    title: str, xlabel: str, ylabel: str, *, height: float = HEIGHT, left: float = 0.62
) -> tuple[Figure, Axes]:
    """Return a figure with one pair of axes; `left` is the room for the labels of the y axis, in inches."""
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((left / WIDTH, 0.5 / height, 1 - (left + 0.14) / WIDTH, 1 - 0.85 / height))
    figure.text(0.1 / WIDTH, 1 - 0.09 / height, title, ha="left", va="top", fontsize=8.5, fontweight="bold")
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    return figure, axes


def annotate(
    axes: Axes, x: float, y: float, text: str, *, offset: tuple[float, float] = (0, 0), **options: Any
) -> None:
    """Write a text at a point, `offset` points away, on a background that hides the lines behind it."""
    background = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
    defaults = {"fontsize": SMALL, "color": MUTED, "bbox": background, "zorder": 6, "textcoords": "offset points"}
    axes.annotate(text, (x, y), xytext=offset, **{**defaults, **options})


def draw_units(axes: Axes, positions: ArrayLike, values: ArrayLike) -> None:
    """Draw one faint line per unit; `values` are (U, L)."""
    for unit in np.asarray(values, np.float64):
        axes.plot(positions, unit, color=MUTED, alpha=0.32, lw=0.8, zorder=1)


def add_legend(axes: Axes) -> None:
    """Add a legend in rows above the axes, which shrink to make room for it; none if no artist has a label."""
    names = axes.get_legend_handles_labels()[1]
    if not names:
        return
    box = axes.get_position()
    widths = [LEGEND_KEY + LEGEND_CHARACTER * len(name) for name in names]
    columns = len(names) if sum(widths) <= box.width * WIDTH else max(1, int(box.width * WIDTH / max(widths)))
    rows = -(-len(names) // columns)
    columns = -(-len(names) // rows)  # rows of similar length
    figure = axes.get_figure(root=True)
    assert figure is not None
    taken = rows * LEGEND_ROW / figure.get_figheight()
    axes.set_position((box.x0, box.y0, box.width, box.height - taken))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.01), ncols=columns, handletextpad=0.5, labelspacing=0.3)


def padded_limits(*series: Sequence[float], above: float = 0.08, below: float = 0.08) -> tuple[float, float]:
    """Return limits that contain all numbers, with padding above and below as fractions of their range."""
    values = [value for numbers in series for value in numbers]
    low, high = min(values), max(values)
    extent = (high - low) or abs(high) * 0.1 or 1.0
    return low - below * extent, high + above * extent


def data_limits(values: ArrayLike, means: Sequence[Estimate]) -> tuple[float, float]:
    """Return the range of the intervals and of the units within Tukey's (1977) outer fences.

    Without the fences a collapsed run would take up the whole axis and compress all others to a line.
    """
    units = np.ravel(np.asarray(values, np.float64))
    units = units[np.isfinite(units)]
    ends = [mean.mean + sign * (mean.half_width or 0.0) for mean in means if mean.mean is not None for sign in (-1, 1)]
    first, third = np.quantile(units, [0.25, 0.75])
    reach = FENCE * (third - first)
    within = units[(units >= first - reach) & (units <= third + reach)]
    return float(min([within.min(), *ends])), float(max([within.max(), *ends]))
