"""Where the curves over ordered factors are best: by their means, in truth, and whether that is between the ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.console import Console

from tcray.results.display.grouping import group_by
from tcray.results.display.labels import NONE, format_factor, format_level, format_metric, format_p, format_place_short
from tcray.results.output.terminal.prose import print_table
from tcray.results.output.terminal.table import Column, fitting, ruled
from tcray.results.rank.analysis import Profile


def show_optima(profiles: Sequence[Profile], console: Console) -> None:
    """Prints a table a factor, of the primary metrics; nothing where no curve has an optimum."""
    known = (profile for profile in profiles if profile.purpose == "generalisation" and profile.optimum is not None)
    for factor, own in group_by(known, lambda profile: profile.factor).items():
        columns = fitting(_columns(factor, own), console.width, taken=lambda some: max(map(len, ruled(some))), always=4)
        print_table(console, ruled(columns))


def _columns(factor: str, profiles: Sequence[Profile]) -> list[Column]:
    metrics = [format_metric(profile.metric.removeprefix("test.")) for profile in profiles]
    optima = [format_level(profile.optimum) for profile in profiles]
    sets = [_stretches(profile.optimum_set, profile.levels) for profile in profiles]
    named = [
        Column((f"best {format_factor(factor)}",), tuple(map(format_place_short, profiles)), right=False),
        Column(("test metric",), tuple(metrics), right=False),
        Column(("by its", "mean"), tuple(optima)),
        Column(("in truth, with", "95 %"), tuple(sets), right=False),
    ]
    if all(profile.p_peak is None for profile in profiles):
        return named
    peak = Column(("between the", "ends, p"), tuple(format_p(profile.p_peak) for profile in profiles))
    return [*named, peak, Column(("two lines,", "p"), tuple(format_p(profile.p_two_lines) for profile in profiles))]


def _stretches(some: Sequence[Any], levels: Sequence[Any]) -> str:
    """Some levels of a factor, a dash for those in between: `any`, `2–4`, `1–3, 8`."""
    if set(some) == set(levels):
        return "any"
    within = groupby(levels, lambda level: level in some)
    stretches = [list(stretch) for held, stretch in within if held]
    ends = [(format_level(stretch[0]), format_level(stretch[-1])) for stretch in stretches]
    return ", ".join(low if low == high else f"{low}–{high}" for low, high in ends) or NONE
