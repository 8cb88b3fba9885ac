"""What is told of claims."""

from __future__ import annotations

from typing import Any

from tcray.claims.verdicts import ComponentTest, Finding, conclude
from tcray.results.output.verdict_text import (
    format_basis,
    format_bounds,
    format_effect,
    format_unbeaten,
    select_verdicts,
)
from tcray.statistics.mean import Interval
from tests.claims.factories import MUSTARD
from tests.results.factories import WITH_PRIOR, make_component, make_full_results


def conclude_components(*components: ComponentTest, **beats_linear: bool) -> list[Finding]:
    """What these components come to."""
    return conclude(components, alpha=0.05, beats_linear=beats_linear)


def test_a_claim_is_told_as_a_whole_wherever_it_was_asked():
    """By dataset; its components stand in for it where nothing sums them up; other claims are others' business."""
    describes: dict[str, Any] = {"p_supports": None, "p_opposes": None}
    findings = conclude_components(
        make_component("non-monotone"),
        make_component("optimum-2-to-4"),
        make_component("costs", stratum=WITH_PRIOR, **describes),
        make_component("non-monotone", MUSTARD),
        make_component("other", claim="conditioning"),
    )
    assert [("mosi", "all"), ("mosi", "costs"), ("mustard", "all")] == [
        (finding.measured.dataset, finding.measured.component)
        for finding in select_verdicts("rank-generalisation", make_full_results(findings=findings))
    ]


def test_that_the_linear_model_is_not_beaten_is_told_once():
    """By dataset, and no longer at the end of every sentence."""
    components = [make_component("non-monotone", card, stratum=s) for card in (MUSTARD,) for s in ({}, WITH_PRIOR)]
    findings = conclude_components(make_component("non-monotone"), *components, mustard=False, mosi=False)
    assert "No cell beats the linear model on mosi or mustard (twin)." == format_unbeaten(findings)
    assert {"non-monotone holds."} == {finding.sentence for finding in findings}
    assert "" == format_unbeaten(conclude_components(make_component("non-monotone"), mosi=True))


def test_a_verdict_names_what_it_rests_on():
    """Its p-value is for the claim, or said to be against it; what cannot be tested has none."""
    (whole, _), (against, _), (untested, _) = (
        conclude_components(make_component("non-monotone", **changes))
        for changes in (
            {"p_supports": 0.003, "unit": "seed"},
            {"p_supports": 1.0, "p_opposes": 0.002, "n_units": 1},
            {"reason": "There is too little.", "n_units": 0},
        )
    )
    assert " (p 0.003, 6 seeds)" == format_basis(whole)
    assert " (p 0.002 against it, 1 repeat)" == format_basis(against)
    assert "" == format_basis(untested)


def test_a_level_is_no_difference():
    """It has neither sign nor decimals."""
    effect, level = (
        make_component("a"),
        make_component("b", estimate=3.0, optimum_set=(2, 3), ci_retraining=Interval(2.0, 8.0)),
    )
    assert ("+0.031", "0.012 to 0.050") == (format_effect(effect), format_bounds(effect, effect.ci_retraining))
    assert ("at 3", "2 to 8", "–") == (
        format_effect(level),
        format_bounds(level, level.ci_retraining),
        format_bounds(level, None),
    )
