"""The cells of a sweep: each dataset under each combination of factor levels, in the order of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from tcray.config.sections import SUBSETS
from tcray.config.run import Configuration, canonical_json
from tcray.config.sweep import Sweep
from tcray.data.catalog import Card


@dataclass(frozen=True)
class Cell:
    """One dataset under one combination of factor levels; `key` is its name, as `mosi/rank=4,conditioning=jwae`."""

    key: str
    dataset: str
    source: str
    levels: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SkippedDataset:
    """A dataset of the sweep that has no cells, and why."""

    dataset: str
    reason: str


def list_cells(sweep: Sweep, card: Card) -> tuple[Cell, ...]:
    """The cells of a dataset, the last factor of the file running fastest."""
    levels = [_levels(name, values, card) for name, values in sweep.factors.items()]
    combined = [dict(zip(sweep.factors, values, strict=True)) for values in product(*levels)]
    return tuple(Cell(_key(card.name, values), card.name, card.source, values) for values in combined)


def merge_equivalent(cells: Sequence[Cell], sweep: Sweep, card: Card) -> tuple[Cell, ...]:
    """The cells of a dataset without those that mean the same training as an earlier one.

    Two cells do that differ in the dropout rate of a modality that neither uses.
    """
    first: dict[Configuration, Cell] = {}
    for cell in cells:
        first.setdefault(Configuration.resolve({**sweep.fixed, **cell.levels}, tuple(card.modalities)), cell)
    return tuple(first.values())


def _levels(name: str, values: Any, card: Card) -> Sequence[Any]:
    if name != "modalities":
        return tuple(values)
    has = tuple(card.modalities)
    if values == SUBSETS:
        return [subset for size in range(1, len(has) + 1) for subset in combinations(has, size)]
    return [tuple(m for m in has if m in level) for level in values]


def _key(dataset: str, levels: Mapping[str, Any]) -> str:
    return f"{dataset}/{','.join(f'{name}={_text(value)}' for name, value in levels.items())}" if levels else dataset


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(value)
    return value if isinstance(value, str) else canonical_json(value)
