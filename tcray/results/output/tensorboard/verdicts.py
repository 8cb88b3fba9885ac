"""What a sweep concludes as TensorBoard shows it: a text in Markdown, and figures."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tcray.claims.verdicts import ALL, Finding
from tcray.config.claims import CLAIMS
from tcray.results.display.labels import NONE, format_count, format_dataset, format_place
from tcray.results.output.tensorboard.events import image, text
from tcray.results.output.verdict_text import (
    NOTHING,
    format_basis,
    format_component,
    format_unbeaten,
    select_findings,
    select_verdicts,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from tensorboard.compat.proto.summary_pb2 import Summary

    from tcray.results.analysis import Results

VERDICTS = "verdicts"
"""The tag of the text."""


def verdict_values(results: Results, bare: Sequence[str]) -> Iterator[Summary.Value]:
    """The text, and the figures of what the sweep claims, or all where it claims nothing.

    bare   the cells without curves, as TensorBoard names them
    """
    from tcray.results.output.panels import plates

    yield text(VERDICTS, markdown(results, bare))
    for plate in plates(results):
        # All figures of a report would take longer to draw than all else together.
        if plate.topic in (results.sweep.claims or [plate.topic]):
            for panel in plate.panels:
                yield image(f"{plate.topic}/{panel.name}", png(panel.draw()))


def markdown(results: Results, bare: Sequence[str]) -> str:
    """The text: question, data, and for each claim its verdicts in words and its parts in a table."""
    sections = [f"# {results.sweep_id}", results.sweep.question, _data(results), *results.ranking.notes]
    for claim in results.sweep.claims:
        findings = select_findings(claim, results.findings)
        sections += [
            f"## {claim}",
            f"*{CLAIMS[claim].question}*",
            _verdicts(select_verdicts(claim, results)),
            _parts(findings),
        ]
    if results.sweep.claims:
        sections += [format_unbeaten(results.findings), _caption(results)]
    else:
        sections.append("The sweep claims nothing, so there is no verdict.")
    sections.append(_without_curves(bare))
    return "\n\n".join(section for section in sections if section) + "\n"


def png(figure: Figure) -> bytes:
    """A figure in its own resolution, without a word on what drew it."""
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


def _data(results: Results) -> str:
    cards = results.manifest["cards"]
    join_words = ", ".join(format_dataset(card["name"], card["source"]) for card in cards)
    twins = any(card["source"] == "twin" for card in cards)
    return f"Data: {join_words}.{' A twin is synthetic, with a planted truth.' if twins else ''}"


def _verdicts(findings: Sequence[Finding]) -> str:
    """In words, a line a place."""
    lines = [
        f"- **{f.verdict}** on {format_place(f.measured)}{format_basis(f)}. {f.sentence}" for f in findings
    ]
    return "\n".join(lines) or NOTHING


def _parts(findings: Sequence[Finding]) -> str:
    """The verdict on each component wherever it was asked; nothing where none bears one.

    No sentence may stand in a table: TensorBoard breaks the words of the columns beside it.
    """
    judged = [f for f in findings if f.measured.component != ALL and f.verdict != "descriptive"]
    if not judged:
        return ""
    parts = list(dict.fromkeys(finding.measured.component for finding in judged))
    verdicts = {(format_place(f.measured), f.measured.component): f.verdict for f in judged}
    places = dict.fromkeys(place for place, _ in verdicts)
    rows = [[place, *(verdicts.get((place, part), NONE) for part in parts)] for place in places]
    head = ["", *map(format_component, parts)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _caption(results: Results) -> str:
    """How p is to be read."""
    looks = f" ({format_count(results.looks, 'look')} at these data)" if results.looks > 1 else ""
    return (
        "p is for what is claimed, corrected (Holm) for how many datasets and strata were asked, and held against "
        f"{results.alpha:.3g}{looks}."
    )


def _without_curves(bare: Sequence[str]) -> str:
    if not bare:
        return ""
    join_words = "\n".join(f"- {name}" for name in bare)
    return f"Without a curve, since no confirm run is complete: {format_count(len(bare), 'cell')}.\n\n{join_words}"
