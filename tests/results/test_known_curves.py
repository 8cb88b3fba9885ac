"""A slice of tests/benchmarks/known_curves.py: sweeps of known twins find the planted effects and no others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tests.benchmarks.known_curves import Verdicts, conclude_sweep, conclude_sweeps, harmful_modalities, run_sweeps
from tests.population import Values

SWEEPS = 3


def run_few_sweeps(name: str) -> Verdicts:
    """Return the verdicts of a few sweeps of the twin."""
    return conclude_sweeps(name, run_sweeps(name, range(1, SWEEPS + 1)))


@pytest.mark.slow
def test_a_peak_is_found() -> None:
    """Nearly every sweep of `twin-overfit` finds a peak."""
    assert run_few_sweeps("twin-overfit").counts["supported"] >= SWEEPS - 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["twin-saturating", "twin-flat"])
def test_no_peak_is_found_if_there_is_none(name: str) -> None:
    """At most one sweep of a twin without a peak finds one."""
    assert run_few_sweeps(name).counts["supported"] <= 1


@pytest.mark.slow
def test_a_harmful_modality_is_found() -> None:
    """Nearly every sweep of `twin-harmful` finds that audio is harmful."""
    assert run_few_sweeps("twin-harmful").counts["harm by audio"] >= SWEEPS - 1


@pytest.mark.slow
def test_no_harmful_modality_is_found_if_there_is_none() -> None:
    """No sweep of `twin-harmless` finds a harmful modality."""
    assert run_few_sweeps("twin-harmless").counts == {"no harm": SWEEPS}


def test_a_finding_is_a_verdict_or_the_harmful_modalities() -> None:
    """Units drawn around an obvious curve give the expected finding."""
    noise = np.random.default_rng(0).normal(0, 0.01, (12, 8))
    assert conclude_sweep("twin-flat", noise + np.abs(np.arange(8) - 2)) == "supported"
    without_audio = {"text": 1.0, "audio": 1.0, "video": 1.0, "text+audio": 0.9, "text+video": 0.5, "audio+video": 0.9}
    assert conclude_sweep("twin-harmful", _units({**without_audio, "text+audio+video": 0.7}, noise)) == "harm by audio"
    assert conclude_sweep("twin-harmful", _units({**without_audio, "text+audio+video": 0.4}, noise)) == "no harm"
    assert harmful_modalities({"a": noise[:, 0], "b": noise[:, 1] + 1, "a+b": noise[:, 2] + 0.5}) == ["b"]


def _units(errors: Mapping[str, float], noise: Values) -> Values:
    """Return values (U, L): errors by subset plus noise."""
    values: Values = noise[:, : len(errors)] + np.array(list(errors.values()))
    return values
