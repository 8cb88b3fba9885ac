"""The sections of the report: for each topic its claims, and for each dataset figures, components and tables."""

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
from tcray.results.output.html.findings import ClaimSummary, ComponentSummary, summarize_claim, summarize_components
from tcray.results.output.html.svg import to_inline_svg
from tcray.results.output.panels import build_panels
from tcray.results.output.tables import build_tables
from tcray.results.output.verdict_text import select_findings

TITLES: Mapping[str, str] = {
    "rank-generalisation": "Rank and generalization",
    "rank-spectrum": "Rank and spectrum",
    "conditioning": "Shared prior: jWAE against LMF",
    "prior-strength": "Prior strength",
    "audio-dropout": "Audio dropout",
    "modal-asymmetry": "Contribution of each modality",
    "robustness": "Robustness",
    "search": "The search",
}
"""Titles of topics, in reading order."""

CLAIMS_OF: Mapping[str, tuple[str, ...]] = {"modal-asymmetry": ("weak-modality", "modal-asymmetry")}
"""The claims of a topic; every other topic has at most the claim of its own name."""

NUMBERS = "The numbers behind the figures"


@dataclass(frozen=True, slots=True)
class RenderedPanel:
    """A panel on the page."""

    svg: Markup
    alt_text: str


@dataclass(frozen=True, slots=True)
class RenderedGroup:
    """A group of panels on the page."""

    anchor: str
    panels: tuple[RenderedPanel, ...]
    caption: str
    notes: tuple[str, ...]

    @classmethod
    def of(cls, group: PanelGroup, anchor: str) -> RenderedGroup:
        """Draw the panels of a group; every id in them begins with `anchor`."""
        panels = tuple(
            RenderedPanel(to_inline_svg(panel.draw(), f"{anchor}-{at}-"), f"{panel.name}. {panel.alt_text}")
            for at, panel in enumerate(group.panels)
        )
        return cls(anchor, panels, group.caption, group.notes)


@dataclass(frozen=True, slots=True)
class Details:
    """A `<details>` element: its title, and the panels or tables that it hides."""

    title: str
    groups: tuple[RenderedGroup, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetPart:
    """The part of a section about one dataset, or about all of them if `dataset` is empty."""

    dataset: str
    source: str
    groups: tuple[RenderedGroup, ...]
    components: tuple[ComponentSummary, ...]
    details: tuple[Details, ...]


@dataclass(frozen=True, slots=True)
class TopicSection:
    """A topic: its claims, then one part per dataset."""

    anchor: str
    title: str
    claims: tuple[ClaimSummary, ...]
    parts: tuple[DatasetPart, ...]
    notes: tuple[str, ...] = ()


def build_sections(results: Results) -> Iterator[TopicSection]:
    """Yield the topics that the sweep makes a claim about, then the others that it measured; the search comes last."""
    groups = group_by(build_panels(results), lambda group: group.topic)
    tables = group_by(build_tables(results), lambda table: table.topic)
    claims = {topic: _select_claims(topic, results.sweep.claims) for topic in dict.fromkeys([*TITLES, *groups])}
    for topic in sorted(claims, key=lambda topic: (not claims[topic], topic == "search")):
        notes = results.search.notes if topic == "search" else ()
        if topic in groups or topic in tables or claims[topic] or notes:
            own = groups.get(topic, []), tables.get(topic, [])
            yield TopicSection(
                anchor=_to_anchor(topic),
                title=TITLES.get(topic, capitalize(format_factor(topic))),
                claims=tuple(summarize_claim(name, results) for name in claims[topic]),
                parts=tuple(_build_parts(results, topic, claims[topic], *own)),
                notes=notes,
            )


def _select_claims(topic: str, names: Sequence[str]) -> list[str]:
    """Return the claims of a topic among those of the sweep."""
    return [name for name in CLAIMS_OF.get(topic, (topic,)) if name in names]


def _build_parts(
    results: Results, topic: str, claims: Sequence[str], groups: Sequence[PanelGroup], tables: Sequence[Table]
) -> Iterator[DatasetPart]:
    """Yield the part of a topic for each dataset."""
    sources = {card["name"]: card["source"] for card in results.manifest["cards"]}
    tested = [finding.measured.dataset for name in claims for finding in select_findings(name, results.findings)]
    for dataset in dict.fromkeys([*(group.dataset for group in groups), *(table.dataset for table in tables), *tested]):
        own = [group for group in groups if group.dataset == dataset]
        rendered = [
            (group.details, RenderedGroup.of(group, _to_anchor(f"{topic}-{dataset}-{at}")))
            for at, group in enumerate(own)
        ]
        yield DatasetPart(
            dataset,
            sources.get(dataset, ""),
            tuple(group for title, group in rendered if not title),
            tuple(c for name in claims for c in summarize_components(name, dataset, results.findings)),
            tuple(_build_details(rendered, [table for table in tables if table.dataset == dataset])),
        )


def _build_details(groups: Sequence[tuple[str, RenderedGroup]], tables: Sequence[Table]) -> Iterator[Details]:
    """Yield the hidden groups by title, then the tables."""
    for title, within in group_by(groups, lambda one: one[0]).items():
        if title:
            yield Details(title, groups=tuple(group for _, group in within))
    if tables:
        yield Details(NUMBERS, tables=tuple(tables))


def _to_anchor(text: str) -> str:
    """Return a text without the characters that have a meaning in ids or selectors."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", text)
