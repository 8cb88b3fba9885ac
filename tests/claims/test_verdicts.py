from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tcray.claims.verdicts import (
    ALL,
    ComponentTest,
    Finding,
    VerdictLabel,
    compute_effect_test,
    conclude,
    default_margin,
)
from tcray.config.metrics import METRICS
from tcray.statistics.mean import Interval, Mean

SENTENCES: dict[VerdictLabel, str] = {"supported": "Yes.", "contradicted": "No.", "inconclusive": "Open."}


def make_test(p_supports: float | None, p_opposes: float | None = 1.0, **fields: Any) -> ComponentTest:
    """Return a component test on MOSI with these p-values."""
    given: dict[str, Any] = {"claim": "c", "component": "part", "dataset": "mosi", "source": "real", "stratum": {}}
    numbers = {
        "metric": "test.mae",
        "estimand": "",
        "sentences": SENTENCES,
        "p_supports": p_supports,
        "p_opposes": p_opposes,
    }
    return ComponentTest(**{**given, **numbers, **fields})


def conclude_components(
    *components: ComponentTest, alpha: float = 0.05, **beats: bool
) -> tuple[list[Finding], list[Finding]]:
    """Return the findings of whole claims and the findings of components."""
    findings = conclude(components, alpha=alpha, beats_linear=beats)
    return [f for f in findings if f.measured.component == ALL], [f for f in findings if f.measured.component != ALL]


@pytest.mark.parametrize(
    ("component", "verdict"),
    [
        (make_test(0.05), "supported"),
        (make_test(0.051), "inconclusive"),
        (make_test(1.0, p_opposes=0.05), "contradicted"),
        (make_test(0.3, p_negligible=0.05), "contradicted"),
        (make_test(0.3, p_negligible=0.051), "inconclusive"),
        (make_test(0.01, p_negligible=0.01), "supported"),
        (make_test(0.01, reason="Too few."), "not testable"),
        (make_test(None, None, sentences={"descriptive": "So it is."}), "descriptive"),
    ],
)
def test_a_component_gets_one_verdict(component: ComponentTest, verdict: VerdictLabel) -> None:
    """Significance in the claimed direction supports; the opposite or an effect below the margin contradicts."""
    assert [f.verdict for f in conclude_components(component)[1]] == [verdict]


def test_a_second_look_uses_half_of_alpha() -> None:
    """A p-value of .03 supports at 5 % but not at 2.5 %."""
    assert [conclude_components(make_test(0.03), alpha=alpha)[1][0].verdict for alpha in (0.05, 0.025)] == [
        "supported",
        "inconclusive",
    ]


def test_p_values_are_adjusted_within_claim_and_component() -> None:
    """Holm adjusts .01 and .04 in one family to .02 and .04; a family of one keeps .03."""
    one, other = make_test(0.01), make_test(0.04, dataset="mustard")
    _, parts = conclude_components(one, other, make_test(0.03, component="alone"))
    assert [f.p_adjusted for f in parts] == pytest.approx([0.02, 0.04, 0.03])
    assert [f.p_value for f in parts] == [0.01, 0.04, 0.03]


def test_untestable_components_do_not_count_in_the_correction() -> None:
    """An untestable component of the same family does not change a p-value, even if it has p-values itself."""
    _, (part, _) = conclude_components(make_test(0.03), make_test(0.9, dataset="mustard", reason="Too few."))
    assert part.p_adjusted == 0.03


def test_a_verdict_lost_to_correction_has_a_note() -> None:
    """With p = .04 twice, the supported sentence is followed by the note about the correction."""
    _, parts = conclude_components(make_test(0.04), make_test(0.04, dataset="mustard"))
    assert [(f.verdict, f.sentence) for f in parts] == [
        ("inconclusive", "Yes. After correction for multiple testing this is no longer significant.")
    ] * 2


@pytest.mark.parametrize(
    ("parts", "verdict", "sentence"),
    [
        ((make_test(0.01), make_test(0.02, component="b")), "supported", "Yes."),
        ((make_test(0.01), make_test(1.0, 0.01, component="b")), "contradicted", "No."),
        ((make_test(0.01), make_test(0.5, component="b")), "inconclusive", "Open."),
        ((make_test(0.01), make_test(None, None, component="b", reason="Why.")), "not testable", "Why."),
        ((make_test(0.5), make_test(None, None, component="b", reason="Why.")), "not testable", "Why."),
        ((make_test(1.0, 0.01), make_test(None, None, component="b", reason="Why.")), "contradicted", "No."),
    ],
)
def test_the_verdict_of_a_claim_combines_its_parts(
    parts: tuple[ComponentTest, ...], verdict: VerdictLabel, sentence: str
) -> None:
    """A claim needs all parts to be supported; one part contradicts it; an untestable part prevents support."""
    (whole,), _ = conclude_components(*parts)
    assert (whole.verdict, whole.sentence) == (verdict, sentence)


def test_a_claims_p_is_the_largest_of_its_parts() -> None:
    """Parts with .01 and .03 give a claim with .03; a claim with an untestable part has no p-value."""
    (whole, lacking), _ = conclude_components(
        make_test(0.01),
        make_test(0.03, component="b"),
        make_test(0.04, dataset="mustard"),
        make_test(None, None, dataset="mustard", component="b", reason="Why."),
    )
    assert (whole.p_value, whole.p_adjusted) == (0.03, 0.03)
    assert (lacking.p_value, lacking.p_adjusted) == (None, None)


@pytest.mark.parametrize(("p", "verdict", "sentence"), [(0.01, "supported", "Yes."), (0.5, "inconclusive", "Open.")])
def test_an_untestable_optional_part_does_not_affect_the_claim(p: float, verdict: VerdictLabel, sentence: str) -> None:
    """The optional part is not testable, and the verdict is that of the other parts."""
    beside = make_test(None, None, component="b", reason="Why.", required=False)
    (whole,), (_, part) = conclude_components(make_test(p), beside)
    assert (whole.verdict, whole.sentence, whole.p_value) == (verdict, sentence, p)
    assert (part.verdict, part.sentence) == ("not testable", "Why.")


def test_a_claim_without_testable_parts_has_their_reason() -> None:
    """The reason is shown even if the part is optional."""
    lone = make_test(None, None, reason="Why.", required=False)
    assert [(w.verdict, w.sentence) for w in conclude_components(lone)[0]] == [("not testable", "Why.")]


def test_contradicting_p_values_are_adjusted_over_parts_as_well() -> None:
    """Two parts on two datasets are four tests: .02 becomes .08 and no longer contradicts."""
    parts = [make_test(0.5, p_negligible=0.02), make_test(0.5, 0.9, component="b")]
    wholes, findings = conclude_components(*parts, *(replace(part, dataset="mustard") for part in parts))
    assert [f.p_against for f in findings] == pytest.approx([0.08, 1.0, 0.08, 1.0])
    assert {w.verdict for w in wholes} == {"inconclusive"}
    assert [w.p_against for w in wholes] == pytest.approx([0.08, 0.08])
    assert findings[0].sentence == "No. After correction for multiple testing this is no longer significant."
    (alone,), _ = conclude_components(parts[0])
    assert (alone.verdict, alone.p_against) == ("contradicted", 0.02)


def test_a_second_look_halves_alpha_for_contradictions_too() -> None:
    """p = .03 against an effect as large as the margin contradicts at 5 % but not at 2.5 %."""
    component = make_test(0.5, p_negligible=0.03)
    assert [conclude_components(component, alpha=alpha)[1][0].verdict for alpha in (0.05, 0.025)] == [
        "contradicted",
        "inconclusive",
    ]


def test_a_supported_effect_below_the_margin_has_a_note() -> None:
    """The effect is significant, and its 90 % interval lies below the margin."""
    (_, part) = (f[0] for f in conclude_components(make_test(0.01, p_negligible=0.001, margin=0.02)))
    assert part.sentence == "Yes. The effect is below 0.02, the smallest effect of interest."


def test_a_claim_may_be_inconclusive_although_every_part_is_supported() -> None:
    """On two datasets each part is significant after correction, while the claims' p-values of .03 become .06."""
    parts = [
        make_test(p, component=name, dataset=dataset)
        for dataset, ps in (("mosi", (0.03, 0.001)), ("mustard", (0.001, 0.03)))
        for name, p in zip("ab", ps, strict=True)
    ]
    wholes, findings = conclude_components(*parts)
    assert {f.verdict for f in findings} == {"supported"}
    assert [(w.verdict, w.p_adjusted) for w in wholes] == [("inconclusive", 0.06)] * 2
    assert wholes[0].sentence == "Every part is supported by itself, but the claim is not significant after correction."


def test_each_stratum_and_dataset_has_its_own_claim() -> None:
    """Two strata of one dataset and another dataset give three whole-claim findings."""
    strata = [make_test(0.01, stratum={"conditioning": arm}) for arm in ("none", "jwae")]
    wholes, _ = conclude_components(*strata, make_test(0.01, dataset="mustard"))
    assert [(w.measured.dataset, dict(w.measured.stratum)) for w in wholes] == [
        ("mosi", {"conditioning": "none"}),
        ("mosi", {"conditioning": "jwae"}),
        ("mustard", {}),
    ]


def test_a_claim_without_any_testable_part_has_one_finding() -> None:
    """A component named `all` is the only finding of the claim and has neither parts nor a p-value."""
    wholes, parts = conclude_components(make_test(None, None, component=ALL, reason="It has no audio."))
    assert parts == []
    assert [(w.verdict, w.sentence, w.p_value, w.p_adjusted) for w in wholes] == [
        ("not testable", "It has no audio.", None, None)
    ]
    assert wholes[0].measured.details == {"components": {}}


def test_the_same_reason_of_two_parts_is_shown_once() -> None:
    """Two untestable parts with the same reason give one sentence."""
    (whole,), _ = conclude_components(*(make_test(None, None, component=name, reason="Why.") for name in "ab"))
    assert whole.sentence == "Why."


def test_a_claim_has_a_remark_if_no_cell_beats_the_linear_model() -> None:
    """The remark belongs to the whole claim, not to its parts, and is separate from the sentence."""
    for beats, remark in ((False, "No cell beats the linear model on this dataset."), (True, "")):
        (whole,), (part,) = conclude_components(make_test(0.01), mosi=beats)
        assert (whole.sentence, whole.beats_linear, whole.remark) == ("Yes.", beats, remark)
        assert (part.sentence, part.beats_linear, part.remark) == ("Yes.", None, "")


def test_an_inconclusive_sentence_names_the_number_of_units_needed() -> None:
    """The sentence states the units needed for the margin, and the metric if the metric has a display name."""
    asked: dict[str, Any] = {"margin": 0.02, "units_needed": 1200, "unit": "seed"}
    _, (of_mae, of_gap) = conclude_components(
        make_test(0.5, **asked), make_test(0.5, **asked, metric="gap", component="b")
    )
    assert of_mae.sentence == "Open. About 1,200 seeds would show an effect of 0.02 in MAE with 80 % power."
    assert of_gap.sentence == "Open. About 1,200 seeds would show an effect of 0.02 with 80 % power."


def test_descriptive_findings_give_no_verdict_on_the_claim() -> None:
    """A claim with only descriptive parts has no whole-claim finding."""
    assert conclude_components(make_test(None, None, sentences={"descriptive": "So it is."}))[0] == []


def test_the_p_value_is_the_larger_of_both_estimands() -> None:
    """For an effect on the claimed side of 0, the p-value is the larger of those over retraining and over people."""
    retraining, people = Mean(0.3, 0.1, 10.0), Mean(0.3, 0.2, 5.0)
    numbers = compute_effect_test(retraining, people, sign=1, margin=0.01)
    assert numbers["p_supports"] == people.p_value() > retraining.p_value()
    assert numbers["p_negligible"] == retraining.p_value(0.01, "less") > people.p_value(0.01, "less")
    assert (numbers["p_opposes"], numbers["estimate"]) == (1.0, 0.3)
    assert (numbers["ci_retraining"], numbers["ci_people"]) == (retraining.interval(), people.interval())


def test_an_effect_on_the_other_side_opposes() -> None:
    """If a fall is claimed and a rise is observed, `p_opposes` is the p-value of the rise and `p_supports` is 1."""
    rise = Mean(0.3, 0.1, 10.0)
    numbers = compute_effect_test(rise, None, sign=-1, margin=0.01)
    assert (numbers["p_supports"], numbers["p_opposes"]) == (1.0, rise.p_value())
    assert (numbers["p_negligible"], numbers["ci_people"]) == (rise.p_value(-0.01, "greater"), None)


@pytest.mark.parametrize(("estimate", "negligible"), [(0.0, True), (0.0089, True), (0.0091, False), (-0.5, True)])
def test_negligible_is_a_90_percent_interval_on_the_near_side_of_the_margin(estimate: float, negligible: bool) -> None:
    """With one degree of freedom the half-width is tan(.45 π) standard errors, here .011 with a margin of .02."""
    mean = Mean(estimate, 0.011 / math.tan(0.45 * math.pi), 1.0)
    approx: Any = pytest.approx  # it stands in for a float
    assert mean.interval(0.9) == Interval(approx(estimate - 0.011), approx(estimate + 0.011))
    numbers = compute_effect_test(mean, None, sign=1, margin=0.02)
    assert make_test(0.3, p_negligible=numbers["p_negligible"]).negligible is negligible


def test_default_margins() -> None:
    """The default margin is .02 for MAE and losses and .01 for every metric between 0 and 1."""
    assert {name: default_margin(metric) for name, metric in METRICS.items() if default_margin(metric) != 0.01} == {
        "loss": 0.02,
        "mae": 0.02,
    }
