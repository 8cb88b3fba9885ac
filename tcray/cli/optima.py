"""Where the curves over ordered factors are best, as a table: the level of best mean, and those that may be it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from tcray.cli.components import place
from tcray.cli.tables import NONE, Column, lines
from tcray.results.views.labels import factor_label, level_label, metric_label

if TYPE_CHECKING:
    from tcray.results.analyses.profiles import Profile


def show_optima(profiles: Sequence[Profile], *, console: Console | None = None) -> None:
    """Prints a table a factor, of the primary metrics; nothing where no curve has an optimum."""
    console = console or Console()
    known = [profile for profile in profiles if profile.purpose == "generalisation" and profile.optimum is not None]
    for factor in dict.fromkeys(profile.factor for profile in known):
        for line in lines(_columns(factor, [profile for profile in known if profile.factor == factor]), 0):
            console.print(Text(line), soft_wrap=True)
        console.print()


def _columns(factor: str, profiles: Sequence[Profile]) -> list[Column]:
    where = [place(profile.dataset, profile.source, profile.stratum) for profile in profiles]
    metrics = [metric_label(profile.metric.removeprefix("test.")) for profile in profiles]
    optima = [level_label(profile.optimum) for profile in profiles]
    sets = [_stretches(profile.optimum_set, profile.levels) for profile in profiles]
    return [
        Column((f"best {factor_label(factor)}",), tuple(where), right=False),
        Column(("test metric",), tuple(metrics), right=False),
        Column(("by its", "mean"), tuple(optima)),
        Column(("in truth, with", "95 %"), tuple(sets), right=False),
    ]


def _stretches(some: Sequence[Any], levels: Sequence[Any]) -> str:
    """Some levels of a factor, a dash for those in between: `any`, `2–4`, `1–3, 8`."""
    if set(some) == set(levels):
        return "any"
    within = groupby(levels, lambda level: level in some)
    stretches = [list(stretch) for held, stretch in within if held]
    ends = [(level_label(stretch[0]), level_label(stretch[-1])) for stretch in stretches]
    return ", ".join(low if low == high else f"{low}–{high}" for low, high in ends) or NONE
