"""Tables of the modalities' contributions: Shapley values with both intervals, and their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tcray.results.display.labels import (
    MISSING,
    format_count,
    format_interval,
    format_metric,
    format_number,
    format_p,
    format_place,
    format_signed,
)
from tcray.results.display.table import ALWAYS, ColumnSpec, Table, TableRow
from tcray.results.modalities.analysis import Contribution
from tcray.results.modalities.panels import KINDS, TOPIC

COLUMNS = (
    ColumnSpec("modality", "name", ALWAYS),
    ColumnSpec("φ", priority=1),
    ColumnSpec("95 % over\nretraining", priority=2),
    ColumnSpec("95 % over\nretraining and people", priority=3),
    ColumnSpec("share of\nthe total", priority=4),
    ColumnSpec("p\n(φ = 0)", priority=5),
)


def build_modality_tables(contributions: Sequence[Contribution]) -> Iterator[Table]:
    """Yield a table per contribution: one row per modality, and a note about their order."""
    for part in contributions:
        shapley = part.shapley
        title = (
            f"{format_place(part)}, {KINDS[part.kind]}: {part.name} by modality in {format_metric(part.metric)} "
            f"gained, over {format_count(part.n_units, part.unit)}"
        )
        note = f"Order: {_format_order(part)}. "
        note += f"Asymmetry index (max φ − min φ) / Σ |φ|: {format_number(shapley.asymmetry)}."
        rows = tuple(_build_row(part, modality) for modality in shapley.order)
        yield Table(title, COLUMNS, rows, (note,), TOPIC, part.dataset)


def _build_row(part: Contribution, modality: str) -> TableRow:
    shapley = part.shapley
    detail = shapley.details[modality] if shapley.details else None
    share = shapley.shares[modality]
    return TableRow(
        (
            modality,
            format_signed(shapley.values[modality]),
            format_interval(detail.retraining.interval() if detail else None),
            format_interval(detail.people.interval() if detail and detail.people else None),
            f"{share:.0%}".replace("-", "−") if share is not None else MISSING,
            format_p(shapley.p_values[modality]),
        )
    )


def _format_order(part: Contribution) -> str:
    """Return the modalities by value, as `text > audio ≥ video`; > marks significant differences."""
    shapley = part.shapley
    certain = shapley.certain or (False,) * (len(shapley.order) - 1)
    signs = [" > " if is_certain else " ≥ " for is_certain in certain]
    order = "".join(f"{modality}{sign}" for modality, sign in zip(shapley.order, [*signs, ""], strict=True))
    return order + (" (> if the difference is significant after Holm's correction)" if signs else "")
