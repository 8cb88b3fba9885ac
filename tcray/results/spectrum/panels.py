"""Panels of the spectra: effective rank, energies of the rank factors, unfoldings, and the gap against them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from tcray.results.display.grouping import group_by
from tcray.results.display.labels import format_place
from tcray.results.display.panels import Panel, PanelGroup, build_panel, describe_units
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
"""The largest number of strata whose spectra are drawn."""

DETAILS = "Spectra of rank factors and unfoldings"

GAP_CAPTION = (
    "Test minus train loss at the last epoch against effective rank: one line per unit, and the mean of each rank."
)
SPECTRA_CAPTION = (
    "Shares of the rank factors in the fusion's energy, and singular values of the fusion tensor unfolded along each "
    "modality as shares of their sum: means over runs, one line per rank."
)


def build_spectrum_panels(spectra: Sequence[Spectrum]) -> Iterator[PanelGroup]:
    """Yield the panels of each dataset: effective rank, the gap against it, and spectra; strata side by side."""
    for (dataset, source), parts in group_by(spectra, lambda part: (part.dataset, part.source)).items():
        complete = [part for part in parts if len(part.effective_rank)]
        notes = tuple(_explain_incomplete(parts))
        ranks = tuple(map(_build_rank_panel, complete))
        yield PanelGroup(TOPIC, dataset, source, _rank_caption(complete) if complete else "", ranks, notes)
        gaps = tuple(_build_gap_panel(part) for part in complete if part.gap is not None)
        if gaps:
            yield PanelGroup(TOPIC, dataset, source, GAP_CAPTION, gaps)
        if len(complete) <= MANY:
            for part in complete:
                yield PanelGroup(
                    TOPIC, dataset, source, SPECTRA_CAPTION, tuple(_build_spectra_panels(part)), details=DETAILS
                )
        else:
            note = f"{len(complete)} strata have too many spectra to draw; `tcray results --json` writes all of them."
            yield PanelGroup(TOPIC, dataset, source, "", (), (note,))


def _build_rank_panel(part: Spectrum) -> Panel:
    place = (part.dataset, part.source, part.stratum)
    return build_panel(place, "effective rank", describe_effective_rank(part), partial(draw_effective_rank, part))


def _build_gap_panel(part: Spectrum) -> Panel:
    place = (part.dataset, part.source, part.stratum)
    alt_text = "Generalization gap against effective rank, one line per unit."
    return build_panel(place, "gap against effective rank", alt_text, partial(draw_gap, part))


def _build_spectra_panels(part: Spectrum) -> Iterator[Panel]:
    """Yield the panel of the rank factors, and that of the fusion tensor along each modality."""
    place = (part.dataset, part.source, part.stratum)
    if part.energies:
        alt_text = "Energies of the rank factors, strongest first, one line per rank."
        yield build_panel(place, "factor energies", alt_text, partial(draw_factor_energies, part), "rank factors")
    for modality in part.unfolded:
        along = f"along {modality}"
        alt_text = f"Singular values of the fusion tensor unfolded {along}, one line per rank."
        yield build_panel(place, f"unfolded {along}", alt_text, partial(draw_unfolding, part, modality), along)


def _rank_caption(parts: list[Spectrum]) -> str:
    units = max(len(part.effective_rank) for part in parts)
    return (
        "Effective rank: the number of equal rank factors whose energy would be as spread out as that of the fusion; "
        f"the dashed line is its nominal rank. {describe_units(units, parts[0].unit)} The dark line is their mean."
    )


def _explain_incomplete(parts: list[Spectrum]) -> Iterator[str]:
    for part in parts:
        if not len(part.effective_rank):
            yield f"{format_place(part)}: no {part.unit} is complete over all ranks, so nothing is drawn."
