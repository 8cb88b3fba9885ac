"""Tables of the ordered factors: every metric by level, and the best level of each curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from tcray.results.display.grouping import group_by
from tcray.results.display.labels import (
    MISSING,
    format_count,
    format_dataset,
    format_estimate,
    format_factor,
    format_level,
    format_metric,
    format_p,
    format_place_short,
    format_stratum,
)
from tcray.results.display.table import ALWAYS, ColumnSpec, Table, TableRow
from tcray.results.rank.analysis import Profile
from tcray.results.rank.panels import CLAIMED, topic_of


def build_level_tables(profiles: Sequence[Profile]) -> Iterator[Table]:
    """Yield a table per factor and dataset: one row per level, one column per stratum and metric."""
    complete = (profile for profile in profiles if len(profile.values))
    groups = group_by(complete, lambda profile: (profile.factor, profile.dataset, profile.source))
    for (factor, dataset, source), own in groups.items():
        levels = list(dict.fromkeys(level for profile in own for level in profile.levels))
        strata = group_by(own, lambda profile: format_stratum(profile.stratum))
        ordered = [profile for stratum in strata.values() for profile in stratum]
        columns = (
            ColumnSpec(format_factor(factor), "name", ALWAYS),
            *(ColumnSpec(format_metric(p.metric), group=format_stratum(p.stratum)) for p in ordered),
        )
        rows = [_build_level_row(level, ordered) for level in levels]
        if any(profile.p_peak is not None for profile in ordered):
            rows.append(TableRow(("best between the ends, p", *(format_p(profile.p_peak) for profile in ordered))))
            rows.append(TableRow(("two lines, p", *(format_p(profile.p_two_lines) for profile in ordered))))
        counted = format_count(max(len(profile.values) for profile in own), own[0].unit)
        of = f"mean ± half the 95 % interval over {counted}, by {format_factor(factor)}"
        notes = tuple(filter(None, [_explain_marks(ordered)]))
        yield Table(f"{format_dataset(dataset, source)}: {of}", columns, tuple(rows), notes, topic_of(factor), dataset)


def build_optimum_tables(profiles: Sequence[Profile]) -> Iterator[Table]:
    """Yield a table per factor: for each curve of a primary metric its best level and the set of possible optima."""
    known = (profile for profile in profiles if profile.purpose == "generalisation" and profile.optimum is not None)
    for factor, own in group_by(known, lambda profile: profile.factor).items():
        columns = (
            ColumnSpec(f"best {format_factor(factor)}", "name", ALWAYS),
            ColumnSpec("test metric", "text", ALWAYS),
            ColumnSpec("by its\nmean", priority=ALWAYS),
            ColumnSpec("in truth, with\n95 %", "text", ALWAYS),
            ColumnSpec("between the\nends, p", priority=1),
            ColumnSpec("two lines,\np", priority=2),
        )
        rows = tuple(
            TableRow(
                (
                    format_place_short(profile),
                    format_metric(profile.metric.removeprefix("test.")),
                    format_level(profile.optimum),
                    format_level_ranges(profile.optimum_set, profile.levels),
                    format_p(profile.p_peak),
                    format_p(profile.p_two_lines),
                )
            )
            for profile in own
        )
        yield Table("", columns, rows, topic=topic_of(factor)).drop_empty_columns()


def format_level_ranges(chosen: Sequence[Any], levels: Sequence[Any]) -> str:
    """Return levels of a factor with neighbors joined by a dash: `any`, `2–4`, `1–3, 8`."""
    if set(chosen) == set(levels):
        return "any"
    ranges = [list(within) for is_chosen, within in groupby(levels, lambda level: level in chosen) if is_chosen]
    ends = [(format_level(within[0]), format_level(within[-1])) for within in ranges]
    return ", ".join(low if low == high else f"{low}–{high}" for low, high in ends) or MISSING


def _build_level_row(level: Any, profiles: Sequence[Profile]) -> TableRow:
    best = frozenset(at for at, profile in enumerate(profiles, 1) if _is_tested(profile) and level == profile.optimum)
    return TableRow((format_level(level), *(_format_at_level(profile, level) for profile in profiles)), bold=best)


def _format_at_level(profile: Profile, level: Any) -> str:
    """Return a mean with its interval, and marks if the level may be the best or the worst."""
    if level not in profile.levels:
        return MISSING
    text = format_estimate(profile.means[profile.levels.index(level)])
    if _is_tested(profile) and level in profile.optimum_set:
        text += " ◆"
    if _is_tested(profile) and _claims_worst(profile) and level in profile.worst_set:
        text += " ▼"
    return text


def _is_tested(profile: Profile) -> bool:
    return profile.optimum is not None and profile.purpose in ("generalisation", "secondary")


def _claims_worst(profile: Profile) -> bool:
    """True if a claim about the factor names its worst levels."""
    claimed = CLAIMED.get(profile.factor)
    return claimed is not None and claimed[1].extremum == "worst"


def _explain_marks(profiles: Sequence[Profile]) -> str:
    """Return a legend for the marks beside the numbers; empty if there are none."""
    if all(profile.optimum is None for profile in profiles):
        return ""
    worst = ", ▼ the truly worst one" if _claims_worst(profiles[0]) else ""
    marks = f"◆ may be the truly best level{worst} (95 % confidence sets); bold: the best mean"
    return f"{marks}; p over retraining, not corrected."
