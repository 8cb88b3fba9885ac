"""The analysis of a sweep: findings on its claims, and the parts that tables and figures show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tcray.claims.sweep_runs import DatasetRuns, SweepRuns
from tcray.claims.units import LINEAR_BASELINES
from tcray.claims.verdicts import Finding, conclude
from tcray.config.sweep import Sweep
from tcray.results.modalities.analysis import Contribution, analyze_modalities
from tcray.results.prior.analysis import Conditioning, analyze_prior
from tcray.results.rank.analysis import Profile, analyze_rank
from tcray.results.ranking.analysis import Ranking, build_ranking
from tcray.results.robustness.analysis import Robustness, analyze_robustness
from tcray.results.search.analysis import SearchAnalysis, analyze_search
from tcray.results.spectrum.analysis import Spectrum, analyze_spectrum
from tcray.statistics.estimate import to_finite
from tcray.store.store import SweepStore


@dataclass(frozen=True)
class Results:
    """Everything that is concluded from a sweep: a pure function of its store, identical to the last digit.

    alpha   level with which adjusted p-values are compared: 5 %, divided by the number of looks
    looks   how often this question was asked of these data so far, each time with other confirm runs
    """

    sweep_id: str
    manifest: Mapping[str, Any]
    sweep: Sweep
    alpha: float
    looks: int
    findings: tuple[Finding, ...]
    profiles: tuple[Profile, ...]
    conditionings: tuple[Conditioning, ...]
    spectra: tuple[Spectrum, ...]
    contributions: tuple[Contribution, ...]
    robustness: tuple[Robustness, ...]
    search: SearchAnalysis
    ranking: Ranking


def analyze(store: SweepStore) -> Results:
    """Return the results of a sweep from the current contents of its store.

    Raises:
        StoreError: if the store is damaged.
    """
    sweep_runs = SweepRuns.load(store)
    profiled, of_profiles = analyze_rank(sweep_runs)
    conditioned, of_conditioning = analyze_prior(sweep_runs)
    spectra, of_spectra = analyze_spectrum(sweep_runs)
    contributions, of_modalities = analyze_modalities(sweep_runs)
    robust, of_robustness = analyze_robustness(sweep_runs)
    components = [*of_profiles, *of_spectra, *of_conditioning, *of_modalities, *of_robustness]
    asked = [c for name in sweep_runs.sweep.claims for c in components if c.claim == name]
    beats = {s.dataset: beaten for s in sweep_runs.datasets if (beaten := _beats_linear(s)) is not None}
    return Results(
        sweep_id=store.sweep_id,
        manifest=sweep_runs.manifest,
        sweep=sweep_runs.sweep,
        alpha=sweep_runs.alpha,
        looks=sweep_runs.looks,
        findings=tuple(conclude(asked, alpha=sweep_runs.alpha, beats_linear=beats)),
        profiles=tuple(profiled),
        conditionings=tuple(conditioned),
        spectra=tuple(spectra),
        contributions=tuple(contributions),
        robustness=tuple(robust),
        search=analyze_search(sweep_runs),
        ranking=build_ranking(sweep_runs.manifest, sweep_runs.runs),
    )


def _beats_linear(dataset_runs: DatasetRuns) -> bool | None:
    """Return True if the mean of any cell is better than the linear baseline on the primary metric; None if unknown."""
    metric = f"test.{dataset_runs.primary.name}"
    rivals = [
        to_finite(row["metrics"].get(metric)) for row in dataset_runs.baselines if row["name"] in LINEAR_BASELINES
    ]
    means = [
        paired.values.mean()
        for cell in dataset_runs.cells
        if (paired := dataset_runs.paired_values(metric, [cell])).units
    ]
    if not means or not rivals or rivals[0] is None:
        return None
    return bool(max(means) > rivals[0] if dataset_runs.primary.maximize else min(means) < rivals[0])
