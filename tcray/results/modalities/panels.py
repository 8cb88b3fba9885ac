"""Panels of the modalities' contributions: Shapley values, metrics of subsets, interactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from tcray.claims.wording import capitalize
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import format_count, format_metric
from tcray.results.display.panels import Panel, PanelGroup, format_panel_name, format_panel_title
from tcray.results.modalities.analysis import Contribution
from tcray.results.modalities.figure import (
    describe_interactions,
    describe_shapley_values,
    describe_subsets,
    draw_interactions,
    draw_shapley_values,
    draw_subsets,
)

TOPIC = "modal-asymmetry"

KINDS = {"retrained": "trained on each subset", "inference": "rest missing at test"}
"""How the value of a subset of modalities was measured."""


def build_modality_panels(contributions: Sequence[Contribution]) -> Iterator[PanelGroup]:
    """Yield the panels of each dataset: values, subsets and interactions, retrained and at inference side by side."""
    for (dataset, source), parts in group_by(contributions, lambda part: (part.dataset, part.source)).items():
        yield PanelGroup(TOPIC, dataset, source, _values_caption(parts), tuple(map(_values, parts)))
        yield PanelGroup(TOPIC, dataset, source, _subsets_caption(parts), tuple(map(_subsets, parts)))
        paired = [part for part in parts if part.shapley.interactions]
        if paired:
            yield PanelGroup(TOPIC, dataset, source, _interactions_caption(), tuple(map(_interactions, paired)))


def _name_and_title(part: Contribution, word: str) -> tuple[str, str]:
    kind = KINDS[part.kind]
    of = (part.dataset, part.source, part.stratum)
    return format_panel_name(*of, f"{word}, {kind}"), format_panel_title(*of, kind)


def _values(part: Contribution) -> Panel:
    name, title = _name_and_title(part, "Shapley values")
    return Panel(name, describe_shapley_values(part), partial(draw_shapley_values, part, title))


def _subsets(part: Contribution) -> Panel:
    name, title = _name_and_title(part, "subsets")
    return Panel(name, describe_subsets(part), partial(draw_subsets, part, title))


def _interactions(part: Contribution) -> Panel:
    name, title = _name_and_title(part, "interactions")
    return Panel(name, describe_interactions(part), partial(draw_interactions, part, title))


def _values_caption(parts: list[Contribution]) -> str:
    counted = format_count(max(part.n_units for part in parts), parts[0].unit)
    return (
        f"Each modality's exact Shapley value over all subsets, in {format_metric(parts[0].metric)} gained (losses are "
        "negated, so that a bar to the right helps); the bars sum to the gain of the full fusion over none. "
        "Trained on each subset: the value of a modality to a fusion that is tuned and trained for it. Rest missing at "
        "test: how far trained fusions rely on it, called reliance if they were trained without modality dropout. "
        f"Lines: 95 % intervals over {counted}, thick over retraining, thin over retraining and people."
    )


def _subsets_caption(parts: list[Contribution]) -> str:
    return (
        f"{capitalize(format_metric(parts[0].metric))} that each subset of modalities reaches, with 95 % intervals "
        "over retraining; the dashed line is the full fusion, and none is the best constant (trained on each subset) "
        "or the fusion with all modalities missing (rest missing at test)."
    )


def _interactions_caption() -> str:
    return (
        "Pairwise Shapley interaction index (Grabisch & Roubens 1999): + if two modalities are worth more together "
        "than apart, − if one can replace the other. The deeper the tint, the larger the index."
    )
