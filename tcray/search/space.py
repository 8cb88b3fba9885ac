"""The space a cell is searched in: its tuned hyperparameters, each with its domain, and the combinations it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from tcray.config.domains import Choice, Domain, Int, LogInt


@dataclass(frozen=True)
class Space:
    """Domains by hyperparameter, in file order."""

    domains: Mapping[str, Domain]

    @property
    def size(self) -> int | None:
        """How many combinations there are; None where a domain is continuous."""
        sizes = [_size(domain) for domain in self.domains.values()]
        return None if None in sizes else prod(size for size in sizes if size is not None)

    def at(self, index: int) -> dict[str, Any]:
        """Combination `index` of a finite space, the last hyperparameter running fastest."""
        values: dict[str, Any] = {}
        for name, domain in reversed([*self.domains.items()]):
            index, position = divmod(index, _size(domain) or 1)
            values[name] = _value(domain, position)
        return {name: values[name] for name in self.domains}


def _size(domain: Domain) -> int | None:
    match domain:
        case Choice(options):
            return len(options)
        case Int(low, high) | LogInt(low, high):
            return high - low + 1
        case _:
            return None


def _value(domain: Domain, position: int) -> Any:
    match domain:
        case Choice(options):
            return options[position]
        case Int(low, _) | LogInt(low, _):
            return low + position
        case _:
            raise ValueError(f"{domain} has no combination {position}: it is continuous")
