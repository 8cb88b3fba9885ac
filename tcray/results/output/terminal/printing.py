"""Printing to a terminal: lines, wrapped sentences, and tables between their titles and notes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.text import Text

from tcray.claims.verdicts import VerdictLabel
from tcray.results.display.table import Table
from tcray.results.output.terminal.table import format_table, table_width

PROSE_WIDTH = 100
"""Characters in a line of prose; longer lines are hard to read."""

STYLES: Mapping[VerdictLabel, str] = {
    "supported": "bold green",
    "contradicted": "bold red",
    "inconclusive": "bold yellow",
    "not testable": "bold",
    "descriptive": "bold",
}


def print_line(console: Console, line: str | Text) -> None:
    """Print a line without wrapping it."""
    console.print(Text(line) if isinstance(line, str) else line, soft_wrap=True)


def print_wrapped(console: Console, sentence: str, *, indent: int = 0, style: str = "") -> None:
    """Print a sentence, wrapped to the width of the terminal or of prose, whichever is smaller."""
    width = min(console.width, PROSE_WIDTH) - indent
    for line in textwrap.wrap(sentence, width, break_long_words=False, break_on_hyphens=False):
        print_line(console, Text(" " * indent + line, style))


def print_tables(console: Console, tables: Iterable[Table]) -> int:
    """Print tables with their titles and notes, and return the width that the widest of them needs.

    Every table is followed by a blank line. Columns that do not fit the terminal are left out.
    """
    widest = 0
    for table in tables:
        print_wrapped(console, table.title, style="bold")
        for line in format_table(table, console.width):
            print_line(console, _color_verdict(line))
        for note in table.notes:
            print_wrapped(console, note)
        console.print()
        widest = max(widest, table_width(table))
    return widest


def _color_verdict(line: str) -> Text:
    """Return a line with the verdict at its end in color."""
    text = Text(line)
    for verdict, style in STYLES.items():
        if line.endswith(f" {verdict}"):
            text.stylize(style, len(line) - len(verdict))
    return text
