"""Panels of robustness: areas over the factors of the sweep, missing modalities, and each corruption by severity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from tcray.claims.wording import capitalize
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import format_factor, format_metric, format_stratum
from tcray.results.display.panels import Panel, PanelGroup, Place, build_panel
from tcray.results.robustness.analysis import Robustness
from tcray.results.robustness.figure import (
    describe_severity_curves,
    draw_areas,
    draw_missing_modalities,
    draw_severity_curves,
    format_corruption,
    severity_limits,
)

TOPIC = "robustness"
DETAILS = "Curves over severity"

RELATIVE = (
    "Relative robustness (MultiBench): the mean of a curve over its severities, for each corruption. Means with 95 % "
    "intervals over retraining."
)
EFFECTIVE = (
    "Effective robustness (MultiBench): the mean over severities of the metric beyond what the same cell without "
    "conditioning would reach from the same clean performance; above 0 is better. Means with 95 % intervals over "
    "retraining."
)


def build_robustness_panels(parts: Sequence[Robustness]) -> Iterator[PanelGroup]:
    """Yield the panels of each dataset: areas over a factor, effective robustness, then each corruption."""
    for own in group_by(parts, lambda part: (part.dataset, part.source)).values():
        by_corruption = group_by(own, lambda part: part.corruption)
        factor = find_line_factor(own)
        if factor:
            yield from _build_area_groups(own, factor)
        for same in sorted(by_corruption.values(), key=lambda same: bool(same[0].severities)):
            yield _build_corruption_group(same, factor)


def find_line_factor(parts: Sequence[Robustness]) -> str | None:
    """Return the factor with the most levels, which are the lines of a panel; None if no factor varies."""
    levels = {name: len({str(part.stratum[name]) for part in parts}) for name in parts[0].stratum}
    most = max(levels, key=lambda name: levels[name], default=None)
    return most if most is not None and levels[most] > 1 else None


def _select_other_levels(part: Robustness, factor: str | None) -> dict[str, Any]:
    """Return the levels of all other factors, which have a panel each."""
    return {name: level for name, level in part.stratum.items() if name != factor}


def _build_area_groups(parts: Sequence[Robustness], factor: str) -> Iterator[PanelGroup]:
    """Yield relative robustness with one panel per corruption, and effective robustness with one per stratum."""
    first = parts[0]
    relative = group_by((part for part in parts if part.area.mean is not None), lambda part: part.corruption)
    if relative:
        panels = (_build_relative_panel(same, factor) for same in relative.values())
        yield PanelGroup(TOPIC, first.dataset, first.source, RELATIVE, tuple(panels))
    compared = (part for part in parts if part.effective is not None)
    effective = group_by(compared, lambda part: format_stratum(_select_other_levels(part, factor)))
    if effective:
        panels = (_build_effective_panel(same, factor) for same in effective.values())
        yield PanelGroup(TOPIC, first.dataset, first.source, EFFECTIVE, tuple(panels))


def _build_relative_panel(parts: Sequence[Robustness], factor: str) -> Panel:
    """Return a panel with one line per stratum."""
    name = format_corruption(parts[0].corruption)
    lines = group_by(parts, lambda part: format_stratum(_select_other_levels(part, factor)))
    alt_text = f"Relative robustness by {format_factor(factor)}."
    place: Place = (parts[0].dataset, parts[0].source, {})
    return build_panel(place, f"{name}, relative", alt_text, partial(draw_areas, lines, factor), name)


def _build_effective_panel(parts: Sequence[Robustness], factor: str) -> Panel:
    """Return a panel with one line per corruption."""
    place = (parts[0].dataset, parts[0].source, _select_other_levels(parts[0], factor))
    lines = group_by(parts, lambda part: format_corruption(part.corruption))
    alt_text, draw = (
        f"Effective robustness by {format_factor(factor)}.",
        partial(draw_areas, lines, factor, effective=True),
    )
    return build_panel(place, "effective", alt_text, draw, "effective")


def _build_corruption_group(parts: Sequence[Robustness], factor: str | None) -> PanelGroup:
    """Return one panel per stratum; they are details if the areas summarize them."""
    first = parts[0]
    complete = (part for part in parts if any(value.mean is not None for value in part.values))
    strata = group_by(complete, lambda part: format_stratum(_select_other_levels(part, factor)))
    panels = tuple(_build_corruption_panel(stratum, factor, parts) for stratum in strata.values())
    note = f"{capitalize(format_corruption(first.corruption))}: no cell has complete runs, so nothing is drawn."
    return PanelGroup(
        TOPIC,
        first.dataset,
        first.source,
        _caption(first, factor),
        panels,
        () if panels else (note,),
        DETAILS if factor and first.severities else "",
    )


def _build_corruption_panel(stratum: Sequence[Robustness], factor: str | None, parts: Sequence[Robustness]) -> Panel:
    first = stratum[0]
    place, name = (
        (first.dataset, first.source, _select_other_levels(first, factor)),
        format_corruption(first.corruption),
    )
    draw = (
        partial(draw_severity_curves, stratum, factor, limits=severity_limits(parts))
        if first.severities
        else partial(draw_missing_modalities, stratum, factor)
    )
    return build_panel(place, name, describe_severity_curves(stratum, factor), draw, name)


def _caption(part: Robustness, factor: str | None) -> str:
    if not part.severities:
        metric = capitalize(format_metric(part.metric))
        return f"{metric} of trained fusions with each combination of modalities missing at test (latents at 0)."
    lines = f", one line per level of {format_factor(factor)}" if factor else ""
    named = capitalize(format_corruption(part.corruption))
    return f"{named}: {format_metric(part.metric)} against its severity{lines}; means over {part.unit}s."
