"""A terminal of any width whose output is returned as text."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from rich.console import Console

from tcray.results.display.table import Table
from tcray.results.output.terminal.printing import print_tables


def print_to_text(
    print_it: Callable[..., None], what: Any, width: int = 80, *, color: bool = False, **options: Any
) -> str:
    """Return what a function prints; colors are control characters."""
    file = io.StringIO()
    print_it(what, fake_console(file, width, color=color), **options)
    return file.getvalue()


def tables_to_text(tables: Any, width: int = 80, *, color: bool = False) -> str:
    """Return what `print_tables` prints of one or more tables."""
    file = io.StringIO()
    print_tables(fake_console(file, width, color=color), [tables] if isinstance(tables, Table) else tables)
    return file.getvalue()


def fake_console(file: io.StringIO, width: int, *, color: bool = False) -> Console:
    """Return a console that writes to a file."""
    return Console(file=file, width=width, force_terminal=color, color_system="standard" if color else None)
