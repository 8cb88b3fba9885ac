"""The rank that the fusion uses: energies of its rank factors and the spectrum of its unfolded tensor, by rank.

The effective rank is the exponential of the entropy of normalized factor energies (`tcray.models.spectrum`; Roy &
Vetterli 2007): r for r equal factors, near 1 if one factor has nearly all energy. If a low rank regularizes by limiting
the directions of the fusion, the effective rank grows with rank, and the gap between test and train loss grows with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tcray.claims.effect import Hypothesis, measure_effect, new_component
from tcray.claims.sweep_runs import DatasetRuns, Floats, PairedValues, RunId, SweepRuns
from tcray.claims.testability import explain_unusable_train_loss, list_testable, list_untestable
from tcray.claims.units import Unit
from tcray.claims.verdicts import ComponentTest, default_margin
from tcray.claims.wording import phrase_level
from tcray.config.metrics import METRICS
from tcray.store.store import SweepStore

CLAIM, RANK = "rank-spectrum", "rank"

EFFECTIVE_RANK, ENERGY, UNFOLDED = "effective rank", "factor energy", "unfolded:"
"""Kinds of spectra in the store; a modality's name follows the last prefix."""

RANK_MARGIN = 0.5
"""Smallest growth of effective rank of interest: half a factor."""

Spectra = Mapping[RunId, Mapping[str, Sequence[float]]]
"""Spectra by run and kind."""
ByRank = Mapping[Any, tuple[float, ...]]


@dataclass(frozen=True)
class Spectrum:
    """The spectra of the fusion over the ranks (L,) of one stratum.

    effective_rank  (U, L), paired by unit
    energies        by rank, energies of the rank factors, largest first, as shares of their sum: the mean over runs
    unfolded        by modality and rank, singular values of the unfolded fusion tensor, as shares of their sum
    gap             (U, L) test loss minus train loss at the last epoch; None if train loss cannot be compared
    """

    dataset: str
    source: str
    stratum: Mapping[str, Any]
    ranks: tuple[int, ...]
    effective_rank: Floats
    energies: ByRank
    unfolded: Mapping[str, ByRank]
    gap: Floats | None
    unit: Unit


def analyze_spectrum(sweep_runs: SweepRuns) -> tuple[list[Spectrum], list[ComponentTest]]:
    """Return the spectra of every dataset and stratum over rank, and the components of the claim `rank-spectrum`."""
    if RANK not in sweep_runs.sweep.factors:
        return [], list_untestable(sweep_runs, CLAIM)
    spectra = _read(sweep_runs.store)
    parts: list[Spectrum] = []
    components = list_untestable(sweep_runs, CLAIM)
    testing = {dataset_runs.dataset for dataset_runs in list_testable(sweep_runs, CLAIM)}
    for dataset_runs in sweep_runs.datasets:
        known = _with_effective_rank(dataset_runs, spectra)
        for stratum in (stratum for stratum in known.strata(RANK) if known.levels(RANK, stratum)):
            parts += _part(sweep_runs, known, stratum, spectra)
            if dataset_runs.dataset in testing:
                components += [
                    _measure_growth(sweep_runs, known, stratum),
                    _measure_gap_slope(sweep_runs, known, stratum),
                ]
    return parts, components


def _read(store: SweepStore) -> Spectra:
    """Read the spectra of every run; rows are sorted by run, kind and index."""
    found: dict[RunId, dict[str, list[float]]] = {}
    for row in store.read("spectra", ("cell", "repeat", "seed", "kind", "value")).to_pylist():
        run = row["cell"], row["repeat"], row["seed"]
        found.setdefault(run, {}).setdefault(row["kind"], []).append(row["value"])
    return found


def _run_id(run: Mapping[str, Any]) -> RunId:
    return run["cell"], run["repeat"], run["seed"]


def _with_effective_rank(dataset_runs: DatasetRuns, spectra: Spectra) -> DatasetRuns:
    """Return the dataset's runs with effective rank as a metric, so that it can be paired like any other metric."""
    runs = [
        {**run, EFFECTIVE_RANK: spectra.get(_run_id(run), {}).get(EFFECTIVE_RANK, [None])[0]}
        for run in dataset_runs.runs
    ]
    return replace(dataset_runs, runs=runs)


def _part(
    sweep_runs: SweepRuns, dataset_runs: DatasetRuns, stratum: Mapping[str, Any], spectra: Spectra
) -> Iterator[Spectrum]:
    ranks, cells = dataset_runs.cells_along(RANK, stratum)
    effective_rank, gap = dataset_runs.paired_values(EFFECTIVE_RANK, cells).values, None
    if not explain_unusable_train_loss(sweep_runs, dataset_runs):
        effective_rank, beside = _pair_with_gap(dataset_runs, cells)
        gap = beside.values
    of_cells = {
        rank: [spectra[_run_id(run)] for run in dataset_runs.cells[cell] if _run_id(run) in spectra]
        for rank, cell in zip(ranks, cells, strict=True)
    }
    if not any(of_cells.values()):
        return
    kinds = [kind for runs in of_cells.values() for run in runs for kind in run]
    modalities = [kind.removeprefix(UNFOLDED) for kind in dict.fromkeys(kinds) if kind.startswith(UNFOLDED)]
    yield Spectrum(
        dataset=dataset_runs.dataset,
        source=dataset_runs.source,
        stratum=stratum,
        ranks=ranks,
        effective_rank=effective_rank,
        energies=_shares(of_cells, ENERGY),
        unfolded={m: _shares(of_cells, UNFOLDED + m) for m in modalities},
        gap=gap,
        unit=dataset_runs.unit,
    )


def _shares(of_cells: Mapping[Any, Sequence[Mapping[str, Sequence[float]]]], kind: str) -> ByRank:
    """Return, by rank, the mean over runs of a spectrum divided by its sum; ranks without spectra are left out."""
    found = {}
    for rank, runs in of_cells.items():
        normalised = [np.divide(run[kind], total) for run in runs if kind in run and (total := sum(run[kind])) > 0]
        if normalised:
            found[rank] = tuple(np.mean(normalised, axis=0).tolist())
    return found


def _measure_growth(sweep_runs: SweepRuns, dataset_runs: DatasetRuns, stratum: Mapping[str, Any]) -> ComponentTest:
    """Return the component that the effective rank is larger at the highest rank than at the lowest."""
    ranks, cells = dataset_runs.cells_along(RANK, stratum)
    estimand = "Effective rank of the fusion, at the highest rank less at the lowest, over retraining"
    component = new_component(
        dataset_runs, stratum, claim=CLAIM, component="effective-rank-grows", metric=EFFECTIVE_RANK, estimand=estimand
    )
    paired = dataset_runs.paired_values(EFFECTIVE_RANK, cells)
    if reason := _explain_missing(dataset_runs, ranks):
        return replace(component, reason=reason)
    span = f"from rank {phrase_level(ranks[0])} to rank {phrase_level(ranks[-1])}"
    direction = Hypothesis(
        claimed=f"the effective rank of the fusion grows {span}",
        opposite=f"the effective rank of the fusion shrinks {span}",
        sign=1,
        margin=RANK_MARGIN,
    )
    means = paired.values.mean(0).tolist() if paired.units else []
    known = replace(component, details={"ranks": list(ranks), "effective_rank": means})
    difference = paired.values[:, -1] - paired.values[:, 0]
    return measure_effect(known, paired, difference, direction, alpha=sweep_runs.alpha, groups=dataset_runs.group_noun)


def _measure_gap_slope(sweep_runs: SweepRuns, dataset_runs: DatasetRuns, stratum: Mapping[str, Any]) -> ComponentTest:
    """Return the component that the gap widens with the effective rank within units: the mean of the units' slopes."""
    ranks, cells = dataset_runs.cells_along(RANK, stratum)
    estimand = (
        "Change of the gap between test and train loss (both at the last epoch) with a doubling of the effective rank: "
        f"least squares over ranks within each {dataset_runs.unit}, the mean over {dataset_runs.unit}s, over retraining"
    )
    component = new_component(
        dataset_runs, stratum, claim=CLAIM, component="gap-follows-effective-rank", metric="gap", estimand=estimand
    )
    if reason := explain_unusable_train_loss(sweep_runs, dataset_runs) or _explain_missing(dataset_runs, ranks):
        return replace(component, reason=reason)
    effective_ranks, paired = _pair_with_gap(dataset_runs, cells)
    if paired.units and not (effective_ranks.min() > 0 and np.ptp(effective_ranks, axis=1).all()):
        return replace(component, reason="The effective rank is 0, or equal at every rank: check that runs learn.")
    direction = Hypothesis(
        claimed="the gap between test and train loss grows with every doubling of the effective rank",
        opposite="the gap between test and train loss shrinks with every doubling of the effective rank",
        sign=1,
        margin=default_margin(METRICS["loss"]),
    )
    slopes = _slopes(np.log2(effective_ranks), paired.values)
    return measure_effect(component, paired, slopes, direction, alpha=sweep_runs.alpha, groups=dataset_runs.group_noun)


def _pair_with_gap(dataset_runs: DatasetRuns, cells: Sequence[str]) -> tuple[Floats, PairedValues]:
    """Return effective ranks (U, L) and the paired values of the gap (U, L), for the units that have both."""
    ranks, gaps = (dataset_runs.paired_values(metric, cells) for metric in (EFFECTIVE_RANK, "gap"))
    both = tuple(number for number in gaps.numbers if number in ranks.numbers)
    ranks_of_both, gaps_of_both = (p.values[[p.numbers.index(number) for number in both]] for p in (ranks, gaps))
    lost = gaps.units - len(both)
    return ranks_of_both, replace(gaps, values=gaps_of_both, numbers=both, dropped=gaps.dropped + lost)


def _slopes(x: Floats, y: Floats) -> Floats:
    """Return the least-squares slope (U,) of y on x, both (U, L), within every unit."""
    centred = x - x.mean(1, keepdims=True)
    slopes: Floats = (centred * y).sum(1) / np.square(centred).sum(1)
    return slopes


def _explain_missing(dataset_runs: DatasetRuns, ranks: Sequence[int]) -> str:
    """Return why spectra cannot be compared, and the remedy; empty if they can."""
    if len(ranks) < 2:
        return "Only one rank has complete runs, and growth needs two: add ranks to the factor."
    if all(run.get(EFFECTIVE_RANK) is None for run in dataset_runs.runs):
        return "No run has recorded a spectrum: a fusion without a tensor, as concat, has none; use lmf."
    return ""
