"""A table a claim: its components, a line each, below the dataset and stratum that they were measured on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from tcray.claims.verdicts import ALL, Finding
from tcray.config.messages import join_words
from tcray.results.analysis import Results
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import format_place_short
from tcray.results.output.terminal.prose import print_table, print_wrapped
from tcray.results.output.terminal.quantities import Row, table_of
from tcray.results.output.terminal.verdicts import STYLES
from tcray.results.output.verdict_text import select_findings


def print_components(results: Results, console: Console) -> None:
    """Prints the tables of the claims that have a p-value, and why some components are not testable."""
    for claim in results.sweep.claims:
        findings = select_findings(claim, results.findings)
        if any(finding.p_value is not None for finding in findings):
            lines = map(_coloured, table_of(list(_rows(findings)), console.width))
            print_table(console, lines, claim, _reasons(findings))
    if any(finding.p_value is not None for finding in results.findings):
        print_wrapped(console, _caption(results.alpha))
        console.print()


def _rows(findings: Sequence[Finding]) -> Iterator[Row]:
    """By dataset and stratum, in the order of the findings."""
    for where, there in group_by(findings, lambda finding: format_place_short(finding.measured)).items():
        yield Row(where, next((finding for finding in there if finding.measured.component == ALL), None))
        yield from (Row("", finding) for finding in there if finding.measured.component != ALL)


def _coloured(line: str) -> Text:
    """The verdict, which ends a line, in its colour."""
    text = Text(line)
    for verdict, style in STYLES.items():
        if line.endswith(f" {verdict}"):
            text.stylize(style, len(line) - len(verdict))
    return text


def _reasons(findings: Sequence[Finding]) -> Iterator[str]:
    """Why components are not testable, each reason once."""
    parts = [f for f in findings if f.verdict == "not testable" and f.measured.component != ALL]
    for reason, same in group_by(parts, lambda finding: finding.sentence).items():
        yield f"{join_words(dict.fromkeys(finding.measured.component for finding in same), 'and')}: {reason}"


def _caption(alpha: float) -> str:
    """How the tables are to be read."""
    return (
        "Effects are in the units of their metric, with 95 % intervals over retraining (on this test set) and over "
        "retraining and people; p is for what is claimed, and Holm's corrected for how many datasets and strata were "
        f"asked: {alpha:.3g} or less supports a component."
    )
