"""Plates of the search phase: how it went, what mattered, and how far it flattered itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tcray.claims.wording import capitalize
from tcray.config.messages import join_words
from tcray.results.analysis import Results
from tcray.results.display.labels import format_metric
from tcray.results.display.panels import Panel, PanelGroup, format_panel_name, format_panel_title
from tcray.results.search.figure import (
    describe_history,
    describe_importances,
    describe_optimism,
    draw_history,
    draw_importances,
    draw_optimism,
)

TOPIC = "search"


def search_panels(results: Results) -> Iterator[PanelGroup]:
    """Histories of all datasets side by side, importances, and the optimism of the selection."""
    yield from _histories(results)
    yield from _importances(results)
    yield from _optimisms(results)


def _histories(results: Results) -> Iterator[PanelGroup]:
    parts = [part for part in results.search.histories if part.trials]
    if parts:
        caption = (
            f"{format_metric(parts[0].objective)} of every trial, at its best epoch up to where it was trained, in the "
            "order of its search; the searches of all cells and repeats stand side by side within a step. Pruned "
            "trials (×) were stopped early, so theirs is the value by then. Dark: the trial that would be chosen of "
            "those so far, its median and quartiles over searches where they are many. The worst outliers lie off the "
            "scale."
        )
        panels = (
            Panel(
                format_panel_name(part.dataset, part.source, {}, "history"),
                describe_history(part),
                partial(draw_history, part, format_panel_title(part.dataset, part.source)),
            )
            for part in parts
        )
        yield PanelGroup(TOPIC, "", "", capitalize(caption), tuple(panels))


def _importances(results: Results) -> Iterator[PanelGroup]:
    parts = results.search.importances
    if parts:
        named = join_words(dict.fromkeys(part.evaluator for part in parts), "and")
        caption = (
            f"How much of what sets the best trials apart is due to each tuned hyperparameter ({named}; "
            f"Watanabe et al. 2023), as trials stood after {parts[0].rung} epochs, mean over cells, with the standard "
            "deviation between them. Trials that were pruned later count as they stood then."
        )
        panels = (
            Panel(
                format_panel_name(part.dataset, part.source, {}, "importance"),
                describe_importances(part),
                partial(draw_importances, part, format_panel_title(part.dataset, part.source)),
            )
            for part in parts
        )
        yield PanelGroup(TOPIC, "", "", caption, tuple(panels))


def _optimisms(results: Results) -> Iterator[PanelGroup]:
    parts = [part for part in results.search.optimisms if part.optimism.mean is not None]
    if parts:
        caption = (
            f"By how much {format_metric(parts[0].objective)} of the selected looked better in the search than in "
            "their confirm runs: above 0 the search flattered. Mean over repeats with its 95 % interval. It is why "
            "only confirm runs are tested."
        )
        panel = Panel("optimism", describe_optimism(parts), partial(draw_optimism, parts, "Optimism of the selection"))
        yield PanelGroup(TOPIC, "", "", caption, (panel,))
