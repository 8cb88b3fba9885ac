"""How far a sweep has come."""

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
    """What a sweep asked, who is at it, and what of it is done."""

    manifest: Mapping[str, Any]
    holder: LeaseHolder | None
    """Who runs it now."""
    counts: Mapping[tuple[str, ...], int]
    """How many runs ended with each dataset, source, phase, state and reason."""

    @classmethod
    def read(cls, sweep: SweepStore) -> Summary:
        """How far the sweep has come by now. Raises `StoreError` where its store is not sound."""
        return cls.from_runs(sweep, sweep.read("runs", _COUNTED).to_pylist())

    @classmethod
    def from_runs(cls, sweep: SweepStore, runs: Iterable[Mapping[str, Any]]) -> Summary:
        """The same, of runs that have been read already."""
        counts = Counter(tuple(run[name] for name in _COUNTED) for run in runs)
        return cls(sweep.read_manifest(), current_holder(sweep), counts)

    def runs(self, **wanted: str) -> int:
        """How many runs ended, of those with the `wanted` dataset, source, phase, state or reason."""
        return sum(
            count
            for kind, count in self.counts.items()
            if wanted.items() <= dict(zip(_COUNTED, kind, strict=True)).items()
        )

    @property
    def datasets(self) -> list[tuple[str, str]]:
        """The datasets asked for, each with its source, `real` or `twin`."""
        return [(card["name"], card["source"]) for card in self.manifest["cards"]]

    @property
    def failures(self) -> list[tuple[str, str, int]]:
        """Dataset, reason and number of failed runs, most first."""
        failed: Counter[tuple[str, str]] = Counter()
        for (dataset, _, _, state, reason), count in self.counts.items():
            if state == "FAILED":
                failed[dataset, reason] += count
        return [(dataset, reason, count) for (dataset, reason), count in failed.most_common()]


def count_ended_and_planned(sweep: SweepStore, driver: LeaseHolder | None) -> tuple[int, int]:
    """How many runs ended, and of how many: by the word of the driver if it gave one, else counted."""
    told = read_status(sweep, driver.token) if driver is not None else None
    if told is not None:
        return told.ended, told.planned
    summary = Summary.read(sweep)
    return summary.runs(), summary.manifest["planned_runs"]


def find_best_runs(records: Sequence[Mapping[str, Any]], objective: str) -> dict[str, Mapping[str, Any]]:
    """Of each dataset the COMPLETE run (as `trials.records` has them) with the best `objective`, the first of equals.

    objective   a metric's name in the store, as `valid.loss`
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
