"""Panels of the shared prior: its effect at each rank, and the manipulation check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from tcray.config.messages import join_words
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import format_metric, format_place, format_stratum
from tcray.results.display.panels import Panel, PanelGroup, build_panel, describe_units
from tcray.results.prior.analysis import Conditioning
from tcray.results.prior.figure import (
    describe_differences,
    describe_manipulation_check,
    draw_differences,
    draw_manipulation_check,
)

TOPIC = "conditioning"


def build_prior_panels(conditionings: Sequence[Conditioning]) -> Iterator[PanelGroup]:
    """Yield the panels of each dataset and stratum: the difference in each metric over rank, the manipulation check."""
    groups = group_by(conditionings, lambda part: (part.dataset, part.source, format_stratum(part.stratum)))
    for (dataset, source, _), parts in groups.items():
        complete = [part for part in parts if len(part.differences)]
        panels = [_build_difference_panel(part) for part in complete]
        checked = [part for part in complete if any(value is not None for value in part.mmd2_jwae)]
        panels += [_build_check_panel(part) for part in checked[:1]]  # it is the same for every metric
        yield PanelGroup(TOPIC, dataset, source, _caption(complete), tuple(panels), tuple(_explain_incomplete(parts)))


def _build_difference_panel(part: Conditioning) -> Panel:
    place, metric = (part.dataset, part.source, part.stratum), format_metric(part.metric)
    alt_text, draw = describe_differences(part), partial(draw_differences, part)
    return build_panel(place, f"jWAE − LMF, {metric}", alt_text, draw, metric)


def _build_check_panel(part: Conditioning) -> Panel:
    place, name = (part.dataset, part.source, part.stratum), "manipulation check"
    return build_panel(place, name, describe_manipulation_check(part), partial(draw_manipulation_check, part), name)


def _caption(parts: list[Conditioning]) -> str:
    if not parts:
        return ""
    first = parts[0]
    metrics = join_words(dict.fromkeys(format_metric(part.metric) for part in parts), "and")
    halved = "At least halved, as required" if first.halved else "Not halved, so the claim is not testable here"
    return (
        f"jWAE minus LMF of the same rank and seeds, in {metrics}. "
        f"{describe_units(len(first.differences), first.unit)} The dark line is their mean, bars its 95 % interval "
        "over retraining; the interval of a filled point excludes zero; single units may lie off the scale. Bands: the "
        "low, medium and high ranks of the claim. Manipulation "
        f"check: MMD² between the latents and the prior on validation. {halved}."
    )


def _explain_incomplete(parts: list[Conditioning]) -> Iterator[str]:
    for part in parts:
        if not len(part.differences):
            yield (
                f"{format_place(part)}, {format_metric(part.metric)}: no {part.unit} is complete "
                "with and without the prior at all ranks, so nothing is drawn."
            )
