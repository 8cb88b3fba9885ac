"""Distributed hyperparameter sweeps for low-rank multimodal fusion.

>>> import tcray
>>> sweep = tcray.Sweep(
...     name="first",
...     datasets=["twin-flat"],
...     factors={"rank": [1, 4]},
...     training={"epochs": 3},
...     confirm={"seeds": 4},
... )
>>> sweep.factors["rank"]
(1, 4)

Run it with `tcray.run(sweep)`; open what a store holds with `tcray.open_sweep`. Names are imported on first use,
so that `import tcray` stays fast. Statistics on plain arrays are in `tcray.statistics`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tcray.version import __version__

if TYPE_CHECKING:
    from tcray.api.model import StoredModel
    from tcray.api.stored import StoredSweep
    from tcray.api.sweeps import Sweep, list_sweeps, load_sweep, open_sweep, run
    from tcray.api.verdicts import Verdict, Verdicts
    from tcray.errors import InputError, Interrupted, TcrayError

__all__ = [
    "InputError",
    "Interrupted",
    "StoredModel",
    "StoredSweep",
    "Sweep",
    "TcrayError",
    "Verdict",
    "Verdicts",
    "__version__",
    "list_sweeps",
    "load_sweep",
    "open_sweep",
    "run",
]

_MODULES = {
    "tcray.api.model": ("StoredModel",),
    "tcray.api.stored": ("StoredSweep",),
    "tcray.api.sweeps": ("Sweep", "list_sweeps", "load_sweep", "open_sweep", "run"),
    "tcray.api.verdicts": ("Verdict", "Verdicts"),
    "tcray.errors": ("InputError", "Interrupted", "TcrayError"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
