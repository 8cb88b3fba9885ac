"""What keeps a claim from being tested on a dataset at all, and what would let it be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tcray.claims.sweep_runs import DatasetRuns, SweepRuns
from tcray.claims.units import Record
from tcray.claims.verdicts import ALL, ComponentTest
from tcray.claims.wording import factor_noun, level
from tcray.config.claims import CLAIMS
from tcray.config.messages import join_words
from tcray.data.catalog import dataset_names


def untestable(evidence: SweepRuns, claim: str) -> list[ComponentTest]:
    """One component `all` for every dataset or stratum in which no part of `claim` can be tested, and why.

    None where the sweep does not make the claim. A dataset that was left out has no source. Of a dataset that is
    testable they are strata that have been begun and have no complete confirm run.
    """
    if claim not in evidence.sweep.claims:
        return []
    here = [
        ComponentTest(claim, ALL, s.dataset, s.source, {}, "", "", reason=why) for s, why in _barred(evidence, claim)
    ]
    for samples in testable(evidence, claim):
        for stratum, runs in _lost(evidence, samples, claim):
            reason = _incomplete(samples.dataset, runs, stratum)
            here.append(ComponentTest(claim, ALL, samples.dataset, samples.source, stratum, "", "", reason=reason))
    gone = [
        ComponentTest(claim, ALL, left["dataset"], "", {}, "", "", reason=_left_out(left["dataset"], left["reason"]))
        for left in evidence.manifest["left_out"]
    ]
    return [*here, *gone]


def testable(evidence: SweepRuns, claim: str) -> list[DatasetRuns]:
    """The datasets on which `claim` is made and is worth a trial: none of those of `untestable`."""
    if claim not in evidence.sweep.claims:
        return []
    barred = {samples.dataset for samples, _ in _barred(evidence, claim)}
    return [samples for samples in evidence.samples if samples.dataset not in barred]


def _barred(evidence: SweepRuns, claim: str) -> Iterator[tuple[DatasetRuns, str]]:
    """Datasets that nothing can be tested on, each with its reason."""
    lacking = [factor for factor in CLAIMS[claim].needs if factor not in evidence.sweep.factors]
    for samples in evidence.samples:
        if lacking:
            yield samples, f"The sweep does not vary {join_words(lacking, 'and')}: give it levels under factors."
        elif evidence.sweep.confirm is None:
            yield samples, "Only confirm runs are tested, and the sweep has none: add a confirm section."
        elif not samples.runs:
            yield samples, _incomplete(samples.dataset, _ended(evidence, samples))


def _lost(evidence: SweepRuns, samples: DatasetRuns, claim: str) -> Iterator[tuple[Mapping[str, Any], list[Record]]]:
    """Strata of a claim's own factors in which runs have ended, and none of them is a complete confirm run."""
    needs = CLAIMS[claim].needs
    if not needs:
        return
    names = [name for name in samples.factors if name not in needs]
    ended: dict[tuple[Any, ...], list[Record]] = {}
    for run in _ended(evidence, samples):
        ended.setdefault(tuple(run.get(name) for name in names), []).append(run)
    complete = [tuple(stratum.values()) for stratum in samples.strata(*needs)]
    for levels, runs in ended.items():
        if levels not in complete:
            yield dict(zip(names, levels, strict=True)), runs


def _ended(evidence: SweepRuns, samples: DatasetRuns) -> list[Record]:
    """Every run of a dataset that has ended, of both phases."""
    return [run for run in evidence.runs if (run["dataset"], run["source"]) == (samples.dataset, samples.source)]


def _incomplete(dataset: str, ended: Sequence[Record], stratum: Mapping[str, Any] | None = None) -> str:
    """Why a dataset, or a stratum of it, has no complete confirm run."""
    failed = Counter(run["reason"] or "failed" for run in ended if run["state"] == "FAILED")
    pruned = sum(run["state"] == "PRUNED" for run in ended)
    told = [f"{count:,} {reason}" for reason, count in failed.most_common()] + [f"{pruned:,} pruned"] * bool(pruned)
    because = f" ({join_words(told, 'and')})" if told else ""
    remedy = "narrow its learning rates" if failed["diverged"] else "run the sweep to its end"
    levels = {name: value for name, value in (stratum or {}).items() if value is not None}
    where = "".join(f", {factor_noun(name)} {level(value)}" for name, value in levels.items())
    return f"No confirm run on {dataset}{where} is complete{because}: {remedy}."


def _left_out(dataset: str, reason: str) -> str:
    return f"{dataset} is left out, since {reason}: ask a dataset that has what it lacks."


def train_unusable(evidence: SweepRuns, samples: DatasetRuns) -> str:
    """Why train loss, and the gap to it, say nothing across cells, and the remedy; empty where they do."""
    why, remedies = [], []
    if evidence.tuned:
        why.append("every cell has a configuration of its own")
        remedies.append("run sweeps/rank_fixed.yaml")
    if samples.card["saw_labels"]:
        why.append(f"the features of {samples.dataset}'s train split were learned from its labels")
        held_out = f"{samples.dataset}-heldout"
        remedies.append(f"use {held_out if held_out in dataset_names() else 'features that did not see them'}")
    return f"Train loss says nothing here, since {' and '.join(why)}: {' and '.join(remedies)}." if why else ""
