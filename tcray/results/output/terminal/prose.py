"""What a terminal is told: sentences in lines that can be read, and tables with what must be said of them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

PROSE = 100
"""Characters in a line of prose: on the way back from a longer one the eye gets lost."""


def print_line(console: Console, line: str | Text) -> None:
    """Prints a line as it is, however wide."""
    console.print(Text(line) if isinstance(line, str) else line, soft_wrap=True)


def print_wrapped(console: Console, sentence: str, *, indent: int = 0, style: str = "") -> None:
    """Prints a sentence in as many lines as it takes."""
    width = min(console.width, PROSE) - indent
    for line in textwrap.wrap(sentence, width, break_long_words=False, break_on_hyphens=False):
        print_line(console, Text(" " * indent + line, style))


def print_table(console: Console, lines: Iterable[str | Text], title: str = "", notes: Iterable[str] = ()) -> None:
    """Prints the lines of a table between its title and its notes, and leaves a line free after it."""
    if title:
        print_line(console, Text(title, "bold"))
    for line in lines:
        print_line(console, line)
    for note in notes:
        print_wrapped(console, note)
    console.print()
