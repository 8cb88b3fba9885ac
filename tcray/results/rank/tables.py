"""Tables of the ordered factors: a row a level, a column a stratum and metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tcray.results.analysis import Results
from tcray.results.display.grouping import grouped
from tcray.results.display.labels import (
    NONE,
    dataset_label,
    estimate_label,
    factor_label,
    level_label,
    metric_label,
    p_label,
    plural,
    stratum_label,
)
from tcray.results.display.table import Cell, Head, Numbered, Table, heads, name
from tcray.results.rank.analysis import Profile
from tcray.results.rank.panels import CLAIMED, topic_of


def profile_tables(results: Results) -> Iterator[Numbered]:
    """Of every factor and dataset: a row a level, a column a stratum and metric."""
    complete = (profile for profile in results.profiles if len(profile.values))
    groups = grouped(complete, lambda profile: (profile.factor, profile.dataset, profile.source))
    for (factor, dataset, source), profiles in groups.items():
        levels = list(dict.fromkeys(level for profile in profiles for level in profile.levels))
        strata = grouped(profiles, lambda profile: stratum_label(profile.stratum))
        ordered = [profile for stratum in strata.values() for profile in stratum]
        over = [Head(stratum, len(within)) for stratum, within in strata.items()]
        top = ((Head("", kind="words"), *over),) if list(strata) != [""] else ()
        rows = [(name(level_label(lv)), *(_at_level(p, lv) for p in ordered)) for lv in levels]
        if any(profile.p_peak is not None for profile in ordered):
            rows.append((name("best between the ends, p"), *(Cell(p_label(profile.p_peak)) for profile in ordered)))
            rows.append((name("two lines, p"), *(Cell(p_label(profile.p_two_lines)) for profile in ordered)))
        counted = plural(max(len(profile.values) for profile in profiles), profiles[0].unit)
        caption = (
            f"{dataset_label(dataset, source)}: mean ± half the 95 % interval over {counted}, by {factor_label(factor)}"
        )
        table = Table(
            caption,
            (*top, heads([factor_label(factor)], [metric_label(profile.metric) for profile in ordered])),
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
        estimate_label(profile.means[profile.levels.index(level)]) + mark, strong=tested and level == profile.optimum
    )
