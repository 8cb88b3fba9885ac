"""The order in which results are shown: datasets and levels as the sweep file lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tcray.results.analyses.concluding import Results
from tcray.results.analyses.finding import Finding


def arranged(results: Results) -> Results:
    """The same results with parts and findings by dataset, then by the levels of their strata."""
    datasets = [card["name"] for card in results.manifest["cards"]]

    def place(part: Any) -> tuple[Any, ...]:
        dataset = datasets.index(part.dataset) if part.dataset in datasets else len(datasets)
        return dataset, *_levels(results.sweep.factors, part.stratum)

    def of_finding(finding: Finding) -> tuple[Any, ...]:
        return place(finding.measured)

    return replace(
        results,
        findings=tuple(sorted(results.findings, key=of_finding)),
        profiles=tuple(sorted(results.profiles, key=place)),
        conditionings=tuple(sorted(results.conditionings, key=place)),
        spectra=tuple(sorted(results.spectra, key=place)),
        contributions=tuple(sorted(results.contributions, key=place)),
        robustness=tuple(sorted(results.robustness, key=place)),
    )


def _levels(factors: Mapping[str, Any], stratum: Mapping[str, Any]) -> list[tuple[int, str]]:
    """The place of each level among its factor's; those that a word stands for (`subsets`) by size and name."""
    places = []
    for name, level in stratum.items():
        listed = factors.get(name, ())
        known = not isinstance(listed, str) and level in listed
        places.append((listed.index(level), "") if known else (str(level).count("+"), str(level)))
    return places
