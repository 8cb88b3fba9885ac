"""What each modality is worth, as a table: Shapley values, of training anew and of what is missing at inference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from tcray.cli.components import place
from tcray.cli.tables import Column, lines
from tcray.results.views.labels import interval_label, metric_label, signed_label

if TYPE_CHECKING:
    from tcray.results.analyses.modalities import Contribution

HEADERS = {"retrained": ("others left out", "of training"), "inference": ("others missing", "at inference")}
"""Of the columns, by the kind of contribution."""


def show_shares(contributions: Sequence[Contribution], *, console: Console | None = None) -> None:
    """Prints a table a dataset and stratum; nothing where no share is known."""
    console = console or Console()
    places: dict[str, list[Contribution]] = {}
    for contribution in contributions:
        places.setdefault(_place(contribution), []).append(contribution)
    if places:
        console.print(Text("Shapley values with 95 % intervals: above 0 where a modality helps", "bold"))
    for where, there in places.items():
        console.print(Text(where, "bold"))
        modality = Column(("modality",), there[0].modalities, right=False)
        for line in lines([modality, *map(_column, there)], 0):
            console.print(Text(line), soft_wrap=True)
        console.print()


def _place(contribution: Contribution) -> str:
    where = place(contribution.dataset, contribution.source, contribution.stratum)
    return f"{where}: {metric_label(contribution.metric)}"


def _column(contribution: Contribution) -> Column:
    texts = tuple(_share(contribution, modality) for modality in contribution.modalities)
    return Column(HEADERS[contribution.kind], texts, right=False)


def _share(contribution: Contribution, modality: str) -> str:
    """As `+0.399 (0.386 to 0.413)`."""
    shapley = contribution.shapley
    low, high = shapley.ci_low[modality], shapley.ci_high[modality]
    interval = "" if low is None else f" ({interval_label(low, high)})"
    return f"{signed_label(shapley.values[modality])}{interval}"
