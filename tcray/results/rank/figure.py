"""Figures of a metric against an ordered factor: every unit, the mean, and the levels that may be the optimum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tcray.claims.wording import phrase_levels
from tcray.results.display.canvas import (
    WIDTH,
    annotate,
    data_limits,
    draw_units,
    in_house_style,
    new_panel,
    padded_limits,
)
from tcray.results.display.labels import format_direction, format_factor, format_level, format_metric, format_number
from tcray.results.display.level_axis import LevelAxis
from tcray.results.display.palette import BLUE, GREEN, INK, MUTED, ORANGE, PAPER
from tcray.results.rank.extremum import Extremum
from tcray.results.rank.location import Region
from tcray.statistics.estimate import Estimate

if TYPE_CHECKING:
    from tcray.results.rank.analysis import Profile

REACH = 0.5
"""The largest distance of a drawn baseline from the range of the data, as a fraction of that range."""

MARGIN = 0.42
"""Inches at the right for the names of baselines."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The levels that a claim names in advance as the best or the worst."""

    region: Region
    extremum: Extremum


@in_house_style
def draw_profile(
    profile: Profile,
    title: str,
    *,
    baselines: Mapping[str, float] | None = None,
    claimed: Claimed | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw every unit as a faint line, the mean with its 95 % interval, and the set of possible optima.

    Args:
        profile: the metric over the levels.
        title: the title of the figure.
        baselines: values by name, as selected by `visible_baselines`.
        claimed: the levels that a claim names in advance.
        limits: those of the y axis, for panels that share one.
    """
    better = format_direction(maximize=profile.maximize)
    figure, axes = new_panel(title, format_factor(profile.factor), f"{format_metric(profile.metric)} ({better})")
    levels = LevelAxis.of(profile.levels)
    if claimed:
        _draw_claimed(axes, levels, claimed)
    _draw_units(axes, levels, profile.values)
    tested = profile.optimum is not None
    _draw_means(axes, levels, profile.means, BLUE, filled=profile.optimum_set if tested else profile.levels)
    axes.set_ylim(limits or profile_limits([profile], baselines))
    _draw_baselines(axes, baselines or {})
    if tested:
        _draw_strip(axes, levels, profile.optimum_set, 0.05, "D", GREEN, "optimum set")
    if tested and claimed and claimed.extremum == "worst":
        _draw_strip(axes, levels, profile.worst_set, 0.95, "v", ORANGE, "worst set")
    levels.apply(axes)
    return figure


@in_house_style
def draw_losses(
    train: Profile | None, gap: Profile | None, title: str, *, limits: tuple[float, float] | None = None
) -> Figure:
    """Draw train and test loss at the last epoch, and the gap between them."""
    known = train or gap
    assert known is not None
    figure, axes = new_panel(title, format_factor(known.factor), "loss at the last epoch (lower is better)")
    levels = LevelAxis.of(known.levels)
    curves = _loss_curves(train, gap)
    for name, (means, color, marker, dashes) in curves.items():
        at = [place for place, mean in zip(levels.positions, means, strict=True) if mean.mean is not None]
        numbers = [mean.mean for mean in means if mean.mean is not None]
        if not numbers:
            continue
        axes.plot(at, numbers, color=color, lw=1.6, ls=dashes, zorder=3)
        _draw_whiskers(axes, levels, means, color)
        axes.plot(at, numbers, ls="none", marker=marker, ms=4.2, color=color, zorder=4)
        annotate(axes, at[-1], numbers[-1], name, offset=(0, 5), color=color, fontweight="bold", ha="right")
    if {"train loss", "test loss"} <= curves.keys():
        _shade_gap(axes, levels, *(curves[name][0] for name in ("train loss", "test loss")))
    levels.apply(axes)
    axes.set_ylim(limits or loss_limits([(train, gap)]))
    return figure


def profile_limits(profiles: Sequence[Profile], baselines: Mapping[str, float] | None = None) -> tuple[float, float]:
    """Return limits of the y axis that contain intervals, baselines and most units, but not every collapsed unit."""
    return padded_limits(_extent(profiles), list((baselines or {}).values()), above=0.16, below=0.16)


def loss_limits(pairs: Sequence[tuple[Profile | None, Profile | None]]) -> tuple[float, float] | None:
    """Return limits of the y axis that contain the curves of all pairs of train loss and gap; None without curves."""
    curves = [means for train, gap in pairs for means, *_ in _loss_curves(train, gap).values()]
    ends = [end for means in curves for mean in means for end in _ends(mean)]
    return padded_limits(ends, above=0.12) if ends else None


def visible_baselines(baselines: Mapping[str, float], profiles: Sequence[Profile]) -> dict[str, float]:
    """Return the baselines within `REACH` of the range of the data."""
    low, high = _extent(profiles)
    reach = REACH * ((high - low) or abs(high))
    return {name: value for name, value in baselines.items() if low - reach <= value <= high + reach}


def count_beyond(profiles: Sequence[Profile], limits: tuple[float, float]) -> int:
    """Return the number of values of single units outside the limits."""
    values = np.concatenate([np.ravel(profile.values) for profile in profiles])
    return int(((values < limits[0]) | (values > limits[1])).sum())


def _extent(profiles: Sequence[Profile]) -> tuple[float, float]:
    units = np.concatenate([np.ravel(profile.values) for profile in profiles])
    return data_limits(units, [mean for profile in profiles for mean in profile.means])


def _ends(mean: Estimate) -> list[float]:
    if mean.mean is None:
        return []
    half = mean.half_width or 0.0
    return [mean.mean - half, mean.mean + half]


def _draw_baselines(axes: Axes, baselines: Mapping[str, float]) -> None:
    """Draw one line per baseline, with its name in the margin, where it hides no unit."""
    if baselines:
        box = axes.get_position()
        axes.set_position((box.x0, box.y0, box.width - MARGIN / WIDTH, box.height))
    for name, value in baselines.items():
        axes.axhline(value, color=ORANGE, lw=1.1, ls=(0, (4, 2)), zorder=2)
        across = axes.get_yaxis_transform()
        annotate(axes, 1, value, name, xycoords=across, offset=(2, 0), ha="left", va="center", color=ORANGE, bbox=None)


def _draw_claimed(axes: Axes, levels: LevelAxis, claimed: Claimed) -> None:
    """Draw a band behind the levels that were named in advance."""
    named = [level for level in levels.levels if claimed.region.contains(level)]
    if named:
        axes.axvspan(*levels.edges(named), color=GREEN if claimed.extremum == "best" else ORANGE, alpha=0.09, lw=0)


def _draw_units(axes: Axes, levels: LevelAxis, values: Any) -> None:
    """Draw one line per unit, because levels are paired by unit; points if there is a single level."""
    draw_units(axes, levels.positions, values)
    if len(levels.positions) == 1:
        axes.plot(np.repeat(levels.positions, len(values)), np.ravel(values), ls="none", marker="o", ms=3, color=MUTED)


def _draw_means(axes: Axes, levels: LevelAxis, means: Sequence[Estimate], color: str, *, filled: Sequence[Any]) -> None:
    """Draw the line of the means, their intervals, and one point per level, filled if the level is in the set."""
    known = [
        (level, place, estimate.mean)
        for level, place, estimate in zip(levels.levels, levels.positions, means, strict=True)
        if estimate.mean is not None
    ]
    axes.plot([place for _, place, _ in known], [mean for *_, mean in known], color=color, lw=1.8, zorder=3)
    _draw_whiskers(axes, levels, means, color)
    for inside in (True, False):
        points = [(place, mean) for level, place, mean in known if (level in filled) is inside]
        if points:
            fill = color if inside else PAPER
            axes.plot(*zip(*points, strict=True), ls="none", marker="o", ms=5, mfc=fill, mec=color, mew=1.2, zorder=4)


def _draw_whiskers(axes: Axes, levels: LevelAxis, means: Sequence[Estimate], color: str) -> None:
    """Draw the 95 % intervals."""
    known = [(place, *_ends(mean)) for place, mean in zip(levels.positions, means, strict=True) if mean.half_width]
    if known:
        places, lows, highs = zip(*known, strict=True)
        axes.vlines(places, lows, highs, color=color, lw=1.2, zorder=3)


def _draw_strip(
    axes: Axes, levels: LevelAxis, chosen: Sequence[Any], height: float, marker: str, color: str, name: str
) -> None:
    """Draw a mark at each level of a set, at the bottom or the top of the axes, with lines between neighbors."""
    if not chosen:
        return
    ordered = sorted(range(len(levels.levels)), key=lambda at: levels.positions[at])
    across = axes.get_xaxis_transform()
    for left, right in pairwise(ordered):
        if {levels.levels[left], levels.levels[right]} <= set(chosen):
            ends = [levels.positions[left], levels.positions[right]]
            axes.plot(ends, [height] * 2, color=color, lw=1.4, transform=across, zorder=2)
    places = sorted(levels.position(level) for level in chosen)
    axes.plot(places, [height] * len(places), ls="none", marker=marker, ms=4, color=color, transform=across, zorder=3)
    lift, align = (5, "bottom") if height < 0.5 else (-5, "top")
    annotate(axes, 0.012, height, name, xycoords="axes fraction", offset=(0, lift), ha="left", va=align, color=color)


def _loss_curves(train: Profile | None, gap: Profile | None) -> dict[str, tuple[Sequence[Estimate], str, str, Any]]:
    """Return the means and the style of train and test loss; of the gap if there is no train loss."""
    if train is None:
        assert gap is not None
        return {"gap": (gap.means, INK, "o", "-")}
    curves: dict[str, tuple[Sequence[Estimate], str, str, Any]] = {"train loss": (train.means, BLUE, "o", "-")}
    if gap is not None and np.shape(gap.values) == np.shape(train.values):
        test = np.asarray(train.values) + np.asarray(gap.values)
        means = [Estimate.from_units([float(value) for value in level]) for level in test.T]
        curves["test loss"] = (means, ORANGE, "s", (0, (5, 1.6)))
    return curves


def _shade_gap(axes: Axes, levels: LevelAxis, train: Sequence[Estimate], test: Sequence[Estimate]) -> None:
    """Shade the gap."""
    pairs = zip(levels.positions, train, test, strict=True)
    known = [(place, a.mean, b.mean) for place, a, b in pairs if a.mean is not None and b.mean is not None]
    if len(known) > 1:
        places, low, high = (np.array(column, np.float64) for column in zip(*known, strict=True))
        axes.fill_between(places, low, high, color=MUTED, alpha=0.12, lw=0, zorder=1)
        middle = len(places) // 2
        annotate(axes, places[middle], (low[middle] + high[middle]) / 2, "gap", ha="center", va="center", bbox=None)


def describe_profile(profile: Profile) -> str:
    """Return the alternative text of `draw_profile`."""
    shown = "; ".join(
        f"{format_level(level)}: {format_number(mean.mean)}"
        for level, mean in zip(profile.levels, profile.means, strict=True)
    )
    text = f"{format_metric(profile.metric)} by {format_factor(profile.factor)}. Means: {shown}."
    if profile.optimum is not None:
        text += f" Best at {format_level(profile.optimum)}; optimum set: {phrase_levels(profile.optimum_set)}."
    return text
