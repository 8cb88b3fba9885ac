"""Status of a driver: progress of its sweep, hosts, and the reasons for pending runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from tcray.errors import StoreError
from tcray.store.store import SweepStore


@dataclass(frozen=True, slots=True)
class Host:
    """A host that trains packs.

    state      `up`, `leaving` (no new pack is started there) or `gone` (it was removed or lost)
    slots      maximum number of packs at a time
    packs      number of packs in training
    runs       number of runs that ended there since the driver started
    per_hour   runs per hour over the last minutes; None if there are too few to estimate it
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
    """The best objective among a dataset's complete runs, and its cell."""

    dataset: str
    cell: str
    value: float


@dataclass(frozen=True, slots=True)
class DriverStatus:
    """Status of a driver, as it reports it.

    token             token of the driver's lease
    at                time of the report, in seconds since 1970
    objective         metric that the search optimizes, such as `valid.loss`
    planned           total number of runs; smaller than the plan's if a search ended early
    complete, pruned, failed, running   numbers of runs by state
    seconds_left      estimated remaining time at the current pace; None before the first result
    best              one entry per dataset
    pending_reasons   sentences on what is pending and why, by topic
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
        """Return the number of runs that have ended: complete, pruned or failed."""
        return self.complete + self.pruned + self.failed

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Invert `dataclasses.asdict`. Raises `KeyError` or `TypeError` for invalid fields."""
        parts = {
            "best": tuple(BestRun(**best) for best in fields["best"]),
            "hosts": tuple(Host(**host) for host in fields["hosts"]),
            "pending_reasons": dict(fields["pending_reasons"]),
        }
        return cls(**{**fields, **parts})


def write_status(sweep: SweepStore, status: DriverStatus) -> None:
    """Replace the status in the store. Raises `StoreError` if it cannot be written."""
    content = json.dumps(asdict(status), indent=1, ensure_ascii=False, allow_nan=False).encode()
    sweep.filesystem.write(sweep.paths.status, content)


def read_status(sweep: SweepStore, token: str) -> DriverStatus | None:
    """Return the last status of the driver whose lease has this token; None if it has not written one yet.

    Raises `StoreError` if the file was not written by this version of tcray.
    """
    content = sweep.filesystem.read(sweep.paths.status)
    if content is None:
        return None
    try:
        fields = json.loads(content)
        # With another token, the status is that of an earlier driver.
        return DriverStatus.from_dict(fields) if fields["token"] == token else None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{sweep.filesystem.display_path(sweep.paths.status)} was not written by this version of tcray",
            "Use the version that runs the sweep, or delete the file: a running driver writes it again.",
        ) from error
