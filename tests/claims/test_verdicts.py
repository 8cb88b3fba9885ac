from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tcray.claims.verdicts import ALL, ComponentTest, Finding, Verdict, compute_effect_test, conclude, default_margin
from tcray.config.metrics import METRICS
from tcray.statistics.mean import Interval, Mean

SAYS: dict[Verdict, str] = {"supported": "Yes.", "contradicted": "No.", "inconclusive": "Open."}


def measured(p_supports: float | None, p_opposes: float | None = 1.0, **fields: Any) -> ComponentTest:
    """A component of a claim on MOSI with these p-values."""
    given: dict[str, Any] = {"claim": "c", "component": "part", "dataset": "mosi", "source": "real", "stratum": {}}
    told = {"metric": "test.mae", "estimand": "", "sentences": SAYS, "p_supports": p_supports, "p_opposes": p_opposes}
    return ComponentTest(**{**given, **told, **fields})


def conclude_components(
    *components: ComponentTest, alpha: float = 0.05, **beats: bool
) -> tuple[list[Finding], list[Finding]]:
    """Findings of whole claims, and of their components."""
    findings = conclude(components, alpha=alpha, beats_linear=beats)
    return [f for f in findings if f.measured.component == ALL], [f for f in findings if f.measured.component != ALL]


@pytest.mark.parametrize(
    ("component", "verdict"),
    [
        (measured(0.05), "supported"),
        (measured(0.051), "inconclusive"),
        (measured(1.0, p_opposes=0.05), "contradicted"),
        (measured(0.3, p_negligible=0.05), "contradicted"),
        (measured(0.3, p_negligible=0.051), "inconclusive"),
        (measured(0.01, p_negligible=0.01), "supported"),
        (measured(0.01, reason="Too few."), "not testable"),
        (measured(None, None, sentences={"descriptive": "So it is."}), "descriptive"),
    ],
)
def test_a_component_gets_one_verdict(component: ComponentTest, verdict: Verdict) -> None:
    """Significance in the claimed direction supports; its opposite, or an effect below the margin, else contradicts."""
    assert [f.verdict for f in conclude_components(component)[1]] == [verdict]


def test_a_second_look_is_held_to_half_of_alpha() -> None:
    """p = .03 supports at 5 %, and not at 2.5 %."""
    assert [conclude_components(measured(0.03), alpha=alpha)[1][0].verdict for alpha in (0.05, 0.025)] == [
        "supported",
        "inconclusive",
    ]


def test_p_values_are_adjusted_within_claim_and_component() -> None:
    """Of .01 and .04 in one family Holm makes .02 and .04; a family of one keeps its .03."""
    one, other = measured(0.01), measured(0.04, dataset="mustard")
    _, parts = conclude_components(one, other, measured(0.03, component="alone"))
    assert [f.p_adjusted for f in parts] == pytest.approx([0.02, 0.04, 0.03])
    assert [f.p_value for f in parts] == [0.01, 0.04, 0.03]


def test_what_is_not_testable_is_not_counted() -> None:
    """An untestable neighbour leaves a p-value as it is, whatever numbers it carries."""
    _, (part, _) = conclude_components(measured(0.03), measured(0.9, dataset="mustard", reason="Too few."))
    assert part.p_adjusted == 0.03


def test_a_verdict_that_correction_takes_away_says_so() -> None:
    """With p = .04 twice the sentence is that of a supported component, and what became of it."""
    _, parts = conclude_components(measured(0.04), measured(0.04, dataset="mustard"))
    assert [(f.verdict, f.sentence) for f in parts] == [
        ("inconclusive", "Yes. After correction for multiple testing this is no longer significant.")
    ] * 2


@pytest.mark.parametrize(
    ("parts", "verdict", "sentence"),
    [
        ((measured(0.01), measured(0.02, component="b")), "supported", "Yes."),
        ((measured(0.01), measured(1.0, 0.01, component="b")), "contradicted", "No."),
        ((measured(0.01), measured(0.5, component="b")), "inconclusive", "Open."),
        ((measured(0.01), measured(None, None, component="b", reason="Why.")), "not testable", "Why."),
        ((measured(0.5), measured(None, None, component="b", reason="Why.")), "not testable", "Why."),
        ((measured(1.0, 0.01), measured(None, None, component="b", reason="Why.")), "contradicted", "No."),
    ],
)
def test_a_claim_is_what_its_parts_are_together(
    parts: tuple[ComponentTest, ...], verdict: Verdict, sentence: str
) -> None:
    """All parts support a claim, one contradicts it; with an untestable one it can but fail or stay untested."""
    (whole,), _ = conclude_components(*parts)
    assert (whole.verdict, whole.sentence) == (verdict, sentence)


def test_a_claims_p_is_the_largest_of_its_parts() -> None:
    """.01 and .03 make a claim with .03; beside a part that is not testable it has none."""
    (whole, lacking), _ = conclude_components(
        measured(0.01),
        measured(0.03, component="b"),
        measured(0.04, dataset="mustard"),
        measured(None, None, dataset="mustard", component="b", reason="Why."),
    )
    assert (whole.p_value, whole.p_adjusted) == (0.03, 0.03)
    assert (lacking.p_value, lacking.p_adjusted) == (None, None)


@pytest.mark.parametrize(("p", "verdict", "sentence"), [(0.01, "supported", "Yes."), (0.5, "inconclusive", "Open.")])
def test_a_claim_does_without_a_part_that_it_does_not_need(p: float, verdict: Verdict, sentence: str) -> None:
    """It is not testable by itself, and the claim is what the rest comes to."""
    beside = measured(None, None, component="b", reason="Why.", required=False)
    (whole,), (_, part) = conclude_components(measured(p), beside)
    assert (whole.verdict, whole.sentence, whole.p_value) == (verdict, sentence, p)
    assert (part.verdict, part.sentence) == ("not testable", "Why.")


def test_a_claim_whose_every_part_is_untestable_says_why() -> None:
    """Needed or not, there is nothing else to say."""
    lone = measured(None, None, reason="Why.", required=False)
    assert [(w.verdict, w.sentence) for w in conclude_components(lone)[0]] == [("not testable", "Why.")]


def test_what_contradicts_is_adjusted_over_parts_as_well() -> None:
    """Each of two parts on two datasets is a chance: .02 counts four times, and contradicts no more."""
    parts = [measured(0.5, p_negligible=0.02), measured(0.5, 0.9, component="b")]
    wholes, findings = conclude_components(*parts, *(replace(part, dataset="mustard") for part in parts))
    assert [f.p_against for f in findings] == pytest.approx([0.08, 1.0, 0.08, 1.0])
    assert {w.verdict for w in wholes} == {"inconclusive"}
    assert [w.p_against for w in wholes] == pytest.approx([0.08, 0.08])
    assert findings[0].sentence == "No. After correction for multiple testing this is no longer significant."
    (alone,), _ = conclude_components(parts[0])
    assert (alone.verdict, alone.p_against) == ("contradicted", 0.02)


def test_a_second_look_is_paid_for_by_what_contradicts_too() -> None:
    """p = .03 of an effect as large as the margin contradicts at 5 %, and not at 2.5 %."""
    component = measured(0.5, p_negligible=0.03)
    assert [conclude_components(component, alpha=alpha)[1][0].verdict for alpha in (0.05, 0.025)] == [
        "contradicted",
        "inconclusive",
    ]


def test_an_effect_too_small_to_matter_is_supported_and_said_to_be_so() -> None:
    """It is there, and its 90 % interval lies below the margin."""
    (_, part) = (f[0] for f in conclude_components(measured(0.01, p_negligible=0.001, margin=0.02)))
    assert part.sentence == "Yes. The effect is below 0.02, the smallest effect of interest."


def test_parts_that_hold_apart_may_not_hold_together() -> None:
    """On two datasets each part is adjusted once and supported, while the claims' own p of .03 become .06."""
    parts = [
        measured(p, component=name, dataset=dataset)
        for dataset, ps in (("mosi", (0.03, 0.001)), ("mustard", (0.001, 0.03)))
        for name, p in zip("ab", ps, strict=True)
    ]
    wholes, findings = conclude_components(*parts)
    assert {f.verdict for f in findings} == {"supported"}
    assert [(w.verdict, w.p_adjusted) for w in wholes] == [("inconclusive", 0.06)] * 2
    assert wholes[0].sentence == "Every part is supported by itself, but the claim is not significant after correction."


def test_strata_and_datasets_are_claims_of_their_own() -> None:
    """Two strata of one dataset and another dataset give three wholes."""
    strata = [measured(0.01, stratum={"conditioning": arm}) for arm in ("none", "jwae")]
    wholes, _ = conclude_components(*strata, measured(0.01, dataset="mustard"))
    assert [(w.measured.dataset, dict(w.measured.stratum)) for w in wholes] == [
        ("mosi", {"conditioning": "none"}),
        ("mosi", {"conditioning": "jwae"}),
        ("mustard", {}),
    ]


def test_a_claim_without_any_testable_part_has_one_finding() -> None:
    """A component called `all` is the claim's only finding, without parts and without a p-value."""
    wholes, parts = conclude_components(measured(None, None, component=ALL, reason="It has no audio."))
    assert parts == []
    assert [(w.verdict, w.sentence, w.p_value, w.p_adjusted) for w in wholes] == [
        ("not testable", "It has no audio.", None, None)
    ]
    assert wholes[0].measured.details == {"components": {}}


def test_one_reason_for_two_parts_is_said_once() -> None:
    """Two parts that train features forbid leave one sentence."""
    (whole,), _ = conclude_components(*(measured(None, None, component=name, reason="Why.") for name in "ab"))
    assert whole.sentence == "Why."


def test_a_claim_has_a_remark_if_no_cell_beats_the_linear_model() -> None:
    """The remark belongs to the whole claim, not to its parts, and is no part of the sentence."""
    for beats, remark in ((False, "No cell beats the linear model on this dataset."), (True, "")):
        (whole,), (part,) = conclude_components(measured(0.01), mosi=beats)
        assert (whole.sentence, whole.beats_linear, whole.remark) == ("Yes.", beats, remark)
        assert (part.sentence, part.beats_linear, part.remark) == ("Yes.", None, "")


def test_an_open_question_says_how_many_units_would_settle_it() -> None:
    """The units are those for the margin, in the metric's own name where it has one."""
    asked = {"margin": 0.02, "units_needed": 1200, "unit": "seed"}
    _, (of_mae, of_gap) = conclude_components(
        measured(0.5, **asked), measured(0.5, **asked, metric="gap", component="b")
    )
    assert of_mae.sentence == "Open. About 1,200 seeds would show an effect of 0.02 in MAE with 80 % power."
    assert of_gap.sentence == "Open. About 1,200 seeds would show an effect of 0.02 with 80 % power."


def test_a_descriptive_finding_bears_on_no_verdict() -> None:
    """A claim of descriptive parts alone has no whole."""
    assert conclude_components(measured(None, None, sentences={"descriptive": "So it is."}))[0] == []


def test_both_estimands_have_to_agree() -> None:
    """The p-value is the larger of retraining's and people's, for an effect on the claimed side of 0."""
    retraining, people = Mean(0.3, 0.1, 10.0), Mean(0.3, 0.2, 5.0)
    numbers = compute_effect_test(retraining, people, sign=1, margin=0.01)
    assert numbers["p_supports"] == people.p_value() > retraining.p_value()
    assert numbers["p_negligible"] == retraining.p_value(0.01, "less") > people.p_value(0.01, "less")
    assert (numbers["p_opposes"], numbers["estimate"]) == (1.0, 0.3)
    assert (numbers["ci_retraining"], numbers["ci_people"]) == (retraining.interval(), people.interval())


def test_an_effect_on_the_other_side_opposes() -> None:
    """Where a fall is claimed and a rise is seen, its p-value is that of the opposite, and 1 for the claim."""
    rise = Mean(0.3, 0.1, 10.0)
    numbers = compute_effect_test(rise, None, sign=-1, margin=0.01)
    assert (numbers["p_supports"], numbers["p_opposes"]) == (1.0, rise.p_value())
    assert (numbers["p_negligible"], numbers["ci_people"]) == (rise.p_value(-0.01, "greater"), None)


@pytest.mark.parametrize(("estimate", "negligible"), [(0.0, True), (0.0089, True), (0.0091, False), (-0.5, True)])
def test_negligible_is_a_90_percent_interval_on_the_near_side_of_the_margin(estimate: float, negligible: bool) -> None:
    """With one degree of freedom the interval reaches tan(.45 π) standard errors: .011 here, of a margin of .02."""
    mean = Mean(estimate, 0.011 / math.tan(0.45 * math.pi), 1.0)
    assert mean.interval(0.9) == Interval(pytest.approx(estimate - 0.011), pytest.approx(estimate + 0.011))
    numbers = compute_effect_test(mean, None, sign=1, margin=0.02)
    assert measured(0.3, p_negligible=numbers["p_negligible"]).negligible is negligible


def test_margins_are_the_design_s() -> None:
    """.02 for MAE and losses, .01 for every metric between 0 and 1."""
    assert {name: default_margin(metric) for name, metric in METRICS.items() if default_margin(metric) != 0.01} == {
        "loss": 0.02,
        "mae": 0.02,
    }
