"""What is printed on a terminal of some width."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from rich.console import Console


def shown(show: Callable[..., None], what: Any, width: int = 80, *, colour: bool = False, **options: Any) -> str:
    """All of it as one text; colours are control characters."""
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=colour, color_system="standard" if colour else None)
    show(what, console, **options)
    return file.getvalue()
