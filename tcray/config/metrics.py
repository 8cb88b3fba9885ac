"""Metrics of a run: the tasks that have each of them, and its direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Task = Literal["regression", "classification"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its name in the store, the tasks that have it, its direction, and its label in tables."""

    name: str
    tasks: tuple[Task, ...]
    maximize: bool
    label: str


METRICS: Mapping[str, Metric] = {
    m.name: m
    for m in (
        Metric("loss", ("regression", "classification"), False, "loss"),
        Metric("mae", ("regression",), False, "MAE"),
        Metric("r", ("regression",), True, "Pearson r"),
        Metric("acc2", ("regression",), True, "acc-2 (>= 0)"),
        Metric("acc2_nonzero", ("regression",), True, "acc-2 (non-zero)"),
        Metric("f1", ("regression", "classification"), True, "weighted F1"),
        Metric("f1_nonzero", ("regression",), True, "weighted F1 (non-zero)"),
        Metric("acc7", ("regression",), True, "acc-7"),
        Metric("accuracy", ("classification",), True, "accuracy"),
        Metric("auroc", ("classification",), True, "AUROC"),
    )
}


def list_metrics(task: Task) -> tuple[Metric, ...]:
    """Return the metrics of a task, in table order."""
    return tuple(m for m in METRICS.values() if task in m.tasks)
