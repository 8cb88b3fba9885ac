"""Tables of the ordered factors: a row a level, a column a stratum and metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tcray.results.analysis import Results
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import (
    NONE,
    format_count,
    format_dataset,
    format_estimate,
    format_factor,
    format_level,
    format_metric,
    format_p,
    format_stratum,
)
from tcray.results.display.table import Cell, Head, Numbered, Table, heads, name
from tcray.results.rank.analysis import Profile
from tcray.results.rank.panels import CLAIMED, topic_of


def rank_tables(results: Results) -> Iterator[Numbered]:
    """Of every factor and dataset: a row a level, a column a stratum and metric."""
    complete = (profile for profile in results.profiles if len(profile.values))
    groups = group_by(complete, lambda profile: (profile.factor, profile.dataset, profile.source))
    for (factor, dataset, source), profiles in groups.items():
        levels = list(dict.fromkeys(level for profile in profiles for level in profile.levels))
        strata = group_by(profiles, lambda profile: format_stratum(profile.stratum))
        ordered = [profile for stratum in strata.values() for profile in stratum]
        over = [Head(stratum, len(within)) for stratum, within in strata.items()]
        top = ((Head("", kind="words"), *over),) if list(strata) != [""] else ()
        rows = [(name(format_level(lv)), *(_at_level(p, lv) for p in ordered)) for lv in levels]
        if any(profile.p_peak is not None for profile in ordered):
            rows.append((name("best between the ends, p"), *(Cell(format_p(profile.p_peak)) for profile in ordered)))
            rows.append((name("two lines, p"), *(Cell(format_p(profile.p_two_lines)) for profile in ordered)))
        counted = format_count(max(len(profile.values) for profile in profiles), profiles[0].unit)
        of = f"mean ± half the 95 % interval over {counted}, by {format_factor(factor)}"
        caption = f"{format_dataset(dataset, source)}: {of}"
        table = Table(
            caption,
            (*top, heads([format_factor(factor)], [format_metric(profile.metric) for profile in ordered])),
            tuple(rows),
            note=_marks(ordered),
        )
        yield topic_of(factor), dataset, table


def _marks(profiles: Sequence[Profile]) -> str:
    """What the marks behind numbers mean."""
    if all(profile.optimum is None for profile in profiles):
        return ""
    worst = ", ▼ the truly worst one" if _asks_for_worst(profiles[0]) else ""
    marks = f"◆ may be the truly best level{worst} (95 % confidence sets); bold: the best mean"
    return f"{marks}; p over retraining, not corrected."


def _asks_for_worst(profile: Profile) -> bool:
    claimed = CLAIMED.get(profile.factor)
    return claimed is not None and claimed[1].extremum == "worst"


def _at_level(profile: Profile, level: Any) -> Cell:
    if level not in profile.levels:
        return Cell(NONE)
    tested = profile.optimum is not None and profile.purpose in ("generalisation", "secondary")
    best, worst = (
        tested and level in profile.optimum_set,
        tested and _asks_for_worst(profile) and level in profile.worst_set,
    )
    mark = (" ◆" if best else "") + (" ▼" if worst else "")
    return Cell(
        format_estimate(profile.means[profile.levels.index(level)]) + mark, strong=tested and level == profile.optimum
    )
