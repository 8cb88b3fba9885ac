"""The component of `weak-modality`: a fusion is better without one of its modalities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tcray.claims.any_of import any_of
from tcray.claims.effect import Hypothesis, measure_effect, new_component
from tcray.claims.sweep_runs import DatasetRuns
from tcray.claims.verdicts import ComponentTest, default_margin
from tcray.claims.wording import capitalize, phrase_metric
from tcray.results.modalities.coalition_values import cells_by_subset, explain_incomplete

WEAKNESS_CLAIM = "weak-modality"


def measure_leave_one_out(dataset_runs: DatasetRuns, stratum: Mapping[str, Any], alpha: float) -> ComponentTest:
    """Return the component `leaving-one-out`: retrained without some modality, the fusion is better (Holm over
    modalities).

    It is contradicted if leaving out each modality is shown to help by less than the margin, or to hurt.
    """
    modalities = tuple(dataset_runs.card["modalities"])
    every = frozenset(modalities)
    metric = f"test.{dataset_runs.primary.name}"
    label = phrase_metric(metric)
    component = new_component(
        dataset_runs,
        stratum,
        claim=WEAKNESS_CLAIM,
        component="leaving-one-out",
        metric=metric,
        estimand=(
            f"{capitalize(label)} of fusions trained without one modality less that of fusions of all, each tuned by "
            f"itself, paired by {dataset_runs.unit}; of the modality with the clearest improvement"
        ),
    )
    if len(modalities) < 2:
        return replace(
            component, reason=f"{dataset_runs.dataset} has one modality: leaving it out leaves nothing to fuse."
        )
    cells = cells_by_subset(dataset_runs, stratum)
    needed = [every, *(every - {m} for m in modalities)]
    if reason := explain_incomplete(dataset_runs, needed, cells):
        return replace(component, reason=reason)
    paired = dataset_runs.paired_values(metric, [cells[subset] for subset in needed], by_group=True)
    values = paired.finest
    up, down = ("raises", "lowers") if dataset_runs.primary.maximize else ("lowers", "raises")
    sign, margin, groups = (
        1 if dataset_runs.primary.maximize else -1,
        default_margin(dataset_runs.primary),
        dataset_runs.group_noun,
    )
    parts = {}
    for place, m in enumerate(modalities, start=1):
        claimed, opposite = f"leaving {m} out {up} {label}", f"leaving {m} out {down} {label}"
        direction = Hypothesis(claimed, opposite, sign, margin)
        difference = values[:, place] - values[:, 0]
        parts[m] = measure_effect(
            component, paired, difference, direction, alpha=alpha / len(modalities), groups=groups
        )
    return any_of(
        component,
        parts,
        sign=sign,
        some=f"It is open whether leaving one modality out {up} {label}",
        none=f"Leaving any one modality out {down} {label}, or {up} it by less than {margin:g}",
        alpha=alpha,
        groups=groups,
    )
