"""Progress of a sweep: runs by state, and the best runs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tcray.config.metrics import METRICS
from tcray.store.driver_status import read_status
from tcray.store.lease import LeaseHolder, current_holder
from tcray.store.store import SweepStore

STATES = ("COMPLETE", "PRUNED", "FAILED")

_COUNTED = ("dataset", "source", "phase", "state", "reason")


@dataclass(frozen=True)
class Summary:
    """A sweep's manifest, its current driver and the numbers of its runs.

    holder   driver that is running the sweep now; None if there is none
    counts   number of runs by dataset, source, phase, state and reason
    """

    manifest: Mapping[str, Any]
    holder: LeaseHolder | None
    counts: Mapping[tuple[str, ...], int]

    @classmethod
    def read(cls, sweep: SweepStore) -> Summary:
        """Read the summary from the store. Raises `StoreError` if the store is damaged."""
        return cls.from_runs(sweep, sweep.read("runs", _COUNTED).to_pylist())

    @classmethod
    def from_runs(cls, sweep: SweepStore, runs: Iterable[Mapping[str, Any]]) -> Summary:
        """Return the summary for runs that have already been read."""
        counts = Counter(tuple(run[name] for name in _COUNTED) for run in runs)
        return cls(sweep.read_manifest(), current_holder(sweep), counts)

    def runs(self, **wanted: str) -> int:
        """Return the number of runs with the `wanted` dataset, source, phase, state or reason."""
        return sum(
            count
            for kind, count in self.counts.items()
            if wanted.items() <= dict(zip(_COUNTED, kind, strict=True)).items()
        )

    @property
    def datasets(self) -> list[tuple[str, str]]:
        """Return the sweep's datasets, each with its source, `real` or `twin`."""
        return [(card["name"], card["source"]) for card in self.manifest["cards"]]

    @property
    def failures(self) -> list[tuple[str, str, int]]:
        """Return dataset, reason and number of failed runs, most frequent first."""
        failed: Counter[tuple[str, str]] = Counter()
        for (dataset, _, _, state, reason), count in self.counts.items():
            if state == "FAILED":
                failed[dataset, reason] += count
        return [(dataset, reason, count) for (dataset, reason), count in failed.most_common()]


def count_ended_and_planned(sweep: SweepStore, driver: LeaseHolder | None) -> tuple[int, int]:
    """Return the numbers of ended and planned runs, from the driver's status if there is one, else from the store."""
    status = read_status(sweep, driver.token) if driver is not None else None
    if status is not None:
        return status.ended, status.planned
    summary = Summary.read(sweep)
    return summary.runs(), summary.manifest["planned_runs"]


def find_best_runs(records: Sequence[Mapping[str, Any]], objective: str) -> dict[str, Mapping[str, Any]]:
    """Return each dataset's COMPLETE run with the best `objective`, the first of equal ones.

    records     as `trials.read_records` returns them
    objective   name of a metric in the store, such as `valid.loss`
    """
    maximize = METRICS[objective.rpartition(".")[2]].maximize
    best: dict[str, Mapping[str, Any]] = {}
    for record in records:
        value = record.get(objective)
        if record["state"] != "COMPLETE" or value is None or math.isnan(value):
            continue
        rival = best.get(record["dataset"])
        if rival is None or (value > rival[objective] if maximize else value < rival[objective]):
            best[record["dataset"]] = record
    return best
