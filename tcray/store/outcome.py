"""The outcome of training a run from one rung to the next: all that training passes to the search and the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A run's test metrics under one condition: `clean`, `missing:audio+video`, `noise:text:0.3`, `fgsm:0.1`."""

    condition: str
    metrics: Mapping[str, float]
    predictions: Sequence[float] = ()
    """One per test example, in the dataset's order; empty if the predictions of the condition are not kept."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one run's segment of epochs.

    state       `TRAINED` (the segment was trained to its end) or `FAILED`
    reason      why it failed: `diverged`, `memory` or `crash`; empty otherwise
    epoch       the last epoch trained (1-based; the epoch of divergence for `diverged`)
    value       the objective at `epoch`, as measured (not oriented); NaN if there is none
    best_epoch  the epoch with the best objective so far; 0 if there is none
    metrics     `valid.*` at the best epoch; at the run's last epoch also `test.*`, `last.test.*`, `last.valid.*`,
                `train.loss`, `train.loss_best`; the manipulation check as `check.*`
    curve       one mapping an epoch trained: `epoch` and metric names
    evaluations, spectra   of confirm runs at their last epoch, at the best epoch's weights
    """

    state: Literal["TRAINED", "FAILED"]
    reason: str = ""
    epoch: int = 0
    value: float = float("nan")
    best_epoch: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    curve: Sequence[Mapping[str, float]] = ()
    evaluations: Sequence[Evaluation] = ()
    spectra: Mapping[str, Sequence[float]] = field(default_factory=dict)
    seconds: float = 0.0
    """The pack's wall time for this segment divided by its runs."""

    def summary(self) -> Outcome:
        """Return this outcome without curve, evaluations and spectra, which are stored in tables of their own."""
        return replace(self, curve=(), evaluations=(), spectra={})
