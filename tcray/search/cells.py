"""The cells of a sweep: each dataset under each combination of factor levels, in the order of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from tcray.config.run import Configuration, canonical_json
from tcray.config.sections import SUBSETS
from tcray.config.sweep import Sweep
from tcray.data.catalog import Card


@dataclass(frozen=True)
class Cell:
    """One dataset under one combination of factor levels; `key` names it, as in `mosi/rank=4,conditioning=jwae`."""

    key: str
    dataset: str
    source: str
    levels: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SkippedDataset:
    """A dataset of the sweep that has no cells, and the reason."""

    dataset: str
    reason: str


def list_cells(sweep: Sweep, card: Card) -> tuple[Cell, ...]:
    """Return the cells of a dataset; the last factor in the file varies fastest."""
    levels = [_expand_levels(name, values, card) for name, values in sweep.factors.items()]
    combined = [dict(zip(sweep.factors, values, strict=True)) for values in product(*levels)]
    return tuple(Cell(_format_key(card.name, values), card.name, card.source, values) for values in combined)


def merge_equivalent(cells: Sequence[Cell], sweep: Sweep, card: Card) -> tuple[Cell, ...]:
    """Return the cells of a dataset without those that resolve to the same training as an earlier cell.

    For example, two cells do so if they differ in the dropout rate of a modality that neither of them uses.
    """
    first: dict[Configuration, Cell] = {}
    for cell in cells:
        first.setdefault(Configuration.resolve({**sweep.fixed, **cell.levels}, tuple(card.modalities)), cell)
    return tuple(first.values())


def _expand_levels(name: str, values: Any, card: Card) -> Sequence[Any]:
    """Return the levels of a factor, with sets of modalities in the dataset's order."""
    if name != "modalities":
        return tuple(values)
    available = tuple(card.modalities)
    if values == SUBSETS:
        return [subset for size in range(1, len(available) + 1) for subset in combinations(available, size)]
    return [tuple(m for m in available if m in level) for level in values]


def _format_key(dataset: str, levels: Mapping[str, Any]) -> str:
    if not levels:
        return dataset
    return f"{dataset}/{','.join(f'{name}={_format_level(value)}' for name, value in levels.items())}"


def _format_level(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(value)
    return value if isinstance(value, str) else canonical_json(value)
