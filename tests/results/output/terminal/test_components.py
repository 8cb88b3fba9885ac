"""A table a claim."""

from __future__ import annotations

import pytest

from tcray.results.output.terminal.components import print_components
from tests.results.concluded import full_results, the_question
from tests.results.output.terminal.printed import shown

ONE = full_results(sweep=the_question("rank-generalisation", "robustness"))
"""Results of a claim that has p-values, and of one that has none."""

IN_80 = """\
rank-generalisation
                              95 % interval
                    effect  over retraining   Holm p  units  runs  verdict
───────────────────────────────────────────────────────────────────────────────
mosi, conditioning=none                            –      6    12  contradicted
  non-monotone      +0.031   0.012 to 0.050    0.006      6    12  supported
  optimum-2-to-4      at 3           2 to 8    1.000      6    12  contradicted
  train-loss-falls       –                –        –      6    12  not testable
  gap-grows              –                –        –      6    12  not testable
mosi, conditioning=jwae                        0.004      6    12  supported
  non-monotone      +0.031   0.012 to 0.050  < 0.001      6    12  supported
  optimum-2-to-4    +0.031   0.012 to 0.050    0.004      6    12  supported
mustard (twin), conditioning=none              0.400      6    12  inconclusive
  non-monotone      +0.031   0.012 to 0.050    0.400      6    12  inconclusive
train-loss-falls and gap-grows: The features saw the train labels, so train loss
tells nothing: use mosi-heldout.

Effects are in the units of their metric, with 95 % intervals over retraining
(on this test set) and over retraining and people; p is for what is claimed, and
Holm's corrected for how many datasets and strata were asked: 0.05 or less
supports a component.

"""

IN_160 = """\
rank-generalisation
                                                 95 % interval        and over    SD of  SD of                    against                units
                    metric             effect  over retraining      people too  repeats  seeds        p   Holm p   Holm p  units  runs  needed  verdict
────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
mosi, conditioning=none                                                                               –        –    0.005      6    12       –  contradicted
  non-monotone      test MAE           +0.031   0.012 to 0.050  0.001 to 0.061    0.011  0.020    0.003    0.006    1.000      6    12       –  supported
  optimum-2-to-4    test MAE             at 3           2 to 8               –        –  0.020    1.000    1.000    0.005      6    12       –  contradicted
  train-loss-falls  train loss              –                –               –    0.011  0.020        –        –        –      6    12       –  not testable
  gap-grows         test − train loss       –                –               –    0.011  0.020        –        –        –      6    12       –  not testable
mosi, conditioning=jwae                                                                           0.002    0.004        –      6    12       –  supported
  non-monotone      test MAE           +0.031   0.012 to 0.050  0.001 to 0.061    0.011  0.020  < 0.001  < 0.001    1.000      6    12       –  supported
  optimum-2-to-4    test MAE           +0.031   0.012 to 0.050  0.001 to 0.061    0.011  0.020    0.002    0.004    1.000      6    12       –  supported
mustard (twin), conditioning=none                                                                 0.400    0.400    1.000      6    12       –  inconclusive
  non-monotone      test weighted F1   +0.031   0.012 to 0.050  0.001 to 0.061    0.011  0.020    0.400    0.400    1.000      6    12   1,234  inconclusive
train-loss-falls and gap-grows: The features saw the train labels, so train loss tells nothing: use
mosi-heldout.

Effects are in the units of their metric, with 95 % intervals over retraining (on this test set) and
over retraining and people; p is for what is claimed, and Holm's corrected for how many datasets and
strata were asked: 0.05 or less supports a component.

"""  # noqa: E501 as wide as the terminal it was made for


@pytest.mark.parametrize(("width", "expected"), [(80, IN_80), (160, IN_160)])
def test_the_components_of_a_claim(width: int, expected: str) -> None:
    """Below the claim as a whole, in as many columns as fit; a level is no difference, and a description no row."""
    said = shown(print_components, ONE, width)
    assert expected == said
    assert max(map(len, said.splitlines())) <= width


def test_a_narrow_terminal_has_the_verdicts() -> None:
    """What is claimed and the verdict always have room."""
    said = shown(print_components, ONE, 30).splitlines()
    assert ("verdict", ["non-monotone", "supported"]) == (said[1].strip(), said[4].split())


def test_a_second_look_is_paid_for() -> None:
    """The caption says what p-values are held against."""
    said = shown(print_components, full_results(looks=2, alpha=0.025), 120)
    assert "0.025 or less supports a component." in said


def test_without_findings_there_is_no_table() -> None:
    """Nor a caption."""
    assert "" == shown(print_components, full_results(findings=()))


def test_verdicts_have_colours_in_a_terminal_alone() -> None:
    """And not in a pipe."""
    assert "\033[1;32msupported" in shown(print_components, ONE, colour=True)
    assert "\033" not in shown(print_components, ONE)
