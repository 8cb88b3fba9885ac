"""Verdicts printed to the terminal."""

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


def make_two_claim_results(**changes: Any) -> Results:
    """Return results of two claims: one with verdicts, and one that is descriptive."""
    return make_full_results(**{"sweep": make_full_sweep("rank-generalisation", "robustness"), **changes})


def test_verdicts_in_80_columns() -> None:
    """Each claim has its question, and per dataset and stratum the verdict, its p-value and units, and its sentence."""
    assert VERDICTS == print_to_text(print_verdicts, make_two_claim_results())


def test_prose_has_a_maximum_width() -> None:
    """Lines have at most 100 characters in a terminal of any width."""
    assert max(map(len, print_to_text(print_verdicts, make_full_results(), 1000).splitlines())) <= 100


def test_brief_output_omits_inconclusive_sentences() -> None:
    """The brief output at the end of a sweep has no sentence for inconclusive verdicts."""
    output = print_to_text(print_verdicts, make_two_claim_results(), brief=True)
    assert "INCONCLUSIVE  mustard (twin), conditioning=none (p 0.400, 6 repeats)\n\n" in output
    assert "optimum-2-to-4 does not hold." in output


def test_an_unfinished_sweep_has_a_note() -> None:
    """A note says that the sweep is not finished."""
    output = print_to_text(
        print_verdicts, make_full_results(manifest=make_manifest(make_full_sweep(), finished_at=None)), 120
    )
    assert "The sweep is not finished: these results use the runs that have ended so far, and may change.\n" in output


def test_a_second_look_has_a_note() -> None:
    """The note states the level with which p-values are compared."""
    expected = "This is look 2 at these data, with other confirm runs than before: p-values are compared with 0.025."
    assert expected in print_to_text(print_verdicts, make_full_results(looks=2, alpha=0.025), 120).splitlines()


def test_a_claim_without_findings_has_a_note() -> None:
    """Each claim without findings has the note that there is no verdict."""
    output = print_to_text(print_verdicts, make_two_claim_results(findings=()))
    assert 2 == output.count("There is no verdict: no confirm run is complete.")


def test_without_claims_there_are_no_verdicts() -> None:
    """Only the question is printed, if there is one."""
    assert "" == print_to_text(print_verdicts, make_two_claim_results(findings=(), sweep=make_sweep()))
    assert "Why?\n\n" == print_to_text(
        print_verdicts, make_two_claim_results(findings=(), sweep=make_sweep(question="Why?"))
    )


def test_an_untestable_dataset_does_not_hide_a_description_of_another() -> None:
    """A whole-claim finding on one dataset does not hide the components of another dataset."""
    fields: dict[str, Any] = {"claim": "robustness", "stratum": {}, "p_supports": None}
    components = [
        make_component("costs", sentences={"descriptive": "Noise costs."}, **fields),
        make_component("costs", MUSTARD, reason="No run of it was evaluated: run it.", n_units=0, **fields),
    ]
    output = print_to_text(
        print_verdicts, make_two_claim_results(findings=conclude(components, alpha=0.05, beats_linear={}))
    )
    assert "  DESCRIPTIVE   mosi (6 repeats)\n    Noise costs.\n" in output
    assert "  NOT TESTABLE  mustard (twin)\n    No run of it was evaluated: run it.\n" in output


def test_verdicts_are_colored_only_in_a_terminal() -> None:
    """Output to a pipe has no control characters."""
    assert "\033[1;32mSUPPORTED" in print_to_text(print_verdicts, make_full_results(), color=True)
    assert "\033" not in print_to_text(print_verdicts, make_full_results())
