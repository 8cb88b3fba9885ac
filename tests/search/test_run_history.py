"""The history of a run, and its measurements as rows of the ledger."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from tcray.search.run_history import Execution, Measurement
from tcray.store.outcome import Evaluation, Outcome
from tcray.store.schema import TABLES

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
EXECUTION = Execution("here", "cpu", "pack-1", 4, BEGAN, BEGAN + timedelta(seconds=2))
OUTCOMES = (
    Outcome("TRAINED", epoch=8, value=0.5, best_epoch=3, metrics={"valid.loss": 0.25}, seconds=0.5),
    Outcome("FAILED", "diverged", epoch=2, seconds=0.1),
    Outcome("FAILED", "crash"),
)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_measurement_survives_the_ledger(outcome) -> None:
    """`from_row` is the inverse of `as_row`, and every column is in the ledger's schema."""
    measurement = Measurement(8, outcome, EXECUTION)
    row = measurement.as_row()
    assert row.keys() <= set(TABLES["ledger"].names)
    assert repr(Measurement.from_row(row)) == repr(measurement)  # unlike ==, it takes NaN for equal to NaN


def test_an_objective_that_is_not_a_number_is_null_in_the_ledger() -> None:
    """The column `value` of a failed segment is null, and NaN when it is read again."""
    row = Measurement(8, OUTCOMES[1], EXECUTION).as_row()
    assert row["value"] is None
    assert math.isnan(Measurement.from_row(row).outcome.value)


def test_a_summary_has_no_rows_of_other_tables() -> None:
    """Curve, evaluations and spectra are dropped; everything else stays."""
    given = Outcome("TRAINED", epoch=2, value=0.5, metrics={"a": 1.0}, seconds=0.5)
    evaluation = Evaluation("clean", {"test.mae": 1.0}, (0.5,))
    full = Outcome(
        "TRAINED",
        epoch=2,
        value=0.5,
        metrics={"a": 1.0},
        curve=[{"epoch": 1}],
        evaluations=[evaluation],
        spectra={"energy": [1.0]},
        seconds=0.5,
    )
    assert full.summary() == given
