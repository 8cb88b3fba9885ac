"""Tests and intervals on plain arrays: public, and independent of the rest of the package.

Public functions are imported on first use, because numpy and scipy are slow to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tcray.statistics.non_monotone import nonmonotonicity
    from tcray.statistics.paired import paired_difference
    from tcray.statistics.shapley_values import shapley

__all__ = ["nonmonotonicity", "paired_difference", "shapley"]

_HOMES = {"nonmonotonicity": "non_monotone", "paired_difference": "paired", "shapley": "shapley_values"}


def __getattr__(name: str) -> Any:
    """Import a public function on first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
