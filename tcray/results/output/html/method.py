"""The method behind the numbers of a report, in the terms of its sweep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tcray.claims.units import get_unit_kind
from tcray.claims.verdicts import DEFAULT_MARGIN, MARGIN
from tcray.config.messages import join_words
from tcray.config.metrics import METRICS
from tcray.results.analysis import Results
from tcray.results.display.labels import format_count


@dataclass(frozen=True, slots=True)
class MethodEntry:
    """A term of the method, and its meaning in this sweep."""

    term: str
    text: str


def describe_method(results: Results) -> Iterator[MethodEntry]:
    """Yield the entries on units, tests, intervals, correction, margins, verdicts, looks and baselines."""
    sweep = results.sweep
    unit = get_unit_kind(sweep)
    yield MethodEntry("What is tested", _describe_tested_runs(results))
    yield MethodEntry("Unit", _describe_unit(results))
    yield MethodEntry(
        "Two intervals",
        "Over retraining: the range for other searches and seeds on this same test set, by Student's t over "
        "units. Over retraining and people: the range for other test groups as well (videos, speakers, or else "
        f"examples); {unit}s are crossed with groups, the variance of the mean is V_unit + V_group "
        "− V_residual and at least the larger of the first two, with Satterthwaite's degrees of freedom. A "
        "component is supported only if both exclude the null.",
    )
    yield MethodEntry(
        "Non-monotone",
        "Better up to some level between the ends, and worse after it. Rise and fall are contrasts over levels, each "
        "with its own variance, shrunk toward those of single levels; at the level where one of the two is clearest "
        "the other is tested, other levels pay half a standard error, and p is the largest under monotone truths "
        "that rise in one step, by simulation. The two-lines test with the Robin Hood breakpoint (Simonsohn 2018) is "
        "reported beside it and does not decide. The optimum set contains the truly best level with 95 % "
        "confidence.",
    )
    yield MethodEntry(
        "Other components",
        "Paired differences within units and seeds, by Student's t; exact Shapley values over all subsets of "
        "modalities, with pairwise interactions (Grabisch & Roubens 1999).",
    )
    yield MethodEntry(
        "Correction",
        "Holm's, over dataset × stratum within each component of a claim, and over whole claims. A claim's own "
        "p-value is the largest of its components', since all of them must hold. One component is enough to contradict "
        "a claim, so p-values against a component are corrected over components as well.",
    )
    margins = [f"{value:g} in {METRICS[name].label}" for name, value in MARGIN.items()]
    margins.append(f"{DEFAULT_MARGIN:g} in every other metric")
    yield MethodEntry("Margin", f"The smallest effect of interest, set in advance: {join_words(margins, 'and')}.")
    yield MethodEntry(
        "Verdicts",
        f"Supported: every component is significant in the claimed direction at {results.alpha:.3g}, corrected. "
        "Contradicted: one component's opposite is significant, or it is shown to be smaller than the margin (two "
        "one-sided tests), corrected. Not testable: something that the test needs is missing. Otherwise "
        "inconclusive, with the number of units that would show a difference of the margin (never of the observed "
        "effect) with 80 % power. Descriptive: the claim has no verdict.",
    )
    yield MethodEntry("Looks", _describe_looks(results))
    yield MethodEntry(
        "Baselines",
        "The constant (median or majority of train), ridge or logistic regression on all modalities, and the best "
        "single modality, fitted and tested on the same splits.",
    )


def _describe_tested_runs(results: Results) -> str:
    if results.sweep.confirm is None:
        return (
            "Nothing: the sweep has no confirm runs. The results shown are those of the search, which are optimistic."
        )
    if results.sweep.search is None:
        return "Every run: nothing is tuned, all cells have one configuration, and no run is pruned."
    return (
        "Confirm runs alone. In each cell a search proposes configurations and prunes trials; selection uses the "
        "validation split only. The selected configurations are trained in full with fresh seeds and never pruned; "
        "only these runs are tested."
    )


def _describe_unit(results: Results) -> str:
    confirm = results.sweep.confirm
    if confirm is None:
        return "There are none, because there are no confirm runs."
    if results.sweep.search is None:
        return f"The seed: {confirm.seeds} per cell are planned, the same in every cell, so that cells are paired."
    return (
        "The repeat, an independent search of a cell with its own confirm seeds: "
        f"{format_count(confirm.repeats, 'repeat')} of {format_count(confirm.seeds, 'seed')} per cell are "
        "planned, the same in every cell, so that cells are paired. The seeds of a repeat share its configuration, "
        "which is itself a "
        "draw, so their mean is one unit."
    )


def _describe_looks(results: Results) -> str:
    if results.looks == 1:
        return f"This is the first look at this question on these data; p-values are compared with {results.alpha:g}."
    return (
        f"This question was asked of these data {results.looks} times, with other confirm runs; corrected p-values "
        f"are compared with {results.alpha:.3g}, 5 % divided by the number of looks."
    )
