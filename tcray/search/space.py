"""The search space of a cell: the tuned hyperparameters with their domains, and the combinations of their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from tcray.config.domains import Choice, Domain, Int, LogInt


@dataclass(frozen=True)
class Space:
    """Domains by hyperparameter, in the order of the file."""

    domains: Mapping[str, Domain]

    @property
    def size(self) -> int | None:
        """The number of combinations; None if a domain is continuous."""
        sizes = [_count_values(domain) for domain in self.domains.values()]
        return None if None in sizes else prod(size for size in sizes if size is not None)

    def at(self, index: int) -> dict[str, Any]:
        """Return combination `index` of a finite space; the last hyperparameter varies fastest."""
        values: dict[str, Any] = {}
        for name, domain in reversed([*self.domains.items()]):
            index, position = divmod(index, _count_values(domain) or 1)
            values[name] = _value_at(domain, position)
        return {name: values[name] for name in self.domains}


def _count_values(domain: Domain) -> int | None:
    match domain:
        case Choice(options):
            return len(options)
        case Int(low, high) | LogInt(low, high):
            return high - low + 1
        case _:
            return None


def _value_at(domain: Domain, position: int) -> Any:
    match domain:
        case Choice(options):
            return options[position]
        case Int(low, _) | LogInt(low, _):
            return low + position
        case _:
            raise ValueError(f"{domain} has no combination {position}: it is continuous")
