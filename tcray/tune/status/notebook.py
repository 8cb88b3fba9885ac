"""A live view inside a notebook: one output that is replaced at every update."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console, RenderableType

WIDTH = 100
"""Characters per line."""

_PAGE = '<pre style="line-height:1.3;white-space:pre">{code}</pre>'


class NotebookLive:
    """Shows a renderable in the output of the cell that runs; the counterpart of `rich.live.Live` on a terminal."""

    def __init__(self) -> None:
        """Nothing is shown before the first update."""
        self._handle: Any = None

    def start(self) -> None:
        """Do nothing: the first update creates the output."""

    def stop(self) -> None:
        """Do nothing: the last update stays."""

    def update(self, renderable: RenderableType, *, refresh: bool = True) -> None:  # noqa: ARG002  the signature is Live's
        """Show the renderable in place of the previous one."""
        from IPython.display import display

        recorder = Console(record=True, width=WIDTH, force_jupyter=False, file=io.StringIO())
        recorder.print(renderable)
        content = {
            "text/html": recorder.export_html(inline_styles=True, code_format=_PAGE, clear=False),
            "text/plain": recorder.export_text(),
        }
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(content, raw=True)
