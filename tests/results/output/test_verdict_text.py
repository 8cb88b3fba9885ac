"""What is told of claims."""

from __future__ import annotations

from typing import Any

from tcray.claims.verdicts import ComponentTest, Finding, conclude
from tcray.results.output.verdict_text import basis_label, bounds_label, effect_label, sentence_of, told, unbeaten
from tcray.statistics.mean import Interval
from tests.results.concluded import PRIOR, a_component, full_results
from tests.results.recorded import MUSTARD


def concluded(*components: ComponentTest, **beats_linear: bool) -> list[Finding]:
    """What these components come to."""
    return conclude(components, alpha=0.05, beats_linear=beats_linear)


def test_a_claim_is_told_as_a_whole_wherever_it_was_asked():
    """By dataset; its components stand in for it where nothing sums them up; other claims are others' business."""
    describes: dict[str, Any] = {"holds": None, "opposes": None}
    findings = concluded(
        a_component("non-monotone"),
        a_component("optimum-2-to-4"),
        a_component("costs", stratum=PRIOR, **describes),
        a_component("non-monotone", MUSTARD),
        a_component("other", claim="conditioning"),
    )
    assert [("mosi", "all"), ("mosi", "costs"), ("mustard", "all")] == [
        (finding.measured.dataset, finding.measured.component)
        for finding in told("rank-generalisation", full_results(findings=findings))
    ]


def test_that_the_linear_model_is_not_beaten_is_told_once():
    """By dataset, and no longer at the end of every sentence."""
    components = [a_component("non-monotone", card, stratum=s) for card in (MUSTARD,) for s in ({}, PRIOR)]
    findings = concluded(a_component("non-monotone"), *components, mustard=False, mosi=False)
    assert "No cell beats the linear model on mosi or mustard (twin)." == unbeaten(findings)
    assert {"non-monotone holds."} == {sentence_of(finding) for finding in findings}
    assert "" == unbeaten(concluded(a_component("non-monotone"), mosi=True))


def test_a_verdict_names_what_it_rests_on():
    """Its p-value is for the claim, or said to be against it; what cannot be tested has none."""
    (whole, _), (against, _), (untested, _) = (
        concluded(a_component("non-monotone", **changes))
        for changes in (
            {"holds": 0.003, "unit": "seed"},
            {"holds": 1.0, "opposes": 0.002, "n_units": 1},
            {"reason": "There is too little.", "n_units": 0},
        )
    )
    assert " (p 0.003, 6 seeds)" == basis_label(whole)
    assert " (p 0.002 against it, 1 repeat)" == basis_label(against)
    assert "" == basis_label(untested)


def test_a_level_is_no_difference():
    """It has neither sign nor decimals."""
    effect, level = a_component("a"), a_component("b", estimate=3.0, optimum_set=(2, 3), retraining=Interval(2.0, 8.0))
    assert ("+0.031", "0.012 to 0.050") == (effect_label(effect), bounds_label(effect, effect.retraining))
    assert ("at 3", "2 to 8", "–") == (
        effect_label(level),
        bounds_label(level, level.retraining),
        bounds_label(level, None),
    )
