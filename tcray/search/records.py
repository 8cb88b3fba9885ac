"""The rows of the tables other than the ledger: results of runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tcray.search.ledger import Row
from tcray.search.run_history import RunHistory
from tcray.store.outcome import Outcome


@dataclass(frozen=True, slots=True)
class TestExamples:
    """The test split of a dataset, over all folds, in the order of an evaluation's predictions; (N,) each."""

    ids: Sequence[str]
    groups: Sequence[str]
    labels: Sequence[float]


def run_row(history: RunHistory, source: str, hyperparameters: Iterable[str] = ()) -> Row:
    """Return the row in `runs` of a run that has ended: times of all its segments, place of the last one.

    hyperparameters   names of columns that every row of the sweep has; null if they do not apply to this run
    """
    first, last = history.measurements[0], history.measurements[-1]
    return {
        **_run_columns(history),
        "dataset": history.run.dataset,
        "source": source,
        **dict.fromkeys(hyperparameters),
        **history.run.configuration.to_flat(),
        "state": history.state,
        "reason": last.outcome.reason,
        "best_epoch": last.outcome.best_epoch,
        "epochs": last.outcome.epoch,
        "metrics": last.outcome.metrics,
        **last.execution.as_row(),
        "started_at": first.execution.started_at,
        "ended_at": last.execution.ended_at,
        "seconds": sum(m.outcome.seconds for m in history.measurements),
    }


def curve_rows(history: RunHistory, outcome: Outcome) -> Iterator[Row]:
    """Yield one row per epoch trained."""
    run = _run_columns(history)
    for point in outcome.curve:
        metrics = {name: number for name, number in point.items() if name != "epoch"}
        yield {**run, "epoch": int(point["epoch"]), "metrics": metrics}


def evaluation_rows(history: RunHistory, outcome: Outcome) -> Iterator[Row]:
    """Yield one row per condition under which a confirm run was tested."""
    run = _run_columns(history)
    for evaluation in outcome.evaluations:
        yield {**run, "condition": evaluation.condition, "metrics": evaluation.metrics}


def prediction_rows(history: RunHistory, outcome: Outcome, examples: Mapping[str, TestExamples]) -> Iterator[Row]:
    """Yield one row per test example and condition whose predictions are kept; `examples` by dataset."""
    run = _run_columns(history)
    for evaluation in outcome.evaluations:
        if not evaluation.predictions:
            continue
        test = examples[history.run.dataset]
        for example, group, label, prediction in zip(
            test.ids, test.groups, test.labels, evaluation.predictions, strict=True
        ):
            columns = {"example": example, "group": group, "label": [label], "prediction": [prediction]}
            yield {**run, "condition": evaluation.condition, **columns}


def spectrum_rows(history: RunHistory, outcome: Outcome) -> Iterator[Row]:
    """Yield one row per kind of spectrum and index (from 0)."""
    run = _run_columns(history)
    for kind, values in outcome.spectra.items():
        for index, number in enumerate(values):
            yield {**run, "kind": kind, "index": index, "value": number}


def _run_columns(history: RunHistory) -> Row:
    return {**history.key.columns(), "run_id": history.run.run_id}
