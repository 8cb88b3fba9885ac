"""A slice of tests/benchmarks/known_curves.py: from training to verdict, what is there is found, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tests.benchmarks.known_curves import Verdicts, finding, harmful_modalities, swept, verdicts
from tests.population import Values

SWEEPS = 3


def of(name: str) -> Verdicts:
    """What a few sweeps of the twin say."""
    return verdicts(name, swept(name, range(1, SWEEPS + 1)))


@pytest.mark.slow
def test_a_peak_is_found() -> None:
    """In nearly every sweep of `twin-overfit`."""
    assert of("twin-overfit").said["supported"] >= SWEEPS - 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["twin-saturating", "twin-flat"])
def test_no_peak_is_found_where_none_is(name: str) -> None:
    """In hardly a sweep."""
    assert of(name).said["supported"] <= 1


@pytest.mark.slow
def test_harm_is_found_and_laid_to_the_right_modality() -> None:
    """In nearly every sweep of `twin-harmful`."""
    assert of("twin-harmful").said["harm by audio"] >= SWEEPS - 1


@pytest.mark.slow
def test_no_harm_is_found_where_none_is_done() -> None:
    """In no sweep of `twin-harmless`."""
    assert of("twin-harmless").said == {"no harm": SWEEPS}


def test_a_finding_is_a_verdict_or_who_does_harm() -> None:
    """Of units drawn about a curve that needs no test."""
    noise = np.random.default_rng(0).normal(0, 0.01, (12, 8))
    assert finding("twin-flat", noise + np.abs(np.arange(8) - 2)) == "supported"
    without_audio = {"text": 1.0, "audio": 1.0, "video": 1.0, "text+audio": 0.9, "text+video": 0.5, "audio+video": 0.9}
    assert finding("twin-harmful", _units({**without_audio, "text+audio+video": 0.7}, noise)) == "harm by audio"
    assert finding("twin-harmful", _units({**without_audio, "text+audio+video": 0.4}, noise)) == "no harm"
    assert harmful_modalities({"a": noise[:, 0], "b": noise[:, 1] + 1, "a+b": noise[:, 2] + 0.5}) == ["b"]


def _units(errors: Mapping[str, float], noise: Values) -> Values:
    """(U, L): errors by subset, and noise on them."""
    values: Values = noise[:, : len(errors)] + np.array(list(errors.values()))
    return values
