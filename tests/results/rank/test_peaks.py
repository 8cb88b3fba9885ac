from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tcray.claims.sweep_runs import SweepRuns
from tcray.claims.verdicts import ComponentTest, compose_sentence
from tcray.config.sweep import Confirm
from tcray.results.rank.extremum import Extremum, FactorCurve
from tcray.results.rank.peaks import measure_peak
from tests.claims.factories import (
    MOSI,
    RunOutcome,
    SyntheticDataset,
    make_labels,
    make_predictions,
    make_recorded_store,
    make_sweep,
)

LABEL = make_labels(MOSI)
DIP = {1: 1.0, 2: 0.8, 3: 0.7, 6: 0.9, 16: 1.1}


def peak_of(
    folder: Path, maes: Mapping[int, float], *, extremum: Extremum = "best", noise: float = 0.02, split: float = 0.0
) -> ComponentTest:
    """The component about a peak of six seeds; `split` makes half of the videos differ from half at inner ranks."""
    half = np.repeat([-split, split] * 3, 10)

    def outcome(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome:
        rank = levels["rank"]
        error = maes[rank] + float(np.random.default_rng([rank, seed]).normal(0, noise))
        return RunOutcome(make_predictions(LABEL, error + half * (rank in (2, 3, 6))))

    sweep = make_sweep(factors={"rank": tuple(maes)}, tune={}, search=None, confirm=Confirm(seeds=6))
    (dataset_runs,) = SweepRuns.load(make_recorded_store(folder, sweep, SyntheticDataset.of(MOSI, outcome))).datasets
    return measure_peak(
        FactorCurve.measure(dataset_runs, {}, "rank", extremum=extremum, alpha=0.05),
        "rank-generalisation",
        "non-monotone",
    )


def test_a_peak_on_this_test_set_alone_is_not_supported(tmp_path: Path) -> None:
    """p over retraining is small and that over people is not; more seeds would not help, and that is said."""
    component = peak_of(tmp_path, DIP, split=0.6)
    assert component.details["p_retraining"] < 0.05 < component.details["p_people"]
    assert component.p_supports == component.details["p_people"]
    assert component.units_needed is None
    said = compose_sentence(component, "inconclusive")
    assert said.startswith("On these videos test MAE falls to rank 3 and rises from there: it is 0.")
    assert said.endswith(
        ", but not significantly so for other videos; with these videos no number of seeds would show an effect of "
        "0.02: more videos are needed."
    )


def test_p_values_are_the_larger_of_both_estimands(tmp_path: Path) -> None:
    """With videos alike the peak holds over people too, and how many units it takes is known."""
    component = peak_of(tmp_path, DIP)
    assert component.p_supports == max(component.details["p_retraining"], component.details["p_people"]) < 0.05
    assert component.p_opposes == component.details["p_opposite"] > 0.05
    assert component.units_needed is not None
    assert component.details["two_lines_p"] is not None


def test_an_open_question_names_the_better_end(tmp_path: Path) -> None:
    """Among much noise nothing can be said of a flat curve but what was seen."""
    component = peak_of(tmp_path, dict.fromkeys(DIP, 1.0), noise=0.2)
    said = compose_sentence(component, "inconclusive")
    assert said.startswith(
        "It is open whether test MAE falls and rises again with rank: between the ends it is lowest at "
    )
    assert "the better end (95 % interval " in said
    assert said.endswith(f"About {component.units_needed:,} seeds would show an effect of 0.02 in MAE with 80 % power.")


@pytest.mark.parametrize(("extremum", "estimand"), [("best", "better"), ("worst", "worse")])
def test_the_estimand_is_in_words(extremum: Extremum, estimand: str, tmp_path: Path) -> None:
    """How much better, or worse, the extremum is than the end that comes nearest to it."""
    component = peak_of(tmp_path, DIP, extremum=extremum)
    assert component.estimand == (
        f"How much {estimand} test MAE is at the {extremum} rank between the ends than at the {estimand} end, "
        "paired by seed"
    )
    assert component.estimate is not None
    assert (component.estimate > 0) == (extremum == "best")
