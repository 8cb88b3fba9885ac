"""Whether a fusion is better off without one of its modalities, which is then a weak one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tcray.claims.any_of import any_of
from tcray.claims.effect import Direction, asked, effect
from tcray.claims.sweep_runs import DatasetRuns
from tcray.claims.verdicts import ComponentTest, margin_of
from tcray.claims.wording import capitalised, label_of
from tcray.results.modalities.coalition_values import cells_by_subset, incomplete

CLAIM = "weak-modality"


def leaving_one_out(samples: DatasetRuns, stratum: Mapping[str, Any], alpha: float) -> ComponentTest:
    """The component of that name: trained anew without some modality, the fusion is better (Holm over modalities).

    Contradicted where for every modality leaving it out is shown to help by less than the margin, or to hurt.
    """
    modalities = tuple(samples.card["modalities"])
    every = frozenset(modalities)
    metric = f"test.{samples.primary.name}"
    label = label_of(metric)
    component = asked(
        samples,
        stratum,
        claim=CLAIM,
        component="leaving-one-out",
        metric=metric,
        estimand=(
            f"{capitalised(label)} of fusions trained without one modality less that of fusions of all, each tuned by "
            f"itself, paired by {samples.unit}; of the modality for which an improvement is best borne out"
        ),
    )
    if len(modalities) < 2:
        return replace(component, reason=f"{samples.dataset} has one modality: leaving it out leaves nothing to fuse.")
    cells = cells_by_subset(samples, stratum)
    needed = [every, *(every - {m} for m in modalities)]
    if reason := incomplete(samples, needed, cells):
        return replace(component, reason=reason)
    panel = samples.panel(metric, [cells[subset] for subset in needed], grouped=True)
    values = panel.values if panel.grouped is None else panel.grouped
    up, down = ("raises", "lowers") if samples.primary.maximize else ("lowers", "raises")
    sign, margin, groups = 1 if samples.primary.maximize else -1, margin_of(samples.primary), samples.group_noun
    parts = {}
    for place, m in enumerate(modalities, start=1):
        claimed, opposite = f"leaving {m} out {up} {label}", f"leaving {m} out {down} {label}"
        direction = Direction(claimed, opposite, sign, margin)
        difference = values[:, place] - values[:, 0]
        parts[m] = effect(component, panel, difference, direction, alpha=alpha / len(modalities), groups=groups)
    return any_of(
        component,
        parts,
        sign=sign,
        some=f"Whether leaving one modality out {up} {label}",
        none=f"Leaving any one modality out {down} {label}, or {up} it by less than {margin:g}",
        alpha=alpha,
        groups=groups,
    )
