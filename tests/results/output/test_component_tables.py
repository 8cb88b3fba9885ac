"""Tables of the components of a claim."""

from __future__ import annotations

import pytest

from tcray.results.display.table import Table
from tcray.results.output.component_tables import build_component_table, explain_component_tables
from tests.results.factories import make_full_results
from tests.results.output.terminal.fakes import tables_to_text

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

"""

IN_170 = """\
rank-generalisation
                                                 95 % interval        and over            SD of  SD of                    against                units
                    metric             effect  over retraining      people too  margin  repeats  seeds        p   Holm p   Holm p  units  runs  needed  verdict
────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
mosi, conditioning=none                                                                                       –        –    0.005      6    12       –  contradicted
  non-monotone      test MAE           +0.031   0.012 to 0.050  0.001 to 0.061    0.02    0.011  0.020    0.003    0.006    1.000      6    12       –  supported
  optimum-2-to-4    test MAE             at 3           2 to 8               –       –        –  0.020    1.000    1.000    0.005      6    12       –  contradicted
  train-loss-falls  train loss              –                –               –       –    0.011  0.020        –        –        –      6    12       –  not testable
  gap-grows         test − train loss       –                –               –       –    0.011  0.020        –        –        –      6    12       –  not testable
mosi, conditioning=jwae                                                                                   0.002    0.004        –      6    12       –  supported
  non-monotone      test MAE           +0.031   0.012 to 0.050  0.001 to 0.061    0.02    0.011  0.020  < 0.001  < 0.001    1.000      6    12       –  supported
  optimum-2-to-4    test MAE           +0.031   0.012 to 0.050  0.001 to 0.061    0.02    0.011  0.020    0.002    0.004    1.000      6    12       –  supported
mustard (twin), conditioning=none                                                                         0.400    0.400    1.000      6    12       –  inconclusive
  non-monotone      test weighted F1   +0.031   0.012 to 0.050  0.001 to 0.061    0.01    0.011  0.020    0.400    0.400    1.000      6    12   1,234  inconclusive
train-loss-falls and gap-grows: The features saw the train labels, so train loss tells nothing: use
mosi-heldout.

"""  # noqa: E501 - as wide as the terminal


@pytest.fixture(scope="module")
def table() -> Table:
    """The components of a claim whose verdicts differ between datasets and strata."""
    built = build_component_table("rank-generalisation", make_full_results().findings)
    assert built is not None
    return built


@pytest.mark.parametrize(("width", "expected"), [(80, IN_80), (170, IN_170)])
def test_components_are_below_the_claim_as_a_whole(table: Table, width: int, expected: str):
    """Columns are shown if they fit; the estimate of an optimum is a level."""
    text = tables_to_text(table, width)
    assert expected == text
    assert max(map(len, text.splitlines())) <= width


def test_a_narrow_terminal_shows_components_and_verdicts(table: Table):
    """All other columns are left out."""
    lines = tables_to_text(table, 30).splitlines()
    assert ("verdict", ["non-monotone", "supported"]) == (lines[1].strip(), lines[4].split())


def test_verdicts_are_colored_only_in_a_terminal(table: Table):
    """A pipe gets plain text."""
    assert "\033[1;32msupported" in tables_to_text(table, color=True)
    assert "\033" not in tables_to_text(table)


def test_the_explanation_states_the_level():
    """It is 5 % divided by the number of looks."""
    assert explain_component_tables(0.025).endswith("a component is supported at 0.025 or less.")


def test_a_claim_without_testable_components_has_no_table():
    """Neither has a claim without findings."""
    findings = [f for f in make_full_results().findings if f.verdict == "not testable"]
    assert findings
    assert build_component_table("rank-generalisation", findings) is None
    assert build_component_table("rank-generalisation", []) is None
