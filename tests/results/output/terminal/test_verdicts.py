"""Verdicts in plain words."""

from __future__ import annotations

from typing import Any

from tcray.claims.verdicts import conclude
from tcray.results.analysis import Results
from tcray.results.output.terminal.verdicts import print_verdicts
from tests.claims.factories import MUSTARD, make_sweep
from tests.results.factories import make_component, make_full_results, make_full_sweep, make_manifest
from tests.results.output.terminal.fakes import print_to_text

VERDICTS = """\
Does rank matter?

rank-generalisation: Is generalisation non-monotone in rank, best at a rank of 2
to 4?
  CONTRADICTED  mosi, conditioning=none (p 0.005 against it, 6 repeats)
    optimum-2-to-4 does not hold.
  SUPPORTED     mosi, conditioning=jwae (p 0.004, 6 repeats)
    non-monotone holds. optimum-2-to-4 holds.
  INCONCLUSIVE  mustard (twin), conditioning=none (p 0.400, 6 repeats)
    non-monotone is open. About 1,234 repeats would show an effect of 0.01 in
    weighted F1 with 80 % power.

robustness: What do noise, missing modalities and adversarial perturbations
cost?
  DESCRIPTIVE   mosi (6 repeats)
    fragility is so.

No cell beats the linear model on mosi.

"""


def some_results(**changes: Any) -> Results:
    """Those of two claims: one that bears verdicts, and one that describes."""
    return make_full_results(**{"sweep": make_full_sweep("rank-generalisation", "robustness"), **changes})


def test_verdicts_in_80_columns() -> None:
    """A claim's question, and for each dataset and stratum the verdict, what it rests on, and its sentence."""
    assert VERDICTS == print_to_text(print_verdicts, some_results())


def test_prose_is_no_wider_than_can_be_read() -> None:
    """However wide the terminal."""
    assert max(map(len, print_to_text(print_verdicts, make_full_results(), 1000).splitlines())) <= 100


def test_what_is_open_has_no_words_where_they_are_to_be_few() -> None:
    """At the end of a sweep."""
    said = print_to_text(print_verdicts, some_results(), brief=True)
    assert "INCONCLUSIVE  mustard (twin), conditioning=none (p 0.400, 6 repeats)\n\n" in said
    assert "optimum-2-to-4 does not hold." in said


def test_a_sweep_that_is_not_finished_says_so() -> None:
    """Before any verdict."""
    said = print_to_text(
        print_verdicts, make_full_results(manifest=make_manifest(make_full_sweep(), finished_at=None)), 120
    )
    assert "The sweep is not finished: these results use the runs that have ended so far, and may change.\n" in said


def test_a_second_look_is_said() -> None:
    """With what p-values are held against."""
    expected = "This is look 2 at these data, with other confirm runs than before: p-values are compared with 0.025."
    assert expected in print_to_text(print_verdicts, make_full_results(looks=2, alpha=0.025), 120).splitlines()


def test_a_claim_without_findings_says_so() -> None:
    """No sentence is made up."""
    said = print_to_text(print_verdicts, some_results(findings=()))
    assert 2 == said.count("There is no verdict: no confirm run is complete.")


def test_without_claims_there_are_no_verdicts() -> None:
    """The question stands there, if there is one."""
    assert "" == print_to_text(print_verdicts, some_results(findings=(), sweep=make_sweep()))
    assert "Why?\n\n" == print_to_text(print_verdicts, some_results(findings=(), sweep=make_sweep(question="Why?")))


def test_where_one_dataset_cannot_be_tested_another_is_described() -> None:
    """A claim as a whole in one place does not hide what is told in another."""
    told: dict[str, Any] = {"claim": "robustness", "stratum": {}, "p_supports": None}
    components = [
        make_component("costs", sentences={"descriptive": "Noise costs."}, **told),
        make_component("costs", MUSTARD, reason="No run of it was evaluated: run it.", n_units=0, **told),
    ]
    said = print_to_text(print_verdicts, some_results(findings=conclude(components, alpha=0.05, beats_linear={})))
    assert "  DESCRIPTIVE   mosi (6 repeats)\n    Noise costs.\n" in said
    assert "  NOT TESTABLE  mustard (twin)\n    No run of it was evaluated: run it.\n" in said


def test_verdicts_have_colours_in_a_terminal_alone() -> None:
    """And not in a pipe."""
    assert "\033[1;32mSUPPORTED" in print_to_text(print_verdicts, make_full_results(), color=True)
    assert "\033" not in print_to_text(print_verdicts, make_full_results())
