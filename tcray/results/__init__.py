"""What may be concluded from a sweep: pure functions of what its store holds.

Three of the statistics take plain arrays, for those with other data: `nonmonotonicity`, `shapley`, `paired_difference`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tcray.results.statistics.nonmonotonicity import nonmonotonicity
    from tcray.results.statistics.paired import paired_difference
    from tcray.results.statistics.shapley import shapley

__all__ = ["nonmonotonicity", "paired_difference", "shapley"]

_HOMES = {"nonmonotonicity": "nonmonotonicity", "paired_difference": "paired", "shapley": "shapley"}


def __getattr__(name: str) -> Any:
    """Imports a public function when it is first asked for: numpy and scipy are not free."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.statistics.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
