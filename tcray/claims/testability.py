"""What keeps a claim from being tested on a dataset at all, and what would let it be."""

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
    """One component `all` for every dataset or stratum in which no part of `claim` can be tested, and why.

    None where the sweep does not make the claim. A dataset that was left out has no source. Of a dataset that is
    testable they are strata that have been begun and have no complete confirm run.
    """
    if claim not in sweep_runs.sweep.claims:
        return []
    here = [
        ComponentTest(claim, ALL, s.dataset, s.source, {}, "", "", reason=why) for s, why in _barred(sweep_runs, claim)
    ]
    for dataset_runs in list_testable(sweep_runs, claim):
        for stratum, runs in _lost(sweep_runs, dataset_runs, claim):
            reason = _incomplete(dataset_runs.dataset, runs, stratum)
            here.append(
                ComponentTest(claim, ALL, dataset_runs.dataset, dataset_runs.source, stratum, "", "", reason=reason)
            )
    gone = [
        ComponentTest(claim, ALL, left["dataset"], "", {}, "", "", reason=_left_out(left["dataset"], left["reason"]))
        for left in sweep_runs.manifest["left_out"]
    ]
    return [*here, *gone]


def list_testable(sweep_runs: SweepRuns, claim: str) -> list[DatasetRuns]:
    """The datasets on which `claim` is made and is worth a trial: none of those of `untestable`."""
    if claim not in sweep_runs.sweep.claims:
        return []
    barred = {dataset_runs.dataset for dataset_runs, _ in _barred(sweep_runs, claim)}
    return [dataset_runs for dataset_runs in sweep_runs.datasets if dataset_runs.dataset not in barred]


def _barred(sweep_runs: SweepRuns, claim: str) -> Iterator[tuple[DatasetRuns, str]]:
    """Datasets that nothing can be tested on, each with its reason."""
    lacking = [factor for factor in CLAIMS[claim].needs if factor not in sweep_runs.sweep.factors]
    for dataset_runs in sweep_runs.datasets:
        if lacking:
            yield dataset_runs, f"The sweep does not vary {join_words(lacking, 'and')}: give it levels under factors."
        elif sweep_runs.sweep.confirm is None:
            yield dataset_runs, "Only confirm runs are tested, and the sweep has none: add a confirm section."
        elif not dataset_runs.runs:
            yield dataset_runs, _incomplete(dataset_runs.dataset, _ended(sweep_runs, dataset_runs))


def _lost(
    sweep_runs: SweepRuns, dataset_runs: DatasetRuns, claim: str
) -> Iterator[tuple[Mapping[str, Any], list[Record]]]:
    """Strata of a claim's own factors in which runs have ended, and none of them is a complete confirm run."""
    needs = CLAIMS[claim].needs
    if not needs:
        return
    names = [name for name in dataset_runs.factors if name not in needs]
    ended: dict[tuple[Any, ...], list[Record]] = {}
    for run in _ended(sweep_runs, dataset_runs):
        ended.setdefault(tuple(run.get(name) for name in names), []).append(run)
    complete = [tuple(stratum.values()) for stratum in dataset_runs.strata(*needs)]
    for levels, runs in ended.items():
        if levels not in complete:
            yield dict(zip(names, levels, strict=True)), runs


def _ended(sweep_runs: SweepRuns, dataset_runs: DatasetRuns) -> list[Record]:
    """Every run of a dataset that has ended, of both phases."""
    return [
        run for run in sweep_runs.runs if (run["dataset"], run["source"]) == (dataset_runs.dataset, dataset_runs.source)
    ]


def _incomplete(dataset: str, ended: Sequence[Record], stratum: Mapping[str, Any] | None = None) -> str:
    """Why a dataset, or a stratum of it, has no complete confirm run."""
    failed = Counter(run["reason"] or "failed" for run in ended if run["state"] == "FAILED")
    pruned = sum(run["state"] == "PRUNED" for run in ended)
    told = [f"{count:,} {reason}" for reason, count in failed.most_common()] + [f"{pruned:,} pruned"] * bool(pruned)
    because = f" ({join_words(told, 'and')})" if told else ""
    remedy = "narrow its learning rates" if failed["diverged"] else "run the sweep to its end"
    levels = {name: value for name, value in (stratum or {}).items() if value is not None}
    where = "".join(f", {phrase_factor(name)} {phrase_level(value)}" for name, value in levels.items())
    return f"No confirm run on {dataset}{where} is complete{because}: {remedy}."


def _left_out(dataset: str, reason: str) -> str:
    return f"{dataset} is left out, since {reason}: ask a dataset that has what it lacks."


def explain_unusable_train_loss(sweep_runs: SweepRuns, dataset_runs: DatasetRuns) -> str:
    """Why train loss, and the gap to it, say nothing across cells, and the remedy; empty where they do."""
    why, remedies = [], []
    if sweep_runs.tuned:
        why.append("every cell has a configuration of its own")
        remedies.append("run sweeps/rank_fixed.yaml")
    if dataset_runs.card["saw_labels"]:
        why.append(f"the features of {dataset_runs.dataset}'s train split were learned from its labels")
        held_out = f"{dataset_runs.dataset}-heldout"
        remedies.append(f"use {held_out if held_out in dataset_names() else 'features that did not see them'}")
    return f"Train loss says nothing here, since {' and '.join(why)}: {' and '.join(remedies)}." if why else ""
