from __future__ import annotations

from pathlib import Path

import pytest

from tcray.claims import testability
from tcray.claims.sweep_runs import SweepRuns
from tcray.claims.verdicts import ALL
from tcray.config.sweep import Confirm
from tests.claims.factories import MOSI, MUSTARD, make_run, make_store, make_sweep

CLAIM = "rank-generalisation"


def test_datasets_divide_into_testable_and_untestable(tmp_path: Path) -> None:
    """A dataset with complete confirm runs is testable; one without them and one left out of the sweep are not."""
    store = make_store(
        tmp_path,
        [make_run({"test.mae": 1.0}, rank=2), make_run({}, card=MUSTARD, rank=2, state="FAILED", reason="diverged")],
        sweep=make_sweep(claims=(CLAIM,), datasets=("mosi", "mustard", "memes")),
        cards=[MOSI, MUSTARD],
        left_out=[{"dataset": "memes", "reason": "it has no audio, and fixed.modality_dropout.audio is about it"}],
    )
    sweep_runs = SweepRuns.load(store)
    assert [dataset_runs.dataset for dataset_runs in testability.list_testable(sweep_runs, CLAIM)] == ["mosi"]
    assert [(c.component, c.dataset, c.source) for c in testability.list_untestable(sweep_runs, CLAIM)] == [
        (ALL, "mustard", "twin"),
        (ALL, "memes", ""),
    ]


def test_a_stratum_without_a_complete_run_is_untestable(tmp_path: Path) -> None:
    """The stratum whose runs diverged at every rank is listed with its reason."""
    runs = [make_run({"test.mae": 1.0}, rank=rank, conditioning="none") for rank in (2, 12)]
    lost = [
        make_run({}, rank=rank, conditioning="jwae", state="FAILED", reason="diverged", seed=seed)
        for rank in (2, 12)
        for seed in (1, 2)
    ]
    asked = make_sweep(claims=(CLAIM, "robustness"), factors={"rank": (2, 12), "conditioning": ("none", "jwae")})
    sweep_runs = SweepRuns.load(make_store(tmp_path, [*runs, *lost], sweep=asked))
    assert [(c.component, dict(c.stratum), c.reason) for c in testability.list_untestable(sweep_runs, CLAIM)] == [
        (
            ALL,
            {"conditioning": "jwae"},
            ("No confirm run on mosi, conditioning jwae is complete (4 diverged): narrow its learning rates."),
        )
    ]
    assert testability.list_untestable(sweep_runs, "robustness") == []


def test_a_claim_that_is_not_made_is_neither_testable_nor_untestable(tmp_path: Path) -> None:
    """Both lists are empty for a claim that the sweep does not make."""
    sweep_runs = SweepRuns.load(make_store(tmp_path, [make_run({"test.mae": 1.0}, rank=2)]))
    assert (testability.list_testable(sweep_runs, CLAIM), testability.list_untestable(sweep_runs, CLAIM)) == ([], [])


@pytest.mark.parametrize(
    ("states", "ending"),
    [
        ([("FAILED", "diverged"), ("FAILED", "crash")], " (1 diverged and 1 crash): narrow its learning rates."),
        ([("FAILED", "memory"), ("PRUNED", "")], " (1 memory and 1 pruned): run the sweep to its end."),
        ([], ": run the sweep to its end."),
    ],
)
def test_failed_runs_are_counted_by_reason(states: list[tuple[str, str]], ending: str, tmp_path: Path) -> None:
    """The suggested remedy depends on the reason."""
    runs = [make_run({}, rank=2, state=state, reason=reason, seed=n) for n, (state, reason) in enumerate(states)]
    sweep_runs = SweepRuns.load(make_store(tmp_path, runs, sweep=make_sweep(claims=(CLAIM,), confirm=Confirm(2, 3))))
    assert [c.reason for c in testability.list_untestable(sweep_runs, CLAIM)] == [
        f"No confirm run on mosi is complete{ending}"
    ]
