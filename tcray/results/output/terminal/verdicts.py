"""The verdicts of a sweep in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from tcray.claims.verdicts import Finding
from tcray.config.claims import CLAIMS
from tcray.results.analysis import Results
from tcray.results.display.labels import format_place_short
from tcray.results.output.terminal.printing import STYLES, print_line, print_wrapped
from tcray.results.output.verdict_text import (
    NO_FINDINGS,
    format_basis,
    format_unbeaten,
    select_verdicts,
)


def print_verdicts(results: Results, console: Console, *, brief: bool = False) -> None:
    """Print the question, and for each claim its verdict on each dataset and stratum.

    brief  True to leave out the sentences of inconclusive verdicts
    """
    if opening := list(_opening(results)):
        for sentence in opening:
            print_wrapped(console, sentence)
        console.print()
    for claim in results.sweep.claims:
        findings = select_verdicts(claim, results)
        print_wrapped(console, f"{claim}: {CLAIMS[claim].question}", style="bold")
        for finding in findings:
            print_line(console, _format_heading(finding))
            if not brief or finding.verdict != "inconclusive":
                print_wrapped(console, finding.sentence, indent=4)
        if not findings:
            print_wrapped(console, NO_FINDINGS, indent=2)
        console.print()
    if sentence := format_unbeaten(results.findings):
        print_wrapped(console, sentence)
        console.print()


def _opening(results: Results) -> Iterator[str]:
    """Yield the question, and caveats about all verdicts."""
    if results.sweep.question:
        yield results.sweep.question
    if not results.manifest["finished_at"]:
        yield "The sweep is not finished: these results use the runs that have ended so far, and may change."
    if results.looks > 1:
        yield (
            f"This is look {results.looks} at these data, with other confirm runs than before: p-values are "
            f"compared with {results.alpha:.3g}."
        )


def _format_heading(finding: Finding) -> Text:
    """Return the verdict with its dataset, its stratum and the numbers that it is based on."""
    heading = Text("  ").append(f"{finding.verdict.upper():<12}", STYLES[finding.verdict])
    return heading.append(f"  {format_place_short(finding.measured)}{format_basis(finding)}")
