"""What may be concluded from a sweep, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.text import Text

from tcray.claims.verdicts import Finding, Verdict
from tcray.config.claims import CLAIMS
from tcray.results.analysis import Results
from tcray.results.display.labels import format_place_short
from tcray.results.output.terminal.prose import print_line, print_wrapped
from tcray.results.output.verdict_text import NOTHING, format_basis, format_unbeaten, select_verdicts

STYLES: Mapping[Verdict, str] = {
    "supported": "bold green",
    "contradicted": "bold red",
    "inconclusive": "bold yellow",
    "not testable": "bold",
    "descriptive": "bold",
}


def print_verdicts(results: Results, console: Console, *, brief: bool = False) -> None:
    """Prints the question, and what each claim comes to on each dataset and stratum, in words.

    brief   without words for what is open
    """
    if opening := list(_opening(results)):
        for sentence in opening:
            print_wrapped(console, sentence)
        console.print()
    for claim in results.sweep.claims:
        findings = select_verdicts(claim, results)
        print_wrapped(console, f"{claim}: {CLAIMS[claim].question}", style="bold")
        for finding in findings:
            print_line(console, _heading(finding))
            if not brief or finding.verdict != "inconclusive":
                print_wrapped(console, finding.sentence, indent=4)
        if not findings:
            print_wrapped(console, NOTHING, indent=2)
        console.print()
    if sentence := format_unbeaten(results.findings):
        print_wrapped(console, sentence)
        console.print()


def _opening(results: Results) -> Iterator[str]:
    """What was asked, and what bears on every verdict."""
    if results.sweep.question:
        yield results.sweep.question
    if not results.manifest["finished_at"]:
        yield "The sweep is not finished: this rests on the runs that have ended by now, and may change."
    if results.looks > 1:
        yield (
            f"It is look {results.looks} at these data, with other confirm runs than before: "
            f"p-values are held against {results.alpha:.3g}."
        )


def _heading(finding: Finding) -> Text:
    """The verdict, where it was reached, and on what it rests."""
    heading = Text("  ").append(f"{finding.verdict.upper():<12}", STYLES[finding.verdict])
    return heading.append(f"  {format_place_short(finding.measured)}{format_basis(finding)}")
