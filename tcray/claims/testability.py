"""Reasons why a claim cannot be tested on a dataset, with their remedies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tcray.claims.sweep_runs import DatasetRuns, SweepRuns
from tcray.claims.units import Record
from tcray.claims.verdicts import ALL, ComponentTest
from tcray.claims.wording import phrase_factor, phrase_level
from tcray.config.claims import CLAIMS
from tcray.config.messages import join_words
from tcray.data.catalog import dataset_names


def list_untestable(sweep_runs: SweepRuns, claim: str) -> list[ComponentTest]:
    """Return a component `all` with its reason for every dataset or stratum on which no part of `claim` is testable.

    Empty if the sweep does not make the claim. Datasets that were left out have no source. Of a testable dataset, the
    strata are listed that have ended runs but no complete confirm run.
    """
    if claim not in sweep_runs.sweep.claims:
        return []
    components = [
        ComponentTest(claim, ALL, dataset.dataset, dataset.source, {}, "", "", reason=reason)
        for dataset, reason in _untestable_datasets(sweep_runs, claim)
    ]
    for dataset_runs in list_testable(sweep_runs, claim):
        for stratum, runs in _strata_without_results(sweep_runs, dataset_runs, claim):
            reason = _explain_incomplete(dataset_runs.dataset, runs, stratum)
            components.append(
                ComponentTest(claim, ALL, dataset_runs.dataset, dataset_runs.source, stratum, "", "", reason=reason)
            )
    left_out = [
        ComponentTest(claim, ALL, left["dataset"], "", {}, "", "", reason=_explain_left_out(**left))
        for left in sweep_runs.manifest["left_out"]
    ]
    return [*components, *left_out]


def list_testable(sweep_runs: SweepRuns, claim: str) -> list[DatasetRuns]:
    """Return the datasets on which the sweep makes `claim` and at least part of it can be tested."""
    if claim not in sweep_runs.sweep.claims:
        return []
    barred = {dataset_runs.dataset for dataset_runs, _ in _untestable_datasets(sweep_runs, claim)}
    return [dataset_runs for dataset_runs in sweep_runs.datasets if dataset_runs.dataset not in barred]


def _untestable_datasets(sweep_runs: SweepRuns, claim: str) -> Iterator[tuple[DatasetRuns, str]]:
    """Yield the datasets on which nothing can be tested, each with the reason."""
    lacking = [factor for factor in CLAIMS[claim].needs if factor not in sweep_runs.sweep.factors]
    for dataset_runs in sweep_runs.datasets:
        if lacking:
            yield dataset_runs, f"The sweep does not vary {join_words(lacking, 'and')}: add levels under factors."
        elif sweep_runs.sweep.confirm is None:
            yield dataset_runs, "The sweep has no confirm runs, and only these are tested: add a confirm section."
        elif not dataset_runs.runs:
            yield dataset_runs, _explain_incomplete(dataset_runs.dataset, _select_ended(sweep_runs, dataset_runs))


def _strata_without_results(
    sweep_runs: SweepRuns, dataset_runs: DatasetRuns, claim: str
) -> Iterator[tuple[Mapping[str, Any], list[Record]]]:
    """Yield the strata of a claim's factors in which runs have ended but no confirm run is complete."""
    needs = CLAIMS[claim].needs
    if not needs:
        return
    names = [name for name in dataset_runs.factors if name not in needs]
    ended: dict[tuple[Any, ...], list[Record]] = {}
    for run in _select_ended(sweep_runs, dataset_runs):
        ended.setdefault(tuple(run.get(name) for name in names), []).append(run)
    complete = [tuple(stratum.values()) for stratum in dataset_runs.strata(*needs)]
    for levels, runs in ended.items():
        if levels not in complete:
            yield dict(zip(names, levels, strict=True)), runs


def _select_ended(sweep_runs: SweepRuns, dataset_runs: DatasetRuns) -> list[Record]:
    """Return every run of a dataset that has ended, of both phases."""
    return [
        run for run in sweep_runs.runs if (run["dataset"], run["source"]) == (dataset_runs.dataset, dataset_runs.source)
    ]


def _explain_incomplete(dataset: str, ended: Sequence[Record], stratum: Mapping[str, Any] | None = None) -> str:
    """Return why a dataset, or a stratum of it, has no complete confirm run, and the remedy."""
    failed = Counter(run["reason"] or "failed" for run in ended if run["state"] == "FAILED")
    pruned = sum(run["state"] == "PRUNED" for run in ended)
    counts = [f"{count:,} {reason}" for reason, count in failed.most_common()] + [f"{pruned:,} pruned"] * bool(pruned)
    because = f" ({join_words(counts, 'and')})" if counts else ""
    remedy = "narrow its learning rates" if failed["diverged"] else "run the sweep to its end"
    levels = {name: value for name, value in (stratum or {}).items() if value is not None}
    where = "".join(f", {phrase_factor(name)} {phrase_level(value)}" for name, value in levels.items())
    return f"No confirm run on {dataset}{where} is complete{because}: {remedy}."


def _explain_left_out(dataset: str, reason: str) -> str:
    return f"{dataset} is left out because {reason}: use a dataset that has what it lacks."


def explain_unusable_train_loss(sweep_runs: SweepRuns, dataset_runs: DatasetRuns) -> str:
    """Return why train loss, and the gap to it, cannot be compared across cells, with remedies; empty if they can."""
    why, remedies = [], []
    if sweep_runs.tuned:
        why.append("every cell has its own configuration")
        remedies.append("run sweeps/rank_fixed.yaml")
    if dataset_runs.card["saw_labels"]:
        why.append(f"the features of {dataset_runs.dataset}'s train split were learned from its labels")
        held_out = f"{dataset_runs.dataset}-heldout"
        remedies.append(f"use {held_out if held_out in dataset_names() else 'features that were learned without them'}")
    return f"Train loss cannot be compared because {' and '.join(why)}: {' and '.join(remedies)}." if why else ""
