"""A slice of tests/benchmarks/verdicts.py: whole claims are wrong in 5 % of sweeps at most."""

from __future__ import annotations

from math import sqrt

import pytest

from tests.benchmarks.verdicts import TRUTHS, Truth, count_verdicts

SWEEPS = 200
SLACK = 3 * sqrt(0.05 * 0.95 / SWEEPS)
LIKELIEST_TO_ERR = {"margin in all bands", "null in one band", "margin of one", "null: equal shares"}


@pytest.mark.parametrize("truth", [t for t in TRUTHS if t.name in LIKELIEST_TO_ERR], ids=lambda t: t.name)
def test_a_claim_that_just_fails_or_just_holds_is_rarely_misjudged(truth: Truth) -> None:
    """A claim with one null part is rarely supported, and three strata at the margin are rarely contradicted."""
    assert count_verdicts(truth, SWEEPS)[truth.wrong] / SWEEPS <= 0.05 + SLACK
