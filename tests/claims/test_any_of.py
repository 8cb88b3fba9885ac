"""Components that hold if at least one of several effects holds."""

from __future__ import annotations

import pytest

from tcray.claims.any_of import any_of
from tcray.claims.verdicts import ComponentTest, conclude
from tcray.statistics.mean import Interval

WHOLE = ComponentTest("weak-modality", "leaving-one-out", "mosi", "real", {}, "test.mae", "of the best")


def make_part(p: float, estimate: float, *, p_negligible: float = 1.0, p_opposes: float = 1.0) -> ComponentTest:
    """Return the component test of one effect."""
    return ComponentTest(
        "weak-modality",
        "leaving-one-out",
        "mosi",
        "real",
        {},
        "test.mae",
        "of this one",
        sentences={"supported": "It holds by much.", "contradicted": "It does not.", "inconclusive": "It may hold."},
        p_supports=p,
        p_opposes=p_opposes,
        p_negligible=p_negligible,
        estimate=estimate,
        ci_retraining=Interval(estimate - 1, estimate + 1),
        margin=0.02,
    )


def combine(**parts: ComponentTest) -> ComponentTest:
    """Return the test that any of the parts holds; the claimed effect is negative."""
    return any_of(
        WHOLE, parts, sign=-1, some="It is open whether any holds", none="None holds", alpha=0.05, groups="video"
    )


def verdict_sentence(component: ComponentTest) -> str:
    """Return the sentence of the component's verdict."""
    return conclude([component], alpha=0.05, beats_linear={})[-1].sentence


def test_the_part_with_the_smallest_p_value_represents_the_whole() -> None:
    """Holm's correction multiplies the smallest of three p-values by three; no other is smaller."""
    whole = combine(text=make_part(0.5, -0.1), audio=make_part(0.01, -0.3), video=make_part(1.0, 0.2))
    assert (whole.estimand, whole.estimate) == ("of the best", -0.3)
    assert whole.p_supports == pytest.approx(0.03)
    assert whole.details["chosen"] == "audio"
    assert [one["p_adjusted"] for one in whole.details["parts"].values()] == pytest.approx([1.0, 0.03, 1.0])
    assert verdict_sentence(whole) == "It holds by much."


def test_the_best_part_must_be_significant_after_correction() -> None:
    """A p-value of 0.02 is significant for a single part but not for the best of three."""
    whole = combine(text=make_part(0.5, -0.1), audio=make_part(0.02, -0.3), video=make_part(1.0, 0.2))
    assert (
        verdict_sentence(whole) == "It holds by much, but it is the best of 3, and the best of 3 can be so by chance."
    )


def test_an_inconclusive_part_is_named_before_a_negligible_one() -> None:
    """Audio has the larger claimed effect but is negligible; video is inconclusive, so the whole is inconclusive."""
    whole = combine(audio=make_part(1.0, 0.001, p_negligible=0.01), video=make_part(1.0, 0.3))
    assert whole.p_negligible == 1.0
    assert verdict_sentence(whole) == (
        "It is open whether any holds; the nearest is video: the effect is +0.300 (95 % interval −0.700 to 1.300); "
        "with these videos no number of repeats would show an effect of 0.02: more videos are needed."
    )


def test_the_whole_is_negligible_if_every_part_is() -> None:
    """The sentence names the part that is nearest to the claimed effect."""
    whole = combine(audio=make_part(1.0, 0.1, p_negligible=0.01), video=make_part(0.4, -0.01, p_negligible=0.03))
    assert whole.p_negligible == 0.03
    assert (
        verdict_sentence(whole)
        == "None holds; the nearest is video: the effect is −0.010 (95 % interval −1.010 to 0.990)."
    )


def test_p_opposes_of_the_whole_is_the_largest_of_its_parts() -> None:
    """The whole is opposed only if every part is opposed."""
    assert (
        combine(audio=make_part(1.0, 0.1, p_opposes=0.001), video=make_part(1.0, 0.2, p_opposes=0.04)).p_opposes == 0.04
    )


def test_one_untestable_part_makes_the_whole_untestable() -> None:
    """The whole has the reason of the untestable part."""
    untestable = ComponentTest(
        "weak-modality", "leaving-one-out", "mosi", "real", {}, "test.mae", "", reason="Too few. Add."
    )
    whole = combine(audio=make_part(0.01, -0.3), video=untestable)
    assert (whole.reason, whole.estimate) == ("Too few. Add.", None)
