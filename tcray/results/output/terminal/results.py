"""The results of a sweep in a terminal: verdicts in plain words, then tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from tcray.results.analysis import Results
from tcray.results.display.table import Table
from tcray.results.modalities.tables import build_modality_tables
from tcray.results.output.component_tables import build_component_table, explain_component_tables
from tcray.results.output.terminal.printing import print_tables, print_wrapped
from tcray.results.output.terminal.verdicts import print_verdicts
from tcray.results.rank.tables import build_optimum_tables
from tcray.results.ranking.tables import build_ranking_tables
from tcray.results.robustness.tables import build_robustness_tables

ROBUSTNESS = "robustness"
"""A claim that describes: its components have no p-values, but tables of their own."""


def print_results(results: Results, console: Console) -> None:
    """Print all verdicts and tables."""
    print_verdicts(results, console)
    widest = print_tables(console, components := list(_tested_components(results)))
    if components:
        print_wrapped(console, explain_component_tables(results.alpha))
        console.print()
    widest = max(widest, print_tables(console, _topic_tables(results)))
    _print_ranking(results, console, widest)


def print_summary(results: Results, console: Console) -> None:
    """Print what a sweep prints at its end: the verdicts, and the ranking; optima if the sweep makes no claims."""
    print_verdicts(results, console, brief=True)
    widest = 0 if results.sweep.claims else print_tables(console, build_optimum_tables(results.profiles))
    _print_ranking(results, console, widest)


def _tested_components(results: Results) -> Iterator[Table]:
    """Yield the component table of each claim that has p-values."""
    tested = {finding.measured.claim for finding in results.findings if finding.p_value is not None}
    for claim in results.sweep.claims:
        table = build_component_table(claim, results.findings)
        if claim in tested and table is not None:
            yield table


def _topic_tables(results: Results) -> Iterator[Table]:
    if ROBUSTNESS in results.sweep.claims:
        yield from build_robustness_tables(results.robustness)
    yield from build_modality_tables(results.contributions)
    yield from build_optimum_tables(results.profiles)


def _print_ranking(results: Results, console: Console, widest: int) -> None:
    """Print the ranking and how to read it; `widest` is the width that the tables before it need."""
    widest = max(widest, print_tables(console, build_ranking_tables(results.ranking)))
    for note in (results.ranking.caption, *results.ranking.notes):
        print_wrapped(console, note)
    if widest > console.width:
        print_wrapped(
            console, f"Columns that do not fit are left out; a terminal of {widest} characters has room for all."
        )
