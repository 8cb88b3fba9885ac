"""Plates of robustness: every corruption over severity, by the sweep's factors, and its areas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from tcray.results.analyses.concluding import Results
from tcray.results.analyses.robustness import Robustness
from tcray.results.views.figures.robustness import (
    area_figure,
    corruption_label,
    curve_words,
    missing_figure,
    severity_figure,
    severity_limits,
)
from tcray.results.views.labels import capitalised, factor_label, metric_label, stratum_label
from tcray.results.views.plates.plate import Panel, Plate, panel_name, panel_title

TOPIC = "robustness"

Groups = Mapping[str, Sequence[Robustness]]
"""Parts by the levels of the factors that make the panels; those of one differ in the factor that makes the lines."""


def robustness_plates(results: Results) -> Iterator[Plate]:
    """Of every dataset and corruption: a panel a stratum, then relative robustness; at last effective robustness."""
    datasets: dict[tuple[str, str], list[Robustness]] = {}
    for part in results.robustness:
        datasets.setdefault((part.dataset, part.source), []).append(part)
    for parts in datasets.values():
        factor = lines_factor(parts)
        for corruption in dict.fromkeys(part.corruption for part in parts):
            yield _corruption_plate([part for part in parts if part.corruption == corruption], factor)
        if factor and any(part.effective is not None for part in parts):
            yield _effective_plate(parts, factor)


def lines_factor(parts: Sequence[Robustness]) -> str | None:
    """The factor with the most levels, which makes the lines of a panel; None where nothing varies."""
    levels = {name: len({str(part.stratum[name]) for part in parts}) for name in parts[0].stratum}
    most = max(levels, key=lambda name: levels[name], default=None)
    return most if most is not None and levels[most] > 1 else None


def _rest(part: Robustness, factor: str | None) -> dict[str, Any]:
    return {name: level for name, level in part.stratum.items() if name != factor}


def _corruption_plate(parts: Sequence[Robustness], factor: str | None) -> Plate:
    first = parts[0]
    groups: dict[str, list[Robustness]] = {}
    for part in parts:
        if any(value.mean is not None for value in part.values):
            groups.setdefault(stratum_label(_rest(part, factor)), []).append(part)
    named = corruption_label(first.corruption)
    panels = [_panel(group, factor, parts) for group in groups.values()]
    if factor and groups and first.severities and any(part.area.mean is not None for part in parts):
        panels.append(_relative(groups, factor, named))
    notes = () if groups else (f"{capitalised(named)}: no cell has complete runs, so nothing is drawn.",)
    return Plate(TOPIC, first.dataset, first.source, _caption(first, factor), tuple(panels), notes)


def _panel(group: Sequence[Robustness], factor: str | None, parts: Sequence[Robustness]) -> Panel:
    first = group[0]
    of, named = (first.dataset, first.source, _rest(first, factor)), corruption_label(first.corruption)
    title = panel_title(*of, named)
    draw = (
        partial(severity_figure, group, factor, title, limits=severity_limits(parts))
        if first.severities
        else partial(missing_figure, group, factor, title)
    )
    return Panel(panel_name(*of, named), curve_words(group, factor), draw)


def _relative(groups: Groups, factor: str, named: str) -> Panel:
    first = next(iter(groups.values()))[0]
    of: tuple[str, str, dict[str, Any]] = (first.dataset, first.source, {})
    draw = partial(area_figure, groups, factor, panel_title(*of, named, "relative"))
    return Panel(panel_name(*of, f"{named}, relative"), f"Relative robustness by {factor_label(factor)}.", draw)


def _effective_plate(parts: Sequence[Robustness], factor: str) -> Plate:
    """Effective robustness over the factor, a line a corruption, a panel a stratum that has a baseline."""
    first = parts[0]
    strata: dict[str, dict[str, list[Robustness]]] = {}
    for part in parts:
        if part.effective is not None:
            by_corruption = strata.setdefault(stratum_label(_rest(part, factor)), {})
            by_corruption.setdefault(corruption_label(part.corruption), []).append(part)
    panels = []
    for groups in strata.values():
        of = (first.dataset, first.source, _rest(next(iter(groups.values()))[0], factor))
        draw = partial(area_figure, groups, factor, panel_title(*of, "effective"), effective=True)
        panels.append(Panel(panel_name(*of, "effective"), f"Effective robustness by {factor_label(factor)}.", draw))
    caption = (
        "Effective robustness (MultiBench): by how much less the metric suffers, mean over severities, than that of "
        "the same cell without conditioning would from the same clean performance; above 0 is better. Means with 95 % "
        "intervals over retraining."
    )
    return Plate(TOPIC, first.dataset, first.source, caption, tuple(panels))


def _caption(part: Robustness, factor: str | None) -> str:
    named = capitalised(corruption_label(part.corruption))
    lines = f", a line a level of {factor_label(factor)}" if factor else ""
    if not part.severities:
        metric = capitalised(metric_label(part.metric))
        return f"{metric} of trained fusions with each combination of modalities missing at test (latents at 0)."
    said = f"{named}: {metric_label(part.metric)} against its severity{lines}; means over {part.unit}s."
    if factor:
        said += (
            " Relative robustness (MultiBench): the mean of a curve over its severities, with 95 % intervals over "
            "retraining."
        )
    return said
