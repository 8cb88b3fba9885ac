"""What a sweep concludes as TensorBoard shows it: a text in Markdown, and figures."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tcray.results.analyses.finding import ALL, Finding
from tcray.results.views.events import image, text
from tcray.results.views.labels import NONE, dataset_label, p_label, plural, stratum_label
from tcray.spec.claims import CLAIMS

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from tensorboard.compat.proto.summary_pb2 import Summary

    from tcray.results.analyses.concluding import Results

VERDICTS = "verdicts"
"""The tag of the text."""


def verdict_values(results: Results, bare: Sequence[str]) -> Iterator[Summary.Value]:
    """The text, and the figures of what the sweep claims, or all where it claims nothing.

    bare   the cells without curves, as TensorBoard names them
    """
    from tcray.results.views.plates.catalogue import plates

    yield text(VERDICTS, told(results, bare))
    for plate in plates(results):
        # All figures of a report would take longer to draw than all else together.
        if plate.topic in (results.sweep.claims or [plate.topic]):
            for panel in plate.panels:
                yield image(f"{plate.topic}/{panel.name}", png(panel.draw()))


def told(results: Results, bare: Sequence[str]) -> str:
    """The text: question, data, and for each claim its verdicts in words and its parts in a table."""
    sections = [f"# {results.sweep_id}", results.sweep.question, _data(results), *results.ranking.notes]
    for claim in results.sweep.claims:
        findings = [finding for finding in results.findings if finding.measured.claim == claim]
        sections += [f"## {claim}", f"*{CLAIMS[claim].question}*", _verdicts(findings), _parts(findings)]
    if results.sweep.claims:
        sections.append(_caption(results))
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
    listed = ", ".join(dataset_label(card["name"], card["source"]) for card in cards)
    twins = any(card["source"] == "twin" for card in cards)
    return f"Data: {listed}.{' A twin is synthetic, with a planted truth.' if twins else ''}"


def _verdicts(findings: Sequence[Finding]) -> str:
    """A claim as a whole wherever it was asked; its components where they only describe."""
    wholes = [finding for finding in findings if finding.measured.component == ALL] or findings
    lines = [f"- **{finding.verdict}** on {_rests(finding)}. {finding.sentence}" for finding in wholes]
    return "\n".join(lines) or "Nothing can be said of it: no confirm run is complete."


def _parts(findings: Sequence[Finding]) -> str:
    """The verdict on each component wherever it was asked; nothing where none bears one.

    No sentence may stand in a table: TensorBoard breaks the words of the columns beside it.
    """
    judged = [f for f in findings if f.measured.component != ALL and f.verdict != "descriptive"]
    if not judged:
        return ""
    parts = list(dict.fromkeys(finding.measured.component for finding in judged))
    verdicts = {(_place(finding), finding.measured.component): finding.verdict for finding in judged}
    places = dict.fromkeys(map(_place, judged))
    rows = [[place, *(verdicts.get((place, part), NONE) for part in parts)] for place in places]
    head = ["", *(part.replace("-", " ") for part in parts)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _place(finding: Finding) -> str:
    """Dataset and stratum; a dataset that was left out has no source."""
    measured = finding.measured
    dataset = dataset_label(measured.dataset, measured.source) if measured.source else measured.dataset
    return ", ".join(filter(None, [dataset, stratum_label(measured.stratum)]))


def _rests(finding: Finding) -> str:
    """Where a verdict was reached, and on what it rests."""
    units = [plural(finding.measured.n_units, finding.measured.unit)] if finding.measured.n_units else []
    p = [f"p {p_label(finding.p_adjusted)}"] if finding.p_adjusted is not None else []
    return f"{_place(finding)} ({', '.join([*units, *p])})" if units or p else _place(finding)


def _caption(results: Results) -> str:
    """How p is to be read."""
    looks = f" ({plural(results.looks, 'look')} at these data)" if results.looks > 1 else ""
    return (
        "p is for what is claimed, corrected (Holm) for how many datasets and strata were asked, and held against "
        f"{results.alpha:.3g}{looks}."
    )


def _without_curves(bare: Sequence[str]) -> str:
    if not bare:
        return ""
    listed = "\n".join(f"- {name}" for name in bare)
    return f"Without a curve, since no confirm run is complete: {plural(len(bare), 'cell')}.\n\n{listed}"
