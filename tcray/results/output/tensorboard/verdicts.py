"""The run of a sweep's verdicts in TensorBoard: a text, and the figures of its claims."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tcray.results.output.tensorboard.events import image, text
from tcray.results.output.tensorboard.markdown import format_results

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from tensorboard.compat.proto.summary_pb2 import Summary

    from tcray.results.analysis import Results
    from tcray.results.output.tensorboard.runs import ComparedSweep

VERDICTS = "verdicts"
"""The tag of the text."""


def build_verdict_values(results: Results, shown: ComparedSweep, part: ComparedSweep) -> Iterator[Summary.Value]:
    """Yield the text, and the figures of the sweep's claims, or all figures if it makes none.

    shown   the cells with runs in TensorBoard
    part    all cells of the dataset
    """
    from tcray.results.output.panels import build_panels

    yield text(VERDICTS, format_results(results, shown, part))
    datasets = {"", *(card["name"] for card in part.manifest["cards"])}
    for group in build_panels(results):
        # Drawing all figures of the report takes longer than everything else together.
        if group.topic in (results.sweep.claims or [group.topic]) and group.dataset in datasets:
            for panel in group.panels:
                yield image(f"{group.topic}/{panel.name}", to_png(panel.draw()))


def to_png(figure: Figure) -> bytes:
    """Return a figure as PNG in its own resolution, without metadata."""
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()
