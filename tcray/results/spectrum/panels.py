"""Plates of the spectra: effective rank, energies of the rank factors, unfoldings, and the gap against them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tcray.results.analysis import Results
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import format_place
from tcray.results.display.panels import Panel, PanelGroup, describe_units, format_panel_name, format_panel_title
from tcray.results.spectrum.analysis import Spectrum
from tcray.results.spectrum.figure import (
    describe_effective_rank,
    draw_effective_rank,
    draw_factor_energies,
    draw_gap,
    draw_unfolding,
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


def spectrum_panels(results: Results) -> Iterator[PanelGroup]:
    """Of every dataset: effective rank, the gap against it, and spectra; strata side by side."""
    for (dataset, source), parts in group_by(results.spectra, lambda part: (part.dataset, part.source)).items():
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
    draw = partial(draw_effective_rank, part, format_panel_title(*of))
    return Panel(format_panel_name(*of, "effective rank"), describe_effective_rank(part), draw)


def _gap(part: Spectrum) -> Panel:
    of = (part.dataset, part.source, part.stratum)
    shown = "Generalisation gap against effective rank, a line a unit."
    draw = partial(draw_gap, part, format_panel_title(*of))
    return Panel(format_panel_name(*of, "gap against effective rank"), shown, draw)


def _spectra(part: Spectrum) -> Iterator[Panel]:
    """Of the rank factors, and of the fusion tensor along each modality."""
    of = (part.dataset, part.source, part.stratum)
    if part.energies:
        shown = "Energies of the rank factors, strongest first, a line a rank."
        draw = partial(draw_factor_energies, part, format_panel_title(*of, "rank factors"))
        yield Panel(format_panel_name(*of, "factor energies"), shown, draw)
    for modality in part.unfolded:
        shown = f"Singular values of the fusion tensor unfolded along {modality}, a line a rank."
        draw = partial(draw_unfolding, part, modality, format_panel_title(*of, f"along {modality}"))
        yield Panel(format_panel_name(*of, f"unfolded along {modality}"), shown, draw)


def _rank_caption(parts: list[Spectrum]) -> str:
    units = max(len(part.effective_rank) for part in parts)
    return (
        "Effective rank: how many equal rank factors would spread the fusion's energy as its own do; the dashed line "
        f"is the rank that it was given. {describe_units(units, parts[0].unit)} The dark line is their mean."
    )


def _incomplete(parts: list[Spectrum]) -> Iterator[str]:
    for part in parts:
        if not len(part.effective_rank):
            yield f"{format_place(part)}: no {part.unit} is complete over all ranks, so nothing is drawn."
