"""Components of `modal-asymmetry`: contributions differ, and some combination is better than its best part.

Both use fusions that were trained with each subset of the modalities.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from tcray.claims.any_of import any_of
from tcray.claims.conditions import list_missing_patterns
from tcray.claims.effect import Hypothesis, measure_effect, new_component, too_few_units, with_counts
from tcray.claims.sweep_runs import ALPHA, DatasetRuns, Floats, PairedValues
from tcray.claims.verdicts import ComponentTest, default_margin
from tcray.claims.wording import capitalize, phrase_metric, phrase_number
from tcray.config.messages import join_words
from tcray.results.modalities.coalition_values import (
    CoalitionGame,
    cells_by_subset,
    explain_incomplete,
    explain_missing_constant,
)
from tcray.statistics.shapley_values import shapley_difference

ASYMMETRY_CLAIM = "modal-asymmetry"


def measure_share_differences(
    dataset_runs: DatasetRuns, stratum: Mapping[str, Any], game: CoalitionGame | None, alpha: float
) -> ComponentTest:
    """Return the component `shares-differ`: some modality contributes more than another (Holm over pairs).

    It is contradicted if the Shapley values of every pair are shown to lie within the margin of each other.

    Args:
        dataset_runs: the dataset's runs.
        stratum: levels of the factors other than `modalities`.
        game: the game of the retrained fusions; None if a value is missing.
        alpha: level of the test.
    """
    modalities, label = tuple(dataset_runs.card["modalities"]), phrase_metric(f"test.{dataset_runs.primary.name}")
    component = new_component(
        dataset_runs,
        stratum,
        claim=ASYMMETRY_CLAIM,
        component="shares-differ",
        metric=f"test.{dataset_runs.primary.name}",
        estimand=(
            f"How much more {label} one modality is worth than another: the difference of their Shapley values over "
            "fusions trained with every subset, each tuned separately; of the pair with the clearest difference"
        ),
    )
    cells = cells_by_subset(dataset_runs, stratum)
    if (
        reason := _explain_single_modality(dataset_runs)
        or explain_incomplete(dataset_runs, _list_subsets(modalities), cells)
        or explain_missing_constant(dataset_runs)
    ):
        return replace(component, reason=reason)
    paired = game.paired if game and game.paired else dataset_runs.paired_values(component.metric, list(cells.values()))
    if game is None:
        return replace(with_counts(component, paired), reason=too_few_units(paired, dataset_runs.unit))
    pairs = list(combinations(modalities, 2))
    by_subset = {subset: game.sign * values for subset, values in game.by_group.items()}
    margin, groups, also = (
        default_margin(dataset_runs.primary),
        dataset_runs.group_noun,
        f" {_phrase_shares(game, label)}",
    )
    parts = {}
    for pair in pairs:
        more = shapley_difference(by_subset, modalities, pair)
        first, second = pair if more.mean() >= 0 else reversed(pair)
        direction = Hypothesis(f"{first} is worth more than {second}", f"{second} … {first}", 1, margin, also)
        difference = more if (first, second) == pair else -more
        part = measure_effect(component, paired, difference, direction, alpha=alpha / len(pairs), groups=groups)
        parts[f"{first} over {second}"] = part
    return any_of(
        component,
        parts,
        sign=1,
        some=f"It is open whether one modality is worth more {label} than another",
        none=f"All modalities are worth the same {label} to within {margin:g}",
        alpha=alpha,
        groups=groups,
    )


def measure_combination_gain(dataset_runs: DatasetRuns, stratum: Mapping[str, Any], alpha: float) -> ComponentTest:
    """Return the component `combination-beats-parts`: some combination is better than each of its modalities alone.

    A combination must beat all its parts, so its p-value is the largest over parts (Berger 1982); Holm over
    combinations. The component is contradicted if each combination is shown to beat some part by less than the margin,
    or not at all; a combination of k parts has k chances of that, which are corrected for (Bonferroni).
    """
    modalities, metric = tuple(dataset_runs.card["modalities"]), f"test.{dataset_runs.primary.name}"
    label = phrase_metric(metric)
    component = new_component(
        dataset_runs,
        stratum,
        claim=ASYMMETRY_CLAIM,
        component="combination-beats-parts",
        metric=metric,
        estimand=(
            f"{capitalize(label)} of fusions trained with a combination of modalities less that of the best of its "
            f"parts alone, each tuned separately, paired by {dataset_runs.unit}; of the combination with the clearest "
            "gain"
        ),
    )
    cells = cells_by_subset(dataset_runs, stratum)
    if reason := _explain_single_modality(dataset_runs) or explain_incomplete(
        dataset_runs, _list_subsets(modalities), cells
    ):
        return replace(component, reason=reason)
    paired = dataset_runs.paired_values(metric, list(cells.values()), by_group=True)
    by_subset = {subset: paired.finest[:, place] for place, subset in enumerate(cells)}
    composites = [subset for subset in list_missing_patterns(modalities) if len(subset) > 1]
    tests = {
        "+".join(subset): _compare_with_parts(
            component, dataset_runs, paired, by_subset, subset, alpha / len(composites)
        )
        for subset in composites
    }
    better, margin = "a higher" if dataset_runs.primary.maximize else "a lower", default_margin(dataset_runs.primary)
    return any_of(
        component,
        tests,
        sign=1 if dataset_runs.primary.maximize else -1,
        some=f"It is open whether a combination has {better} {label} than the best of its parts",
        none=f"No combination has {better} {label} than the best of its parts by {margin:g} or more",
        alpha=alpha,
        groups=dataset_runs.group_noun,
    )


def _compare_with_parts(
    component: ComponentTest,
    dataset_runs: DatasetRuns,
    paired: PairedValues,
    by_subset: Mapping[frozenset[str], Floats],
    subset: tuple[str, ...],
    alpha: float,
) -> ComponentTest:
    """Return the test of a combination against the part that it beats least clearly.

    It is negligible with the smallest p-value of beating a part by less than the margin, and opposed with the smallest
    p-value of being beaten by a part; both are corrected for the number of parts.
    """
    name, label, maximize = "+".join(subset), phrase_metric(component.metric), dataset_runs.primary.maximize
    better, worse = ("a higher", "a lower") if maximize else ("a lower", "a higher")
    sign, margin = 1 if maximize else -1, default_margin(dataset_runs.primary)
    parts = []
    for m in subset:
        difference = by_subset[frozenset(subset)] - by_subset[frozenset({m})]
        claimed, opposite = (f"{name} has {word} {label} than {m} alone" for word in (better, worse))
        direction = Hypothesis(claimed, opposite, sign, margin)
        parts.append(
            measure_effect(component, paired, difference, direction, alpha=alpha, groups=dataset_runs.group_noun)
        )
    weakest = max(
        parts,
        key=lambda part: (1.0 if part.p_supports is None else part.p_supports, -sign * (part.estimate or 0.0)),
    )

    def correct_smallest(p_values: Iterable[float | None]) -> float:
        return min(1.0, len(subset) * min((p for p in p_values if p is not None), default=1.0))

    return replace(
        weakest,
        p_opposes=correct_smallest(part.p_opposes for part in parts),
        p_negligible=correct_smallest(part.p_negligible for part in parts),
    )


def _phrase_shares(game: CoalitionGame, label: str) -> str:
    """Return the Shapley values of a game in a sentence."""
    shares = game.shapley(ALPHA)
    values = join_words([f"{m} {phrase_number(shares.values[m])}" for m in shares.order], "and")
    beats = "better" if shares.total >= 0 else "worse"
    total = phrase_number(abs(shares.total))
    return f"Shapley values for {label}: {values}; the fusion is {total} {beats} than a constant."


def _explain_single_modality(dataset_runs: DatasetRuns) -> str:
    """Return why one modality is too few; empty if there are more."""
    modalities = tuple(dataset_runs.card["modalities"])
    if len(modalities) > 1:
        return ""
    return f"{dataset_runs.dataset} has only one modality, {modalities[0]}: use a dataset that has at least two."


def _list_subsets(modalities: tuple[str, ...]) -> list[frozenset[str]]:
    return [frozenset(subset) for subset in list_missing_patterns(modalities)[1:]]
