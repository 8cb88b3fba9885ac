"""Components that hold if one of several effects does."""

from __future__ import annotations

import pytest

from tcray.claims.any_of import any_of
from tcray.claims.verdicts import ComponentTest, conclude
from tcray.statistics.mean import Interval

WHOLE = ComponentTest("weak-modality", "leaving-one-out", "mosi", "real", {}, "test.mae", "of the best")


def part(p: float, estimate: float, *, p_negligible: float = 1.0, p_opposes: float = 1.0) -> ComponentTest:
    """What one effect came to."""
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


def together(**parts: ComponentTest) -> ComponentTest:
    """All of them, an effect below 0 being claimed."""
    return any_of(
        WHOLE, parts, sign=-1, some="It is open whether any holds", none="None holds", alpha=0.05, groups="video"
    )


def said(component: ComponentTest) -> str:
    """The sentence of its verdict."""
    return conclude([component], alpha=0.05, beats_linear={})[-1].sentence


def test_the_best_borne_out_speaks_at_its_adjusted_p_value() -> None:
    """Holm: the smallest of three counts three times, the others no less than that."""
    whole = together(text=part(0.5, -0.1), audio=part(0.01, -0.3), video=part(1.0, 0.2))
    assert (whole.estimand, whole.estimate, whole.p_supports) == ("of the best", -0.3, pytest.approx(0.03))
    assert whole.details["chosen"] == "audio"
    assert [one["p_adjusted"] for one in whole.details["parts"].values()] == pytest.approx([1.0, 0.03, 1.0])
    assert said(whole) == "It holds by much."


def test_the_best_of_several_may_be_so_by_chance() -> None:
    """0.02 would do alone, and does not do as the best of three."""
    whole = together(text=part(0.5, -0.1), audio=part(0.02, -0.3), video=part(1.0, 0.2))
    assert said(whole) == "It holds by much, but it is the best of 3, and the best of 3 can be so by chance."


def test_an_open_part_speaks_before_one_that_is_settled() -> None:
    """Audio is nearer to holding, and shown not to by the margin; video keeps the question open."""
    whole = together(audio=part(1.0, 0.001, p_negligible=0.01), video=part(1.0, 0.3))
    assert whole.p_negligible == 1.0
    assert said(whole) == (
        "It is open whether any holds; the nearest is video: the effect is +0.300 (95 % interval −0.700 to 1.300); "
        "with these videos no number of repeats would show an effect of 0.02: more videos are needed."
    )


def test_the_whole_is_negligible_if_every_part_is() -> None:
    """The part nearest to holding is named."""
    whole = together(audio=part(1.0, 0.1, p_negligible=0.01), video=part(0.4, -0.01, p_negligible=0.03))
    assert whole.p_negligible == 0.03
    assert said(whole) == "None holds; the nearest is video: the effect is −0.010 (95 % interval −1.010 to 0.990)."


def test_the_whole_is_opposed_as_surely_as_its_least_opposed_part() -> None:
    """Every part's opposite must hold."""
    assert together(audio=part(1.0, 0.1, p_opposes=0.001), video=part(1.0, 0.2, p_opposes=0.04)).p_opposes == 0.04


def test_one_part_that_cannot_be_tested_leaves_the_whole_so() -> None:
    """Its reason is the whole's."""
    silent = ComponentTest(
        "weak-modality", "leaving-one-out", "mosi", "real", {}, "test.mae", "", reason="Too few. Add."
    )
    whole = together(audio=part(0.01, -0.3), video=silent)
    assert (whole.reason, whole.estimate) == ("Too few. Add.", None)
