"""Panels of the modalities' contributions: Shapley values, metrics of subsets, interactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from matplotlib.figure import Figure

from tcray.claims.wording import capitalize
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import format_count, format_metric
from tcray.results.display.panels import Panel, PanelGroup, build_panel
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

INTERACTIONS_CAPTION = (
    "Pairwise Shapley interaction index (Grabisch & Roubens 1999): + if two modalities are worth more together than "
    "apart, − if one can replace the other. The deeper the tint, the larger the index."
)


def build_modality_panels(contributions: Sequence[Contribution]) -> Iterator[PanelGroup]:
    """Yield the panels of each dataset: values, subsets and interactions, retrained and at inference side by side."""
    for (dataset, source), parts in group_by(contributions, lambda part: (part.dataset, part.source)).items():
        values = _build_panels("Shapley values", parts, describe_shapley_values, draw_shapley_values)
        yield PanelGroup(TOPIC, dataset, source, _values_caption(parts), values)
        subsets = _build_panels("subsets", parts, describe_subsets, draw_subsets)
        yield PanelGroup(TOPIC, dataset, source, _subsets_caption(parts), subsets)
        paired = [part for part in parts if part.shapley.interactions]
        if paired:
            interactions = _build_panels("interactions", paired, describe_interactions, draw_interactions)
            yield PanelGroup(TOPIC, dataset, source, INTERACTIONS_CAPTION, interactions)


def _build_panels(
    name: str,
    parts: Sequence[Contribution],
    describe: Callable[[Contribution], str],
    draw: Callable[[Contribution, str], Figure],
) -> tuple[Panel, ...]:
    """Return one panel per contribution."""
    return tuple(
        build_panel(
            (part.dataset, part.source, part.stratum),
            f"{name}, {KINDS[part.kind]}",
            describe(part),
            partial(draw, part),
            KINDS[part.kind],
        )
        for part in parts
    )


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
