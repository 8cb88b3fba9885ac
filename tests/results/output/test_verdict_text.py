"""Texts about the verdicts on claims."""

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
    """Return the findings of these components."""
    return conclude(components, alpha=0.05, beats_linear=beats_linear)


def test_one_verdict_per_claim_and_dataset_is_selected():
    """The whole claim is selected per dataset, or its components if there is none; other claims are omitted."""
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


def test_the_note_on_the_linear_model_is_stated_once():
    """One sentence lists the datasets; the sentences of the findings do not repeat it."""
    components = [make_component("non-monotone", card, stratum=s) for card in (MUSTARD,) for s in ({}, WITH_PRIOR)]
    findings = conclude_components(make_component("non-monotone"), *components, mustard=False, mosi=False)
    assert "No cell beats the linear model on mosi or mustard (twin)." == format_unbeaten(findings)
    assert {"non-monotone holds."} == {finding.sentence for finding in findings}
    assert "" == format_unbeaten(conclude_components(make_component("non-monotone"), mosi=True))


def test_a_verdict_names_its_p_value_and_units():
    """A p-value against the claim is labeled; an untestable component has no p-value."""
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


def test_the_effect_of_an_optimum_is_a_level():
    """A level is shown without sign and decimals."""
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
