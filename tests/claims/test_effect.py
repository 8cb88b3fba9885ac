from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tcray.claims.effect import Hypothesis, detectable_margin, measure_effect, too_few_units
from tcray.claims.sweep_runs import Floats, PairedValues
from tcray.claims.verdicts import ComponentTest, conclude
from tcray.statistics.paired import PairedDifference
from tcray.statistics.power import units_needed

Z = 1.959963984540054 + 0.8416212335729143
"""Normal quantiles .975 and .8: standard errors that a difference needs for 80 % power at 5 %."""

FALLS = Hypothesis("loss falls", "loss rises", sign=-1, margin=0.02)
NOISE = np.array([-0.02, -0.01, 0.0, 0.0, 0.01, 0.02])
"""Of six units; their mean is 0."""


def measured(effects: Floats, direction: Hypothesis = FALLS, **paired: Any) -> ComponentTest:
    """What is made of effects on six units."""
    count = len(effects)
    given = {"numbers": tuple(range(count)), "runs": 1, "dropped": 0, "sd_repeats": None, "sd_seeds": 0.1, **paired}
    asked = ComponentTest("c", "part", "mosi", "real", {}, "test.loss", "", unit="seed")
    made = PairedValues(values=np.zeros((count, 2)), by_group=None, **given)
    return measure_effect(asked, made, effects, direction, alpha=0.05, groups="video")


def said(effects: Floats, direction: Hypothesis = FALLS) -> tuple[str, str]:
    """The verdict, and the sentence."""
    (_, finding) = conclude([measured(effects, direction)], alpha=0.05, beats_linear={})
    return finding.verdict, finding.sentence


def test_numbers_are_those_of_the_paired_difference() -> None:
    """Estimate and interval stay in the metric's own direction, whichever is claimed."""
    component, difference = measured(NOISE - 0.1), PairedDifference.from_differences(NOISE - 0.1)
    assert component.estimate == difference.estimate == pytest.approx(-0.1)
    assert (component.ci_retraining, component.ci_people) == (difference.retraining.interval(), None)
    assert (component.p_supports, component.p_opposes) == (difference.p_value, 1.0)
    assert (component.n_units, component.n_seeds, component.sd_seeds, component.margin) == (6, 6, 0.1, 0.02)
    assert component.units_needed == units_needed(difference.sd, 0.02)


def test_a_fall_is_said_as_a_fall() -> None:
    """Size and interval are turned as the clause has them."""
    assert said(NOISE - 0.1) == ("supported", "Loss falls by 0.100 (95 % interval 0.085 to 0.115).")


def test_the_opposite_is_said_as_it_is() -> None:
    """A rise where a fall was claimed."""
    assert said(NOISE + 0.1) == ("contradicted", "Loss rises by 0.100 (95 % interval 0.085 to 0.115).")


def test_too_small_an_effect_is_bounded() -> None:
    """An interval that the margin lies beyond rules the claimed effect out, whatever its sign."""
    assert said(NOISE / 10 + 0.0004) == (
        "contradicted",
        "Loss falls by less than 0.02, if at all: the effect is 0.000 (95 % interval −0.001 to 0.002).",
    )


def test_an_open_question_is_left_open() -> None:
    """The sentence has the effect, and how many units would settle it."""
    units = units_needed(float((NOISE * 3).std(ddof=1)), 0.02)
    verdict, sentence = said(NOISE * 3 - 0.02)
    assert verdict == "inconclusive"
    assert sentence == (
        "It is open whether loss falls: the effect is −0.020 (95 % interval −0.065 to 0.025). "
        f"About {units} seeds would show an effect of 0.02 in loss with 80 % power."
    )


def test_what_follows_a_sentence_follows_every_verdict() -> None:
    """As where else a curve has its trough."""
    direction = Hypothesis("loss falls", "loss rises", sign=-1, margin=0.02, remark=" So it is.")
    assert said(NOISE - 0.1, direction)[1].endswith(". So it is.")
    assert said(NOISE + 0.1, direction)[1].endswith(". So it is.")


def test_an_effect_on_this_test_set_alone_is_not_supported() -> None:
    """Three videos of six show a fall twice as large, three a rise: more seeds would not tell, more videos would."""
    of_group = np.array([-1.0, 0.8, -1.0, 0.8, -1.0, 0.8])
    verdict, sentence = said(NOISE[:, None] + of_group)
    assert verdict == "inconclusive"
    assert sentence == (
        "On these videos loss falls by 0.100 (95 % interval 0.085 to 0.115 over retraining, −0.935 to 1.135 over "
        "retraining and videos), but not significantly so for other videos; with these videos no number of "
        "seeds would show an effect of 0.02: more videos are needed."
    )


def test_groups_leave_less_of_the_margin_to_units() -> None:
    """What groups alone contribute to the variance of the mean is beyond any number of units."""
    of_group = np.array([-0.01, 0.01, -0.01, 0.01, 0.0, 0.0])
    floor = of_group.var(ddof=1) / 6
    assert detectable_margin(NOISE, 0.02, 0.05) == 0.02
    assert detectable_margin(NOISE[:, None] + of_group, 0.02, 0.05) == pytest.approx(math.sqrt(0.02**2 - Z**2 * floor))
    assert detectable_margin(NOISE[:, None] + 10 * of_group, 0.02, 0.05) == 0.0


def test_effects_that_do_not_vary_are_not_testable() -> None:
    """The same number in every unit has no standard error to be held against."""
    component = measured(np.full(6, 0.25))
    assert (component.p_supports, component.estimate) == (None, None)
    assert component.reason == (
        "The effect is +0.250 in every seed, so its uncertainty is unknown: add seeds, or check that runs learn."
    )


def test_effects_whose_people_are_unknown_are_not_testable() -> None:
    """Why the panel has no groups is why the effect has none."""
    assert measured(NOISE, no_groups_reason="There is one video.").reason == "There is one video."


@pytest.mark.parametrize(
    ("units", "dropped", "least", "reason"),
    [
        (2, 3, 2, ""),
        (0, 0, 2, "No seed has a result in every cell that is compared, and the test needs 2: raise confirm.seeds."),
        (
            1,
            0,
            2,
            "Only one seed has a result in every cell that is compared, and the test needs 2: raise confirm.seeds.",
        ),
        (
            2,
            1,
            3,
            (
                "Only 2 seeds have a result in every cell that is compared (1 more lacks one), and the test needs 3: "
                "run the sweep to its end, or raise confirm.seeds."
            ),
        ),
    ],
)
def test_too_few_units_say_how_many_it_takes(units: int, dropped: int, least: int, reason: str) -> None:
    """And what would make them more."""
    paired = PairedValues(np.zeros((units, 1)), None, tuple(range(units)), 1, dropped, None, None)
    assert too_few_units(paired, "seed", least) == reason
