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
"""Noise of six units with mean 0."""


def make_component(effects: Floats, direction: Hypothesis = FALLS, **paired: Any) -> ComponentTest:
    """Return the component test of these effects, one per unit."""
    count = len(effects)
    given = {"numbers": tuple(range(count)), "runs": 1, "dropped": 0, "sd_repeats": None, "sd_seeds": 0.1, **paired}
    asked = ComponentTest("c", "part", "mosi", "real", {}, "test.loss", "", unit="seed")
    made = PairedValues(values=np.zeros((count, 2)), by_group=None, **given)
    return measure_effect(asked, made, effects, direction, alpha=0.05, groups="video")


def conclude_effect(effects: Floats, direction: Hypothesis = FALLS) -> tuple[str, str]:
    """Return the verdict and the sentence for these effects."""
    (_, finding) = conclude([make_component(effects, direction)], alpha=0.05, beats_linear={})
    return finding.verdict, finding.sentence


def test_numbers_are_those_of_the_paired_difference() -> None:
    """Estimate and interval keep the sign of the metric for either claimed direction."""
    component, difference = make_component(NOISE - 0.1), PairedDifference.from_differences(NOISE - 0.1)
    assert component.estimate == difference.estimate == pytest.approx(-0.1)
    assert (component.ci_retraining, component.ci_people) == (difference.retraining.interval(), None)
    assert (component.p_supports, component.p_opposes) == (difference.p_value, 1.0)
    assert (component.n_units, component.n_seeds, component.sd_seeds, component.margin) == (6, 6, 0.1, 0.02)
    assert component.units_needed == units_needed(difference.sd, 0.02)


def test_a_supported_fall_is_worded_as_a_fall() -> None:
    """Size and interval are positive because the sentence states a fall."""
    assert conclude_effect(NOISE - 0.1) == ("supported", "Loss falls by 0.100 (95 % interval 0.085 to 0.115).")


def test_a_contradicting_rise_is_worded_as_a_rise() -> None:
    """A significant rise contradicts a claimed fall."""
    assert conclude_effect(NOISE + 0.1) == ("contradicted", "Loss rises by 0.100 (95 % interval 0.085 to 0.115).")


def test_an_effect_below_the_margin_contradicts() -> None:
    """If the interval excludes the margin, the claimed effect is contradicted for either sign of the estimate."""
    assert conclude_effect(NOISE / 10 + 0.0004) == (
        "contradicted",
        "Loss falls by less than 0.02, if at all: the effect is 0.000 (95 % interval −0.001 to 0.002).",
    )


def test_an_inconclusive_effect_names_the_units_it_needs() -> None:
    """The sentence contains the effect and the number of units that would detect the margin."""
    units = units_needed(float((NOISE * 3).std(ddof=1)), 0.02)
    verdict, sentence = conclude_effect(NOISE * 3 - 0.02)
    assert verdict == "inconclusive"
    assert sentence == (
        "It is open whether loss falls: the effect is −0.020 (95 % interval −0.065 to 0.025). "
        f"About {units} seeds would show an effect of 0.02 in loss with 80 % power."
    )


def test_a_remark_is_appended_to_the_sentence_of_every_verdict() -> None:
    """Both the supported and the contradicted sentence end with the remark."""
    direction = Hypothesis("loss falls", "loss rises", sign=-1, margin=0.02, remark=" So it is.")
    assert conclude_effect(NOISE - 0.1, direction)[1].endswith(". So it is.")
    assert conclude_effect(NOISE + 0.1, direction)[1].endswith(". So it is.")


def test_an_effect_on_this_test_set_alone_is_not_supported() -> None:
    """Three of six videos show a large fall and three a rise: more videos are needed, more seeds would not help."""
    of_group = np.array([-1.0, 0.8, -1.0, 0.8, -1.0, 0.8])
    verdict, sentence = conclude_effect(NOISE[:, None] + of_group)
    assert verdict == "inconclusive"
    assert sentence == (
        "On these videos loss falls by 0.100 (95 % interval 0.085 to 0.115 over retraining, −0.935 to 1.135 over "
        "retraining and videos), but not significantly so for other videos; with these videos no number of "
        "seeds would show an effect of 0.02: more videos are needed."
    )


def test_variance_between_groups_reduces_the_detectable_margin() -> None:
    """The variance of the mean that comes from groups does not shrink with the number of units."""
    of_group = np.array([-0.01, 0.01, -0.01, 0.01, 0.0, 0.0])
    floor = of_group.var(ddof=1) / 6
    assert detectable_margin(NOISE, 0.02, 0.05) == 0.02
    assert detectable_margin(NOISE[:, None] + of_group, 0.02, 0.05) == pytest.approx(math.sqrt(0.02**2 - Z**2 * floor))
    assert detectable_margin(NOISE[:, None] + 10 * of_group, 0.02, 0.05) == 0.0


def test_effects_that_do_not_vary_are_not_testable() -> None:
    """The same effect in every unit has no standard error, so no p-value is computed."""
    component = make_component(np.full(6, 0.25))
    assert (component.p_supports, component.estimate) == (None, None)
    assert component.reason == (
        "The effect is +0.250 in every seed, so its uncertainty is unknown: add seeds, or check that runs learn."
    )


def test_effects_without_groups_are_not_testable() -> None:
    """The component has the reason for which the paired values have no groups."""
    assert make_component(NOISE, no_groups_reason="There is one video.").reason == "There is one video."


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
def test_too_few_units_have_a_reason_with_the_number_needed(units: int, dropped: int, least: int, reason: str) -> None:
    """The reason names the number of units, the number needed and the option to change."""
    paired = PairedValues(np.zeros((units, 1)), None, tuple(range(units)), 1, dropped, None, None)
    assert too_few_units(paired, "seed", least) == reason
