"""The shapes that the runs of a search may have: only runs of one shape share a pack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from tcray.config.domains import Choice, Domain, Int, LogInt
from tcray.config.run import BLOCK
from tcray.search.space import Space

SHAPE_HYPERPARAMETERS = (
    "rank",
    "fusion",
    "latent_dim",
    "hidden_dim",
    "batch_size",
    "prior_kernel",
    "conditioning",
    "prior_strength",
    "reconstruction_strength",
    "alignment_strength",
)
"""The hyperparameters on which the shapes of a run's tensors, or the terms of its loss, depend."""


def list_shape_values(space: Space) -> Iterator[dict[str, Any]]:
    """Yield values of the tuned hyperparameters that cover every shape in the space, some perhaps more than once."""
    levels = {
        name: _list_levels(name, domain) for name, domain in space.domains.items() if name in SHAPE_HYPERPARAMETERS
    }
    for values in product(*levels.values()):
        yield dict(zip(levels, values, strict=True))


def _list_levels(name: str, domain: Domain) -> Sequence[Any]:
    """Return values of a domain that cover all shapes: ranks one block apart, and one strength above 0."""
    match domain:
        case Choice(options):
            return options
        case Int(low, high) | LogInt(low, high):
            return [*range(low, high, BLOCK if name == "rank" else 1), high]
        case _:
            return [domain.high]
