"""What a driver is at: how far its sweep has come, on which hosts, and what waits and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from tcray.errors import StoreError
from tcray.store.store import SweepStore


@dataclass(frozen=True, slots=True)
class Host:
    """A machine on which packs are trained.

    state      `up`, `leaving` (no new pack begins there) or `gone` (it left, or was lost)
    slots      how many packs it holds at a time
    packs      how many it holds
    runs       that ended there since the driver began
    per_hour   runs, over the last minutes; None where there is too little to tell from
    """

    name: str
    address: str
    state: Literal["up", "leaving", "gone"]
    slots: int
    packs: int
    runs: int
    per_hour: float | None


@dataclass(frozen=True, slots=True)
class BestRun:
    """The best objective of a dataset's complete runs, and the cell that has it."""

    dataset: str
    cell: str
    value: float


@dataclass(frozen=True, slots=True)
class DriverStatus:
    """What a driver is at, as it sees that itself.

    token          of its lease
    at             when, in seconds since 1970
    objective      what runs are judged by, as `valid.loss`
    planned        runs in all; fewer where a search ended early
    complete, pruned, failed, running   runs by what became of them
    seconds_left   at the pace so far; None before anything has come back
    why            what waits and why, a sentence each, by what it is about
    """

    token: str
    at: float
    objective: str
    planned: int
    complete: int
    pruned: int
    failed: int
    running: int
    seconds_left: float | None
    best: tuple[BestRun, ...]
    hosts: tuple[Host, ...]
    pending_reasons: Mapping[str, str]

    @property
    def ended(self) -> int:
        """Runs that are over, however they ended."""
        return self.complete + self.pruned + self.failed

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """The inverse of `dataclasses.asdict`. Raises `KeyError` or `TypeError` for anything else."""
        parts = {
            "best": tuple(BestRun(**leader) for leader in fields["best"]),
            "hosts": tuple(Host(**host) for host in fields["hosts"]),
            "pending_reasons": dict(fields["pending_reasons"]),
        }
        return cls(**{**fields, **parts})


def write_status(sweep: SweepStore, activity: DriverStatus) -> None:
    """Puts it in the place of what the driver was at before. Raises `StoreError` where it cannot be written."""
    content = json.dumps(asdict(activity), indent=1, ensure_ascii=False, allow_nan=False).encode()
    sweep.filesystem.write(sweep.paths.status, content)


def read_status(sweep: SweepStore, token: str) -> DriverStatus | None:
    """What the driver with the lease of this token is at, or was at its end; None where it has not said so yet.

    Raises `StoreError` for what no driver of this version wrote.
    """
    content = sweep.filesystem.read(sweep.paths.status)
    if content is None:
        return None
    try:
        fields = json.loads(content)
        return (
            DriverStatus.from_dict(fields) if fields["token"] == token else None
        )  # else it is that of the driver before
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{sweep.filesystem.display_path(sweep.paths.status)} was not written by this version of tcray",
            "Use the version that runs the sweep; or delete the file, which is written anew while the sweep runs.",
        ) from error
