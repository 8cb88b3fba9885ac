"""How the numbers of a report were made, in sentences that name what this sweep did."""

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
class Point:
    """A term of the method, and what it means here."""

    term: str
    text: str


def method(results: Results) -> Iterator[Point]:
    """Units, tests, intervals, correction, margins, verdicts, looks and reference rows."""
    sweep = results.sweep
    unit = get_unit_kind(sweep)
    yield Point("What is tested", _tested(results))
    yield Point("Unit", _unit(results))
    yield Point(
        "Two intervals",
        "Over retraining: what other searches and seeds would have given on this very test set, by Student's t "
        "over units. Over retraining and people: what other test groups (videos, speakers, or else examples) "
        f"would have given as well; {unit}s are crossed with groups, the variance of the mean is V_unit + V_group "
        "− V_residual and at least the larger of the first two, with Satterthwaite's degrees of freedom. A "
        "component is supported only if both leave out the null.",
    )
    yield Point(
        "Non-monotone",
        "Better up to some level between the ends, and worse after it. Rise and fall are contrasts over levels, with "
        "variances of their own leant on those of single levels; at the place where one of the two is clearest the "
        "other is tested, other places pay half a standard error, and p is the largest under monotone truths that "
        "rise in one step, by simulation. Beside it stands the two-lines test with the Robin Hood breakpoint "
        "(Simonsohn 2018), which has no say. The optimum set holds each level that may be the truly best one, with "
        "95 % confidence.",
    )
    yield Point(
        "Other components",
        "Paired differences within units and seeds, by Student's t; exact Shapley values over all subsets of "
        "modalities, with pairwise interactions (Grabisch & Roubens 1999).",
    )
    yield Point(
        "Correction",
        "Holm's, over dataset × stratum within each component of a claim, and over whole claims. A claim's own "
        "p-value is the largest of its components', since all must hold; and since one is enough to contradict it, "
        "what speaks against a component is corrected over components as well.",
    )
    margins = [f"{value:g} in {METRICS[name].label}" for name, value in MARGIN.items()]
    margins.append(f"{DEFAULT_MARGIN:g} in every other metric")
    yield Point("Margin", f"The smallest effect of interest, set in advance: {join_words(margins, 'and')}.")
    yield Point(
        "Verdicts",
        f"Supported: every component is significant in the claimed direction at {results.alpha:.3g}, corrected. "
        "Contradicted: one component's opposite is significant, or it is shown to be smaller than the margin (two "
        "one-sided tests), corrected. Not testable: what the test needs is absent. Else inconclusive, "
        "with the units that would show a difference of the margin (never of what was observed) with 80 % power. "
        "Descriptive: bears no verdict.",
    )
    yield Point("Looks", _looks(results))
    yield Point(
        "Reference rows",
        "The constant (median or majority of train), ridge or logistic regression on all modalities, and the best "
        "single modality, fitted and tested on the same splits.",
    )


def _tested(results: Results) -> str:
    if results.sweep.confirm is None:
        return (
            "Nothing: the sweep has no confirm runs. What is shown are the search's own results, which are optimistic."
        )
    if results.sweep.search is None:
        return "Every run: nothing is tuned, all cells stand at one configuration, and no run is pruned."
    return (
        "Confirm runs alone. In each cell a search proposes configurations and prunes; selection looks at "
        "validation only. What it chose is trained in full with fresh seeds, never pruned, and only these runs "
        "are tested."
    )


def _unit(results: Results) -> str:
    confirm = results.sweep.confirm
    if confirm is None:
        return "None, for want of confirm runs."
    if results.sweep.search is None:
        return f"The seed: {confirm.seeds} a cell are planned, the same in every cell, so that cells are paired."
    return (
        "The repeat, an independent search of a cell with its own confirm seeds: "
        f"{format_count(confirm.repeats, 'repeat')} of {format_count(confirm.seeds, 'seed')} a cell are "
        "planned, the same in every cell, so that cells are paired. The seeds of a repeat share its configuration, "
        "which is itself a "
        "draw, so their mean counts once."
    )


def _looks(results: Results) -> str:
    if results.looks == 1:
        return f"This is the first look at this question on these data; p-values are held against {results.alpha:g}."
    return (
        f"This question was asked of these data {results.looks} times, with other confirm runs; corrected p-values "
        f"are held against {results.alpha:.3g}, 5 % over the number of looks."
    )
