"""What may be concluded from a sweep, as text: verdicts in plain words, then a table a claim."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from tcray.cli.components import STYLES, components_table, place_of
from tcray.cli.robustness import show_robustness
from tcray.results.analyses.finding import ALL, Finding
from tcray.results.views.labels import list_label, p_label, plural
from tcray.spec.claims import CLAIMS

if TYPE_CHECKING:
    from tcray.results.analyses.concluding import Results

ROBUSTNESS = "robustness"
"""The claim that describes, and so has a table of its own kind."""

PROSE = 100
"""Characters in a line of prose: on the way back from a longer one the eye gets lost."""


def show_verdicts(results: Results, *, brief: bool = False, console: Console | None = None) -> None:
    """Prints the question, and what each claim comes to on each dataset and stratum, in words.

    brief   without words for what is open
    """
    console = console or Console()
    if opening := list(_opening(results)):
        for sentence in opening:
            _say(console, sentence)
        console.print()
    for claim in results.sweep.claims:
        told = list(_told(results.findings, claim))
        _say(console, f"{claim}: {CLAIMS[claim].question}", style="bold")
        for finding in told:
            console.print(_heading(finding), soft_wrap=True)
            if not brief or finding.verdict != "inconclusive":
                _say(console, finding.sentence, indent=4)
        if not told:
            _say(console, "Nothing can be said of it: no confirm run is complete.", indent=2)
        console.print()


def show_parts(results: Results, *, console: Console | None = None) -> None:
    """Prints a table a claim with all its components, and below it why some of them are not testable."""
    console = console or Console()
    for claim in results.sweep.claims:
        findings = _of(results.findings, claim)
        if table := components_table(findings, console.width):
            console.print(Text(claim, "bold"))
            for line in table:
                console.print(line, soft_wrap=True)
            for sentence in _reasons(findings):
                _say(console, sentence)
            console.print()
    if any(finding.p_value is not None for finding in results.findings):
        _say(console, _caption(results.alpha))
        console.print()
    if ROBUSTNESS in results.sweep.claims and results.robustness:
        _say(console, f"{ROBUSTNESS}: clean, and the mean over the severities of each corruption", style="bold")
        show_robustness(results.robustness, console=console)


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


def _of(findings: Sequence[Finding], claim: str) -> list[Finding]:
    return [finding for finding in findings if finding.measured.claim == claim]


def _told(findings: Sequence[Finding], claim: str) -> Iterator[Finding]:
    """A claim as a whole in each place; its components, where they only describe."""
    places: dict[str, list[Finding]] = {}
    for finding in _of(findings, claim):
        places.setdefault(place_of(finding), []).append(finding)
    for there in places.values():
        yield from [finding for finding in there if finding.measured.component == ALL] or there


def _heading(finding: Finding) -> Text:
    """The verdict, where it was reached, and on what it rests."""
    measured = finding.measured
    for_it = finding.verdict in {"supported", "inconclusive"} and finding.p_adjusted is not None
    p = [f"p {p_label(finding.p_adjusted)}"] if for_it else []
    units = [plural(measured.n_units, measured.unit)] if measured.n_units else []
    rests = f" ({', '.join([*p, *units])})" if p or units else ""
    heading = Text("  ").append(f"{finding.verdict.upper():<12}", STYLES[finding.verdict])
    return heading.append(f"  {place_of(finding)}{rests}")


def _reasons(findings: Sequence[Finding]) -> Iterator[str]:
    """Why components are not testable, each reason once."""
    components: dict[str, list[str]] = {}
    for finding in findings:
        if finding.verdict == "not testable" and finding.measured.component != ALL:
            named = components.setdefault(finding.sentence, [])
            named += [finding.measured.component] * (finding.measured.component not in named)
    for reason, named in components.items():
        yield f"{list_label(named)}: {reason}"


def _caption(alpha: float) -> str:
    """How the tables are to be read."""
    return (
        "Effects are in the units of their metric, with 95 % intervals over retraining (on this test set) and over "
        "retraining and people; p is for what is claimed, and Holm's corrected for how many datasets and strata were "
        f"asked: {alpha:.3g} or less supports a component."
    )


def _say(console: Console, sentence: str, *, indent: int = 0, style: str = "") -> None:
    width = min(console.width, PROSE) - indent
    for line in textwrap.wrap(sentence, width, break_long_words=False, break_on_hyphens=False):
        console.print(Text(" " * indent + line, style), soft_wrap=True)
