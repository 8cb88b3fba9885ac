"""Tables of what modalities contribute: each one's value with both intervals, and what is sure of their order."""

from __future__ import annotations

from collections.abc import Iterator

from tcray.results.analysis import Results
from tcray.results.display.labels import (
    NONE,
    format_count,
    format_interval,
    format_metric,
    format_number,
    format_p,
    format_place,
    format_signed,
)
from tcray.results.display.table import Cell, Numbered, Table, heads, name
from tcray.results.modalities import panels as contributions
from tcray.results.modalities.analysis import Contribution
from tcray.results.modalities.panels import KINDS


def modality_tables(results: Results) -> Iterator[Numbered]:
    """Of every dataset and kind: each modality's value with both intervals, and what is sure of the order."""
    for part in results.contributions:
        shapley = part.shapley
        rows = []
        for modality in shapley.order:
            detail = shapley.details[modality] if shapley.details else None
            share = shapley.shares[modality]
            means = (detail.retraining, detail.people) if detail else (None, None)
            rows.append(
                (
                    name(modality),
                    Cell(format_signed(shapley.values[modality])),
                    *(Cell(format_interval(mean.interval() if mean else None)) for mean in means),
                    Cell(f"{share:.0%}".replace("-", "−") if share is not None else NONE),
                    Cell(format_p(shapley.p_values[modality])),
                )
            )
        caption = (
            f"{format_place(part)}, {KINDS[part.kind]}: {part.name} by modality in {format_metric(part.metric)} "
            f"gained, over {format_count(part.n_units, part.unit)}"
        )
        columns = ["φ", "95 % over retraining", "95 % over retraining and people", "share of the total", "p (φ = 0)"]
        note = f"Order: {_order(part)}. Asymmetry index (max φ − min φ) / Σ |φ|: {format_number(shapley.asymmetry)}."
        yield contributions.TOPIC, part.dataset, Table(caption, (heads(["modality"], columns),), tuple(rows), note=note)


def _order(part: Contribution) -> str:
    """`text > audio ≥ video`: > where the difference is sure."""
    shapley = part.shapley
    certain = shapley.certain or (False,) * (len(shapley.order) - 1)
    signs = [" > " if sure else " ≥ " for sure in certain]
    said = "".join(f"{modality}{sign}" for modality, sign in zip(shapley.order, [*signs, ""], strict=True))
    return said + (" (> where the difference is significant after Holm)" if signs else "")
