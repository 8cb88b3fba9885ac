"""What perturbing the inputs costs: each cell's metric clean, and its mean over the severities of every corruption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console

from tcray.results.display.grouping import group_by
from tcray.results.display.labels import format_dataset_short, format_metric, format_number, format_stratum
from tcray.results.output.terminal.prose import print_table, print_wrapped
from tcray.results.output.terminal.table import Column, fitting, ruled, width_of
from tcray.results.robustness.analysis import Robustness

CLEAN = "clean"


def show_robustness(curves: Sequence[Robustness], console: Console) -> None:
    """Prints a table a dataset, with as many corruptions as fit; nothing where no cell was corrupted."""
    if curves:
        print_wrapped(console, "robustness: clean, and the mean over the severities of each corruption", style="bold")
    for where, there in group_by(curves, _where).items():
        print_table(console, ruled(fitting(_columns(there), console.width, taken=width_of)), where)


def _where(curve: Robustness) -> str:
    return f"{format_dataset_short(curve.dataset, curve.source)}: {format_metric(curve.metric)}"


def _columns(curves: Sequence[Robustness]) -> list[Column]:
    """The cells, and a column a corruption that has severities; noise on one modality beside that on another."""
    cells = group_by(curves, lambda curve: format_stratum(curve.stratum) or "all")
    means = [_means(own) for own in cells.values()]
    families = group_by(dict.fromkeys(name for known in means for name in known), lambda name: name.partition(":")[0])
    names = [name for family in families.values() for name in family]
    return [
        Column(("cell",), tuple(cells), right=False),
        *(Column(tuple(name.split(":")), tuple(_text(known, name) for known in means)) for name in names),
    ]


def _means(curves: Sequence[Robustness]) -> dict[str, float | None]:
    """Of one cell: what it is clean, and its mean under each corruption."""
    return {
        CLEAN: curves[0].values[0].mean,
        **{curve.corruption: curve.area.mean for curve in curves if curve.severities},
    }


def _text(known: Mapping[str, float | None], name: str) -> str:
    return format_number(known[name]) if name in known else ""
