"""Plates of the shared prior: what it changes at each rank, and whether it imposed itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tcray.config.messages import join_words
from tcray.results.analysis import Results
from tcray.results.display.grouping import grouped
from tcray.results.display.labels import metric_label, place_label, stratum_label
from tcray.results.display.panels import Panel, PanelGroup, panel_name, panel_title, units_words
from tcray.results.prior.analysis import Conditioning
from tcray.results.prior.figure import (
    difference_figure,
    difference_words,
    manipulation_figure,
    manipulation_words,
)

TOPIC = "conditioning"


def conditioning_plates(results: Results) -> Iterator[PanelGroup]:
    """Of every dataset and stratum: the difference in each metric over rank, and the manipulation check beside."""
    groups = grouped(results.conditionings, lambda part: (part.dataset, part.source, stratum_label(part.stratum)))
    for (dataset, source, _), parts in groups.items():
        complete = [part for part in parts if len(part.differences)]
        panels = [_difference(part) for part in complete]
        checked = [part for part in complete if any(value is not None for value in part.mmd2_jwae)]
        panels += [_manipulation(part) for part in checked[:1]]  # the same whatever the metric
        yield PanelGroup(TOPIC, dataset, source, _caption(complete), tuple(panels), tuple(_incomplete(parts)))


def _difference(part: Conditioning) -> Panel:
    of = (part.dataset, part.source, part.stratum)
    draw = partial(difference_figure, part, panel_title(*of, metric_label(part.metric)))
    return Panel(panel_name(*of, f"jWAE − LMF, {metric_label(part.metric)}"), difference_words(part), draw)


def _manipulation(part: Conditioning) -> Panel:
    of = (part.dataset, part.source, part.stratum)
    draw = partial(manipulation_figure, part, panel_title(*of, "manipulation check"))
    return Panel(panel_name(*of, "manipulation check"), manipulation_words(part), draw)


def _caption(parts: list[Conditioning]) -> str:
    if not parts:
        return ""
    first = parts[0]
    metrics = join_words(dict.fromkeys(metric_label(part.metric) for part in parts), "and")
    halved = "At least halved, as it has to be" if first.halved else "Not halved, so the claim is not testable here"
    return (
        f"jWAE less LMF of the same rank and seeds, in {metrics}. {units_words(len(first.differences), first.unit)} "
        "The dark line is their mean, bars its 95 % interval over retraining; a filled point's interval leaves out "
        "zero; single units may lie off the scale. Bands: the low, medium and high ranks of the claim. Manipulation "
        f"check: MMD² between the latents and the prior on validation. {halved}."
    )


def _incomplete(parts: list[Conditioning]) -> Iterator[str]:
    for part in parts:
        if not len(part.differences):
            yield (
                f"{place_label(part)}, {metric_label(part.metric)}: no {part.unit} is complete "
                "with and without the prior at all ranks, so nothing is drawn."
            )
