"""Findings, optima and robustness as a terminal shows them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import ArrayLike
from rich.console import Console

from tcray.cli.findings import show_parts, show_verdicts
from tcray.cli.optima import show_optima
from tcray.cli.robustness import show_robustness
from tcray.cli.shares import show_shares
from tcray.results.analyses.finding import conclude
from tcray.results.analyses.modalities import Contribution
from tcray.results.analyses.robustness import Robustness
from tcray.results.estimate import Estimate
from tcray.results.statistics.shapley import shapley
from tests.results.concluded import PLAIN, a_component, a_profile, some_results
from tests.results.recorded import MUSTARD, a_sweep


def shown(show: Callable[..., None], what: Any, width: int = 80, *, colour: bool = False, **options: Any) -> str:
    """What is printed at a width."""
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=colour, color_system="standard" if colour else None)
    show(what, console=console, **options)
    return file.getvalue()


VERDICTS = """\
Does rank matter?

rank-generalisation: Is generalisation non-monotone in rank, best at a rank of 2
to 4?
  CONTRADICTED  mosi, conditioning=none (12 seeds)
    optimum-2-to-4 does not hold. No cell beats the linear model on this
    dataset.
  SUPPORTED     mosi, conditioning=jwae (p 0.006, 12 seeds)
    non-monotone holds. optimum-2-to-4 holds. No cell beats the linear model on
    this dataset.
  INCONCLUSIVE  mustard (twin), conditioning=none (p 0.800, 12 seeds)
    non-monotone is open. About 1,234 seeds would show an effect of 0.01 in
    weighted F1 with 80 % power.

robustness: What do noise, missing modalities and adversarial perturbations
cost?
  DESCRIPTIVE   mosi (12 seeds)
    Noise costs most in text.

"""

PARTS_IN_80 = """\
rank-generalisation
                              95 % interval
                    effect  over retraining   Holm p  units  verdict
─────────────────────────────────────────────────────────────────────────
mosi, conditioning=none                        1.000     12  contradicted
  non-monotone      +0.031   0.012 to 0.050    0.006     12  supported
  optimum-2-to-4      at 3           2 to 8    1.000     12  contradicted
  train-loss-falls       –                –        –     12  not testable
  gap-grows              –                –        –     12  not testable
mosi, conditioning=jwae                        0.006     12  supported
  non-monotone      +0.031   0.012 to 0.050  < 0.001     12  supported
  optimum-2-to-4    +0.031   0.012 to 0.050    0.004     12  supported
mustard (twin), conditioning=none              0.800     12  inconclusive
  non-monotone      +0.031   0.012 to 0.050    0.400     12  inconclusive
train-loss-falls and gap-grows: The features saw the train labels, so train loss
tells nothing: use mosi-heldout.

Effects are in the units of their metric, with 95 % intervals over retraining
(on this test set) and over retraining and people; p is for what is claimed, and
Holm's corrected for how many datasets and strata were asked: 0.05 or less
supports a component.

"""

PARTS_IN_160 = """\
rank-generalisation
                                                 95 % interval        and over  SD of                                  units
                    metric             effect  over retraining      people too  seeds        p   Holm p  units  runs  needed  verdict
──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
mosi, conditioning=none                                                                  1.000    1.000     12    12       –  contradicted
  non-monotone      test MAE           +0.031   0.012 to 0.050  0.001 to 0.061  0.020    0.003    0.006     12    12       –  supported
  optimum-2-to-4    test MAE             at 3           2 to 8               –  0.020    1.000    1.000     12    12       –  contradicted
  train-loss-falls  train loss              –                –               –  0.020        –        –     12    12       –  not testable
  gap-grows         test − train loss       –                –               –  0.020        –        –     12    12       –  not testable
mosi, conditioning=jwae                                                                  0.002    0.006     12    12       –  supported
  non-monotone      test MAE           +0.031   0.012 to 0.050  0.001 to 0.061  0.020  < 0.001  < 0.001     12    12       –  supported
  optimum-2-to-4    test MAE           +0.031   0.012 to 0.050  0.001 to 0.061  0.020    0.002    0.004     12    12       –  supported
mustard (twin), conditioning=none                                                        0.400    0.800     12    12       –  inconclusive
  non-monotone      test weighted F1   +0.031   0.012 to 0.050  0.001 to 0.061  0.020    0.400    0.400     12    12   1,234  inconclusive
train-loss-falls and gap-grows: The features saw the train labels, so train loss tells nothing: use
mosi-heldout.

Effects are in the units of their metric, with 95 % intervals over retraining (on this test set) and
over retraining and people; p is for what is claimed, and Holm's corrected for how many datasets and
strata were asked: 0.05 or less supports a component.

"""  # noqa: E501 as wide as the terminal it was made for


def test_verdicts_in_80_columns() -> None:
    """A claim's question, and for each dataset and stratum the verdict, what it rests on, and its sentence."""
    assert shown(show_verdicts, some_results()) == VERDICTS


def test_prose_is_no_wider_than_can_be_read() -> None:
    """However wide the terminal."""
    assert max(map(len, shown(show_verdicts, some_results(), 1000).splitlines())) <= 100


def test_what_is_open_has_no_words_where_they_are_to_be_few() -> None:
    """At the end of a sweep."""
    said = shown(show_verdicts, some_results(), brief=True)
    assert "INCONCLUSIVE  mustard (twin), conditioning=none (p 0.800, 12 seeds)\n\n" in said
    assert "optimum-2-to-4 does not hold." in said


@pytest.mark.parametrize(("width", "expected"), [(80, PARTS_IN_80), (160, PARTS_IN_160)])
def test_the_components_of_a_claim(width: int, expected: str) -> None:
    """Below the claim as a whole, in as many columns as fit; a level is no difference, and a description no row."""
    said = shown(show_parts, some_results(), width)
    assert said == expected
    assert max(map(len, said.splitlines())) <= width


def test_a_narrow_terminal_has_the_verdicts() -> None:
    """What is claimed and the verdict always have room."""
    said = shown(show_parts, some_results(), 30).splitlines()
    assert (said[1].strip(), said[4].split()) == ("verdict", ["non-monotone", "supported"])


def test_a_sweep_that_is_not_finished_says_so() -> None:
    """Before any verdict."""
    said = shown(show_verdicts, some_results(finished=False), 120)
    assert "The sweep is not finished: this rests on the runs that have ended by now, and may change.\n" in said


def test_a_second_look_is_said_and_paid_for() -> None:
    """With what p-values are held against."""
    results = some_results(looks=2, alpha=0.025)
    expected = "It is look 2 at these data, with other confirm runs than before: p-values are held against 0.025."
    assert expected in shown(show_verdicts, results, 120).splitlines()
    assert "0.025 or less supports a component." in shown(show_parts, results, 120)


def test_a_claim_without_findings_says_so() -> None:
    """No sentence is made up, and no table."""
    results = some_results([])
    assert shown(show_verdicts, results).count("Nothing can be said of it: no confirm run is complete.") == 2
    assert shown(show_parts, results) == ""


def test_without_claims_there_are_no_verdicts() -> None:
    """The question stands there, if there is one."""
    assert shown(show_verdicts, some_results([], sweep=a_sweep())) == ""
    assert shown(show_verdicts, some_results([], sweep=a_sweep(question="Why?"))) == "Why?\n\n"


def test_where_one_dataset_cannot_be_tested_another_is_described() -> None:
    """A claim as a whole in one place does not hide what is told in another."""
    told = {"claim": "robustness", "stratum": {}, "holds": None}
    components = [
        a_component("costs", says={"descriptive": "Noise costs."}, **told),
        a_component("costs", MUSTARD, reason="No run of it was evaluated: run it.", n_units=0, **told),
    ]
    said = shown(show_verdicts, some_results(conclude(components, alpha=0.05, beats_linear={})))
    assert "  DESCRIPTIVE   mosi (12 seeds)\n    Noise costs.\n" in said
    assert "  NOT TESTABLE  mustard (twin)\n    No run of it was evaluated: run it.\n" in said


def test_verdicts_have_colours_in_a_terminal_alone() -> None:
    """And not in a pipe."""
    for show in (show_verdicts, show_parts):
        assert "\033[1;32m" in shown(show, some_results(), colour=True)
        assert "\033" not in shown(show, some_results())


def test_where_a_curve_is_best() -> None:
    """By the mean, and in truth with 95 %; of the metric that bears verdicts alone, and of curves that have a best."""
    profiles = [
        a_profile(),
        a_profile(levels=(1, 2, 4, 8, 16), optimum_set=(1, 2, 8), source="twin", stratum={}),
        a_profile(purpose="train", metric="train.loss"),
        a_profile(optimum=None),
        a_profile(factor="modality_dropout.audio", levels=(0.0, 0.3), optimum=0.3, optimum_set=(0.3,)),
    ]
    assert shown(show_optima, profiles) == (
        "                                      by its  in truth, with\n"
        "best rank                test metric    mean  95 %\n"
        "────────────────────────────────────────────────────────────\n"
        "mosi, conditioning=none  MAE               2  any\n"
        "mosi (twin)              MAE               2  1–2, 8\n"
        "\n"
        "                                                     by its  in truth, with\n"
        "best rate of audio dropout in training  test metric    mean  95 %\n"
        "───────────────────────────────────────────────────────────────────────────\n"
        "mosi, conditioning=none                 MAE             0.3  0.3\n"
        "\n"
    )


def a_curve(rank: int, corruption: str, **changes: Any) -> Robustness:
    """MAE 0.9 when clean, 1.0 on average when corrupted."""
    curve = Robustness(
        dataset="mosi",
        source="real",
        stratum={"rank": rank, **PLAIN},
        corruption=corruption,
        metric="test.mae",
        maximize=False,
        severities=(0.0, 1.0),
        labels=(),
        values=(Estimate(0.9), Estimate(1.1)),
        area=Estimate(1.0),
        effective=None,
        unit="seed",
        n_units=2,
    )
    return replace(curve, **changes)


def test_robustness_is_a_table_a_dataset() -> None:
    """A row a cell by rank, a column a corruption; one without an order has no mean, and too many are left out."""
    curves = [
        a_curve(12, "noise:text"),
        a_curve(2, "noise:text", area=Estimate(None)),
        a_curve(2, "pgd", area=Estimate(2.0)),
        a_curve(2, "missing", severities=(), labels=("nothing", "text"), area=Estimate(None)),
    ]
    assert shown(show_robustness, curves) == (
        "mosi: test MAE\n"
        "                                   noise\n"
        "cell                        clean   text    pgd\n"
        "───────────────────────────────────────────────\n"
        "rank=2, conditioning=none   0.900      –  2.000\n"
        "rank=12, conditioning=none  0.900  1.000\n"
        "\n"
    )
    narrow = shown(show_robustness, curves, 42)
    assert "noise" in narrow
    assert "pgd" not in narrow


def a_contribution(kind: Literal["retrained", "inference"], worth: ArrayLike, **changes: Any) -> Contribution:
    """Text alone is worth something, the same in training and at inference."""
    text = frozenset({"text"})
    none, all_of_it = frozenset[str](), frozenset({"text", "audio"})
    values = np.asarray(worth, np.float64)
    game = {none: 0 * values, text: values, frozenset({"audio"}): 0 * values, all_of_it: values}
    contribution = Contribution(
        dataset="mosi",
        source="twin",
        stratum={},
        metric="test.mae",
        maximize=False,
        kind=kind,
        name="reliance",
        modalities=("text", "audio"),
        shapley=shapley(game),
        by_subset={},
        n_units=2,
        unit="seed",
    )
    return replace(contribution, **changes)


def test_shares_are_a_table_a_dataset() -> None:
    """With intervals where there are units: 0.2 ± tan(0.475 π) · 0.1 = 0.2 ± 1.271."""
    contributions = [
        a_contribution("retrained", [0.1, 0.3]),
        a_contribution("inference", 0.4),
        a_contribution("retrained", 0.5, source="real", stratum={"rank": 4}),
    ]
    assert shown(show_shares, contributions) == (
        "Shapley values with 95 % intervals: above 0 where a modality helps\n"
        "mosi (twin): test MAE\n"
        "          others left out           others missing\n"
        "modality  of training               at inference\n"
        "──────────────────────────────────────────────────\n"
        "text      +0.200 (−1.071 to 1.471)  +0.400\n"
        "audio     0.000 (0.000 to 0.000)    0.000\n"
        "\n"
        "mosi, rank=4: test MAE\n"
        "          others left out\n"
        "modality  of training\n"
        "─────────────────────────\n"
        "text      +0.500\n"
        "audio     0.000\n"
        "\n"
    )
    assert shown(show_shares, []) == ""


def test_robustness_is_shown_where_it_is_claimed() -> None:
    """Below the claims that bear verdicts."""
    results = some_results(robustness=(a_curve(2, "pgd"),))
    assert "robustness: clean, and the mean over the severities of each corruption\nmosi: test MAE\n" in shown(
        show_parts, results
    )
    assert "pgd" not in shown(show_parts, some_results(sweep=a_sweep(), robustness=(a_curve(2, "pgd"),)))
