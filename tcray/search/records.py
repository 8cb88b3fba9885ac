"""What came of a run, as rows of the tables other than the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tcray.config.run import canonical_json
from tcray.search.run_history import RunHistory
from tcray.store.outcome import Outcome

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Examples:
    """The test split of a dataset, over all folds, in the order of an evaluation's predictions; (N,) each."""

    ids: Sequence[str]
    groups: Sequence[str]
    labels: Sequence[float]


def ended(course: RunHistory, source: str) -> Row:
    """The row of a run that has ended: how, with what, and where its last segment was trained."""
    first, last = course.measured[0], course.measured[-1]
    return {
        **_run(course),
        "dataset": course.run.dataset,
        "source": source,
        "configuration": canonical_json(course.run.configuration.to_flat()),
        "state": course.state,
        "reason": last.reason,
        "best_epoch": last.best_epoch,
        "epochs": last.epoch,
        "metrics": last.metrics,
        "started_at": first.circumstances.started_at,
        "ended_at": last.circumstances.ended_at,
        "seconds": sum(m.seconds for m in course.measured),
        "pack": last.circumstances.pack,
        "pack_size": last.circumstances.pack_size,
        "host": last.circumstances.host,
        "device": last.circumstances.device,
    }


def curve(course: RunHistory, outcome: Outcome) -> Iterator[Row]:
    """A row an epoch trained."""
    run = _run(course)
    for point in outcome.curve:
        metrics = {name: number for name, number in point.items() if name != "epoch"}
        yield {**run, "epoch": int(point["epoch"]), "metrics": metrics}


def evaluations(course: RunHistory, outcome: Outcome) -> Iterator[Row]:
    """A row a condition under which a confirm run was tested."""
    run = _run(course)
    for evaluation in outcome.evaluations:
        yield {**run, "condition": evaluation.condition, "metrics": evaluation.metrics}


def predictions(course: RunHistory, outcome: Outcome, examples: Mapping[str, Examples]) -> Iterator[Row]:
    """A row a condition whose predictions are kept, and test example; `examples` by dataset."""
    run = _run(course)
    for evaluation in outcome.evaluations:
        if not evaluation.predictions:
            continue
        of = examples[course.run.dataset]
        of_each = zip(of.ids, of.groups, of.labels, evaluation.predictions, strict=True)
        for example, group, label, prediction in of_each:
            told = {"example": example, "group": group, "label": label, "prediction": prediction}
            yield {**run, "condition": evaluation.condition, **told}


def spectra(course: RunHistory, outcome: Outcome) -> Iterator[Row]:
    """A row a kind of spectrum and index (from 0)."""
    run = _run(course)
    for kind, values in outcome.spectra.items():
        for index, number in enumerate(values):
            yield {**run, "kind": kind, "index": index, "value": number}


def _run(course: RunHistory) -> Row:
    return {**course.key.columns(), "run_id": course.run.run_id}
