"""Plates of the spectra: effective rank, energies of the rank factors, unfoldings, and the gap against them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tcray.results.analysis import Results
from tcray.results.display.grouping import grouped
from tcray.results.display.labels import place_label
from tcray.results.display.panels import Panel, PanelGroup, panel_name, panel_title, units_words
from tcray.results.spectrum.analysis import Spectrum
from tcray.results.spectrum.figure import (
    effective_rank_figure,
    energies_figure,
    gap_figure,
    spectrum_words,
    unfolded_figure,
)

TOPIC = "rank-spectrum"

MANY = 4
"""Strata; of more the spectra are not drawn."""

DRAWER = "Spectra of rank factors and unfoldings"

GAP_CAPTION = (
    "Test less train loss at the last epoch against effective rank: each unit's ranks joined, and their means."
)
SPECTRA_CAPTION = (
    "Shares of the rank factors in the fusion's energy, and singular values of the fusion tensor unfolded along each "
    "modality as shares of their sum: means over runs, a line a rank."
)


def spectrum_plates(results: Results) -> Iterator[PanelGroup]:
    """Of every dataset: effective rank, the gap against it, and spectra; strata side by side."""
    for (dataset, source), parts in grouped(results.spectra, lambda part: (part.dataset, part.source)).items():
        complete = [part for part in parts if len(part.effective_rank)]
        notes = tuple(_incomplete(parts))
        ranks = tuple(map(_effective_rank, complete))
        yield PanelGroup(TOPIC, dataset, source, _rank_caption(complete) if complete else "", ranks, notes)
        gaps = tuple(_gap(part) for part in complete if part.gap is not None)
        if gaps:
            yield PanelGroup(TOPIC, dataset, source, GAP_CAPTION, gaps)
        if len(complete) <= MANY:
            for part in complete:
                yield PanelGroup(TOPIC, dataset, source, SPECTRA_CAPTION, tuple(_spectra(part)), drawer=DRAWER)
        else:
            note = (
                f"The spectra of so many strata ({len(complete)}) are not drawn; `tcray results --json` has them all."
            )
            yield PanelGroup(TOPIC, dataset, source, "", (), (note,))


def _effective_rank(part: Spectrum) -> Panel:
    of = (part.dataset, part.source, part.stratum)
    draw = partial(effective_rank_figure, part, panel_title(*of))
    return Panel(panel_name(*of, "effective rank"), spectrum_words(part), draw)


def _gap(part: Spectrum) -> Panel:
    of = (part.dataset, part.source, part.stratum)
    shown = "Generalisation gap against effective rank, a line a unit."
    draw = partial(gap_figure, part, panel_title(*of))
    return Panel(panel_name(*of, "gap against effective rank"), shown, draw)


def _spectra(part: Spectrum) -> Iterator[Panel]:
    """Of the rank factors, and of the fusion tensor along each modality."""
    of = (part.dataset, part.source, part.stratum)
    if part.energies:
        shown = "Energies of the rank factors, strongest first, a line a rank."
        draw = partial(energies_figure, part, panel_title(*of, "rank factors"))
        yield Panel(panel_name(*of, "factor energies"), shown, draw)
    for modality in part.unfolded:
        shown = f"Singular values of the fusion tensor unfolded along {modality}, a line a rank."
        draw = partial(unfolded_figure, part, modality, panel_title(*of, f"along {modality}"))
        yield Panel(panel_name(*of, f"unfolded along {modality}"), shown, draw)


def _rank_caption(parts: list[Spectrum]) -> str:
    units = max(len(part.effective_rank) for part in parts)
    return (
        "Effective rank: how many equal rank factors would spread the fusion's energy as its own do; the dashed line "
        f"is the rank that it was given. {units_words(units, parts[0].unit)} The dark line is their mean."
    )


def _incomplete(parts: list[Spectrum]) -> Iterator[str]:
    for part in parts:
        if not len(part.effective_rank):
            yield f"{place_label(part)}: no {part.unit} is complete over all ranks, so nothing is drawn."
