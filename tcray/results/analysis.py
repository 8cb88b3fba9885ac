"""Everything that a sweep's store lets one conclude: the findings, and the parts that views show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tcray.claims.sweep_runs import DatasetRuns, SweepRuns
from tcray.claims.units import LINEAR
from tcray.claims.verdicts import Finding, conclude
from tcray.config.sweep import Sweep
from tcray.results.modalities import analysis as modalities
from tcray.results.modalities.analysis import Contribution
from tcray.results.prior import analysis as conditioning
from tcray.results.prior.analysis import Conditioning
from tcray.results.rank import analysis as profiles
from tcray.results.rank.analysis import Profile
from tcray.results.ranking.analysis import Ranking, ranking
from tcray.results.robustness import analysis as robustness
from tcray.results.robustness.analysis import Robustness
from tcray.results.search import analysis as search
from tcray.results.search.analysis import SearchAnalysis
from tcray.results.spectrum import analysis as spectrum
from tcray.results.spectrum.analysis import Spectrum
from tcray.statistics.estimate import defined
from tcray.store.store import SweepStore


@dataclass(frozen=True)
class Results:
    """A pure function of the store: the same store gives the same numbers, to the last digit.

    alpha   what adjusted p-values are held against: 5 % over the number of looks
    looks   how often this question was asked of these data so far with other confirm runs
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
    """The results of a sweep as its store has it by now. Raises `StoreError` where the store is not sound."""
    evidence = SweepRuns.of(store)
    profiled, of_profiles = profiles.analyze(evidence)
    conditioned, of_conditioning = conditioning.analyze(evidence)
    spectra, of_spectra = spectrum.analyze(evidence)
    contributions, of_modalities = modalities.analyze(evidence)
    robust, of_robustness = robustness.analyze(evidence)
    components = [*of_profiles, *of_spectra, *of_conditioning, *of_modalities, *of_robustness]
    asked = [c for name in evidence.sweep.claims for c in components if c.claim == name]
    beats = {s.dataset: beaten for s in evidence.samples if (beaten := _beats_linear(s)) is not None}
    return Results(
        sweep_id=store.sweep_id,
        manifest=evidence.manifest,
        sweep=evidence.sweep,
        alpha=evidence.alpha,
        looks=evidence.looks,
        findings=tuple(conclude(asked, alpha=evidence.alpha, beats_linear=beats)),
        profiles=tuple(profiled),
        conditionings=tuple(conditioned),
        spectra=tuple(spectra),
        contributions=tuple(contributions),
        robustness=tuple(robust),
        search=search.analyze(evidence),
        ranking=ranking(evidence.manifest, evidence.runs),
    )


def _beats_linear(samples: DatasetRuns) -> bool | None:
    """Whether the mean of any cell is better than the linear model's on the primary metric."""
    metric = f"test.{samples.primary.name}"
    rivals = [defined(row["metrics"].get(metric)) for row in samples.references if row["name"] in LINEAR]
    means = [panel.values.mean() for cell in samples.cells if (panel := samples.panel(metric, [cell])).units]
    if not means or not rivals or rivals[0] is None:
        return None
    return bool(max(means) > rivals[0] if samples.primary.maximize else min(means) < rivals[0])
