"""The sections of the report: a topic's claims, figures and tables together, dataset by dataset."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tcray.claims.wording import capitalize
from tcray.results.analysis import Results
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import format_factor
from tcray.results.display.panels import PanelGroup
from tcray.results.display.table import Table
from tcray.results.output.html.findings import ClaimShown, ComponentShown, claim_shown, components_shown
from tcray.results.output.html.svg import inline_svg
from tcray.results.output.html.tables import numbers
from tcray.results.output.panels import plates
from tcray.results.output.verdict_text import select_findings

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

NUMBERS = "The numbers behind the figures"


@dataclass(frozen=True, slots=True)
class Figure:
    """A panel as it stands on the page."""

    svg: Markup
    words: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A plate as it stands on the page."""

    anchor: str
    figures: tuple[Figure, ...]
    caption: str
    notes: tuple[str, ...]

    @classmethod
    def of(cls, plate: PanelGroup, anchor: str) -> Shown:
        """The plate with its figures drawn; every name in them begins with `anchor`."""
        figures = tuple(
            Figure(inline_svg(panel.draw(), f"{anchor}-{at}-"), f"{panel.name}. {panel.words}")
            for at, panel in enumerate(plate.panels)
        )
        return cls(anchor, figures, plate.caption, plate.notes)


@dataclass(frozen=True, slots=True)
class Drawer:
    """What lies behind its title until it is opened."""

    title: str
    plates: tuple[Shown, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What a section has on one dataset; on all of them where `dataset` is empty."""

    dataset: str
    source: str
    plates: tuple[Shown, ...]
    components: tuple[ComponentShown, ...]
    drawers: tuple[Drawer, ...]


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
    drawn = group_by(plates(results), lambda plate: plate.topic)
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
                title=TITLES.get(topic, capitalize(format_factor(topic))),
                claims=tuple(claim_shown(name, results) for name in claims),
                parts=tuple(_parts(results, topic, claims, here, tables)),
                notes=notes,
            )


def _claims(topic: str, asked: Sequence[str]) -> list[str]:
    """Those of a topic that the sweep puts to the test."""
    return [name for name in CLAIMS_OF.get(topic, (topic,)) if name in asked]


def _parts(
    results: Results,
    topic: str,
    claims: Sequence[str],
    plates: Sequence[PanelGroup],
    tables: Mapping[str, Sequence[Table]],
) -> Iterator[Part]:
    """What a topic has on each dataset."""
    sources = {card["name"]: card["source"] for card in results.manifest["cards"]}
    datasets = [finding.measured.dataset for name in claims for finding in select_findings(name, results.findings)]
    for dataset in dict.fromkeys([*(plate.dataset for plate in plates), *tables, *datasets]):
        own = [plate for plate in plates if plate.dataset == dataset]
        shown = [(plate.drawer, Shown.of(plate, _anchor(f"{topic}-{dataset}-{at}"))) for at, plate in enumerate(own)]
        yield Part(
            dataset,
            sources.get(dataset, ""),
            tuple(plate for drawer, plate in shown if not drawer),
            tuple(c for name in claims for c in components_shown(name, dataset, results.findings)),
            tuple(_drawers(shown, tables.get(dataset, ()))),
        )


def _drawers(shown: Sequence[tuple[str, Shown]], tables: Sequence[Table]) -> Iterator[Drawer]:
    """Plates by the drawer that each lies in, then the tables."""
    for title, within in group_by(shown, lambda one: one[0]).items():
        if title:
            yield Drawer(title, plates=tuple(plate for _, plate in within))
    if tables:
        yield Drawer(NUMBERS, tables=tuple(tables))


def _anchor(text: str) -> str:
    """Without what an id or a selector gives a meaning to."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", text)
