"""Panels of the search phase: its history, importances, and the optimism of the selection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from tcray.claims.wording import capitalize
from tcray.config.messages import join_words
from tcray.results.display.labels import format_metric
from tcray.results.display.panels import Panel, PanelGroup, build_panel
from tcray.results.search.analysis import History, Importance, Optimism, SearchAnalysis
from tcray.results.search.figure import (
    describe_history,
    describe_importances,
    describe_optimism,
    draw_history,
    draw_importances,
    draw_optimism,
)

TOPIC = "search"


def build_search_panels(search: SearchAnalysis) -> Iterator[PanelGroup]:
    """Yield the histories of all datasets side by side, importances, and the optimism of the selection."""
    yield from _build_histories([part for part in search.histories if part.trials])
    yield from _build_importances(search.importances)
    yield from _build_optimisms([part for part in search.optimisms if part.optimism.mean is not None])


def _build_histories(parts: Sequence[History]) -> Iterator[PanelGroup]:
    if parts:
        caption = (
            f"{format_metric(parts[0].objective)} of every trial, at the best epoch that it reached, in the "
            "order of its search; the searches of all cells and repeats stand side by side within a step. Pruned "
            "trials (×) were stopped early and show their value at that time. Dark: the best trial so far, as the "
            "median and quartiles over searches if there are many. The worst outliers lie off the scale."
        )
        panels = (
            build_panel((part.dataset, part.source, {}), "history", describe_history(part), partial(draw_history, part))
            for part in parts
        )
        yield PanelGroup(TOPIC, "", "", capitalize(caption), tuple(panels))


def _build_importances(parts: Sequence[Importance]) -> Iterator[PanelGroup]:
    if parts:
        named = join_words(dict.fromkeys(part.evaluator for part in parts), "and")
        caption = (
            f"Share of each tuned hyperparameter in what sets the best trials apart ({named}; "
            f"Watanabe et al. 2023), as trials stood after {parts[0].rung} epochs, mean over cells, with the standard "
            "deviation between them. Trials that were pruned later count with their value at that epoch."
        )
        panels = (
            build_panel(
                (part.dataset, part.source, {}),
                "importance",
                describe_importances(part),
                partial(draw_importances, part),
            )
            for part in parts
        )
        yield PanelGroup(TOPIC, "", "", caption, tuple(panels))


def _build_optimisms(parts: Sequence[Optimism]) -> Iterator[PanelGroup]:
    if parts:
        caption = (
            f"Difference by which {format_metric(parts[0].objective)} of the selected trials was better in the search "
            "than in their confirm runs: above 0 the search was too optimistic. Mean over repeats with its 95 % "
            "interval. This is why only confirm runs are tested."
        )
        panel = Panel("optimism", describe_optimism(parts), partial(draw_optimism, parts, "Optimism of the selection"))
        yield PanelGroup(TOPIC, "", "", caption, (panel,))
