"""The verdicts and tables of a sweep in Markdown, for TensorBoard's Text tab."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tcray.config.claims import CLAIMS
from tcray.results.display.labels import format_count, format_dataset, format_metric, format_place
from tcray.results.display.table import Table, TableRow
from tcray.results.output.component_tables import build_component_table, explain_component_tables
from tcray.results.output.verdict_text import (
    NO_FINDINGS,
    format_basis,
    format_unbeaten,
    select_verdicts,
)

if TYPE_CHECKING:
    from tcray.claims.verdicts import Finding
    from tcray.results.analysis import Results
    from tcray.results.output.tensorboard.runs import ComparedSweep


def format_results(results: Results, shown: ComparedSweep, part: ComparedSweep) -> str:
    """Return the question, the data, and for each claim its verdicts in words and its components in a table.

    shown   the cells with runs in TensorBoard
    part    all cells of the dataset
    """
    return "\n\n".join(filter(None, _sections(results, shown, part))) + "\n"


def format_table(table: Table) -> str:
    """Return a table in Markdown; a group stands before the header of each of its columns."""
    headers = [" ".join(filter(None, (column.group, column.header.replace("\n", " ")))) for column in table.columns]
    rule = ["---:" if column.kind == "number" else "---" for column in table.columns]
    lines = [headers, rule, *map(_format_row, table.rows)]
    return "\n".join(f"| {' | '.join(text.replace('|', chr(92) + '|') for text in line)} |" for line in lines)


def _format_row(row: TableRow) -> list[str]:
    """Return the texts of a row; headings and bold texts are between asterisks."""
    bold = {0, *row.bold} if row.kind == "heading" else row.bold
    return [f"**{text}**" if at in bold and text else text for at, text in enumerate(row.texts)]


def _sections(results: Results, shown: ComparedSweep, part: ComparedSweep) -> Iterator[str]:
    yield f"# {results.sweep_id}"
    yield results.sweep.question
    yield _describe_data(part.manifest["cards"])
    yield from results.ranking.notes
    for claim in results.sweep.claims:
        yield f"## {claim}"
        yield f"*{CLAIMS[claim].question}*"
        yield "\n".join(map(_format_verdict, select_verdicts(claim, results))) or NO_FINDINGS
        if table := build_component_table(claim, results.findings):
            yield format_table(table)
            yield "\n".join(f"- {note}" for note in table.notes)
    if results.sweep.claims:
        yield format_unbeaten(results.findings)
        yield explain_component_tables(results.alpha)
    else:
        yield "The sweep makes no claims, so there are no verdicts."
    if len(shown.cells) < len(part.cells):
        cells = format_count(len(part.cells), "cell")
        yield f"Runs of the best {len(shown.cells)} of {cells} by {format_metric(results.sweep.objective)}."
    if shown.without_curves:
        counted = format_count(len(shown.without_curves), "cell")
        yield f"Without a curve because no confirm run is complete: {counted}."
        yield "\n".join(f"- {name or 'the only cell'}" for name in shown.without_curves)


def _describe_data(cards: Sequence[Mapping[str, Any]]) -> str:
    datasets = ", ".join(format_dataset(card["name"], card["source"]) for card in cards)
    twins = any(card["source"] == "twin" for card in cards)
    return f"Data: {datasets}.{' A twin is synthetic, with a planted truth.' if twins else ''}"


def _format_verdict(finding: Finding) -> str:
    basis = format_basis(finding)
    return f"- **{finding.verdict}** on {format_place(finding.measured)}{basis}. {finding.sentence}"
