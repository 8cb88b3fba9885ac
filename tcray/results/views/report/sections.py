"""The sections of the report: a topic's claims, figures and tables together, dataset by dataset."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tcray.results.analyses.concluding import Results
from tcray.results.views.labels import capitalised, factor_label
from tcray.results.views.plates.catalogue import plates
from tcray.results.views.plates.plate import Plate
from tcray.results.views.report.findings import ClaimShown, ComponentShown, claim_shown, components_shown, datasets_of
from tcray.results.views.report.numbers import numbers
from tcray.results.views.report.svg import inline_svg
from tcray.results.views.report.table import Table

TITLES: Mapping[str, str] = {
    "rank-generalisation": "Rank and generalisation",
    "rank-spectrum": "Rank and spectrum",
    "conditioning": "Shared prior: jWAE against LMF",
    "prior-strength": "Prior strength",
    "audio-dropout": "Audio dropout",
    "modal-asymmetry": "What each modality contributes",
    "robustness": "Robustness",
    "search": "The search",
}
"""Of topics, in the order in which they are read."""

CLAIMS_OF: Mapping[str, tuple[str, ...]] = {"modal-asymmetry": ("weak-modality", "modal-asymmetry")}
"""The claims of a topic; of every other topic the one of its name, if there is such."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A panel as it stands on the page."""

    svg: Markup
    words: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A plate as it stands on the page."""

    figures: tuple[Figure, ...]
    caption: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What a section has on one dataset; on all of them where `dataset` is empty."""

    dataset: str
    source: str
    components: tuple[ComponentShown, ...]
    plates: tuple[Shown, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A topic: claims, then what was measured on each dataset."""

    anchor: str
    title: str
    claims: tuple[ClaimShown, ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()


def sections(results: Results) -> Iterator[Section]:
    """Every topic that the sweep claims something of, these first, or has measured something of."""
    drawn = _by_topic(plates(results))
    tabled: dict[str, dict[str, list[Table]]] = {}
    for topic, dataset, table in numbers(results):
        tabled.setdefault(topic, {}).setdefault(dataset, []).append(table)
    claimed = {topic: _claims(topic, results.sweep.claims) for topic in dict.fromkeys([*TITLES, *drawn])}
    for topic in sorted(claimed, key=lambda topic: (not claimed[topic], topic == "search")):
        claims = claimed[topic]
        here, tables = drawn.get(topic, []), tabled.get(topic, {})
        notes = results.search.notes if topic == "search" else ()
        if here or tables or claims or notes:
            yield Section(
                anchor=_anchor(topic),
                title=TITLES.get(topic, capitalised(factor_label(topic))),
                claims=tuple(claim_shown(name, results.findings) for name in claims),
                parts=tuple(_parts(results, topic, claims, here, tables)),
                notes=notes,
            )


def _claims(topic: str, asked: Sequence[str]) -> list[str]:
    """Those of a topic that the sweep puts to the test."""
    return [name for name in CLAIMS_OF.get(topic, (topic,)) if name in asked]


def _parts(
    results: Results, topic: str, claims: Sequence[str], plates: Sequence[Plate], tables: Mapping[str, Sequence[Table]]
) -> Iterator[Part]:
    """What a topic has on each dataset."""
    sources = {card["name"]: card["source"] for card in results.manifest["cards"]}
    told = [dataset for name in claims for dataset in datasets_of(name, results.findings)]
    for dataset in dict.fromkeys([*(plate.dataset for plate in plates), *tables, *told]):
        own = [plate for plate in plates if plate.dataset == dataset]
        yield Part(
            dataset,
            sources.get(dataset, ""),
            tuple(c for name in claims for c in components_shown(name, dataset, results.findings)),
            tuple(_shown(plate, _anchor(f"{topic}-{dataset}-{at}-")) for at, plate in enumerate(own)),
            tuple(tables.get(dataset, ())),
        )


def _anchor(text: str) -> str:
    """Without what an id or a selector gives a meaning to."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", text)


def _by_topic(plates: Iterable[Plate]) -> dict[str, list[Plate]]:
    topics: dict[str, list[Plate]] = {}
    for plate in plates:
        topics.setdefault(plate.topic, []).append(plate)
    return topics


def _shown(plate: Plate, prefix: str) -> Shown:
    figures = tuple(
        Figure(inline_svg(panel.draw(), f"{prefix}{at}-"), f"{panel.name}. {panel.words}")
        for at, panel in enumerate(plate.panels)
    )
    return Shown(figures, plate.caption, plate.notes)
