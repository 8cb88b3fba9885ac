"""The key of a run within its sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Phase = Literal["search", "finalist", "confirm"]


@dataclass(frozen=True, slots=True, order=True)
class RunKey:
    """Key of a run: one trial of one repeat of one cell with one seed index. A sweep trains and records it once."""

    phase: Phase
    cell: str
    repeat: int
    trial: int
    seed: int

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> RunKey:
        """Return the key of a row of any table."""
        return cls(**{name: row[name] for name in RUN_KEY})

    def columns(self) -> dict[str, Any]:
        """Return the key as columns of a row."""
        return asdict(self)


RUN_KEY: tuple[str, ...] = tuple(f.name for f in fields(RunKey))
"""The columns that hold a `RunKey`, in its order."""
