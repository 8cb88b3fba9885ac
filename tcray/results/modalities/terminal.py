"""What each modality is worth: Shapley values, of training anew and of what is missing at inference."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from tcray.results.display.grouping import group_by
from tcray.results.display.labels import format_interval, format_metric, format_place_short, format_signed
from tcray.results.modalities.analysis import Contribution
from tcray.results.output.terminal.prose import print_table, print_wrapped
from tcray.results.output.terminal.table import Column, ruled
from tcray.statistics.mean import Interval

HEADERS = {"retrained": ("others left out", "of training"), "inference": ("others missing", "at inference")}
"""Of the columns, by the kind of contribution."""


def show_shares(contributions: Sequence[Contribution], console: Console) -> None:
    """Prints a table a dataset and stratum; nothing where no share is known."""
    if contributions:
        print_wrapped(console, "Shapley values with 95 % intervals: above 0 where a modality helps", style="bold")
    for where, there in group_by(contributions, _where).items():
        modality = Column(("modality",), there[0].modalities, right=False)
        print_table(console, ruled([modality, *map(_column, there)]), where)


def _where(contribution: Contribution) -> str:
    return f"{format_place_short(contribution)}: {format_metric(contribution.metric)}"


def _column(contribution: Contribution) -> Column:
    texts = tuple(_share(contribution, modality) for modality in contribution.modalities)
    return Column(HEADERS[contribution.kind], texts, right=False)


def _share(contribution: Contribution, modality: str) -> str:
    """As `+0.399 (0.386 to 0.413)`."""
    shapley = contribution.shapley
    low, high = shapley.ci_low[modality], shapley.ci_high[modality]
    interval = f" ({format_interval(Interval(low, high))})" if low is not None and high is not None else ""
    return f"{format_signed(shapley.values[modality])}{interval}"
