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


def measure_peak_of(
    folder: Path, maes: Mapping[int, float], *, extremum: Extremum = "best", noise: float = 0.02, split: float = 0.0
) -> ComponentTest:
    """Return the peak component of six seeds; with `split` half of the videos differ from the others at inner ranks."""
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
    """The p-value is small over retraining but not over people; the sentence says that more seeds would not help."""
    component = measure_peak_of(tmp_path, DIP, split=0.6)
    assert component.details["p_retraining"] < 0.05 < component.details["p_people"]
    assert component.p_supports == component.details["p_people"]
    assert component.units_needed is None
    sentence = compose_sentence(component, "inconclusive")
    assert sentence.startswith("On these videos test MAE falls to rank 3 and rises from there: it is 0.")
    assert sentence.endswith(
        ", but not significantly so for other videos; with these videos no number of seeds would show an effect of "
        "0.02: more videos are needed."
    )


def test_p_values_are_the_larger_of_both_estimands(tmp_path: Path) -> None:
    """If videos agree the peak is significant over people too, and the number of units needed is known."""
    component = measure_peak_of(tmp_path, DIP)
    assert component.p_supports == max(component.details["p_retraining"], component.details["p_people"]) < 0.05
    assert component.p_opposes == component.details["p_opposite"] > 0.05
    assert component.units_needed is not None
    assert component.details["two_lines_p"] is not None


def test_an_inconclusive_sentence_names_the_better_end(tmp_path: Path) -> None:
    """With much noise the sentence about a flat curve only states the observed difference."""
    component = measure_peak_of(tmp_path, dict.fromkeys(DIP, 1.0), noise=0.2)
    sentence = compose_sentence(component, "inconclusive")
    assert sentence.startswith(
        "It is open whether test MAE falls and rises again with rank: between the ends it is lowest at "
    )
    assert "the better end (95 % interval " in sentence
    assert sentence.endswith(
        f"About {component.units_needed:,} seeds would show an effect of 0.02 in MAE with 80 % power."
    )


@pytest.mark.parametrize(("extremum", "estimand"), [("best", "better"), ("worst", "worse")])
def test_the_estimand_is_described(extremum: Extremum, estimand: str, tmp_path: Path) -> None:
    """The estimand describes the difference between the extremum and the closer end."""
    component = measure_peak_of(tmp_path, DIP, extremum=extremum)
    assert component.estimand == (
        f"How much {estimand} test MAE is at the {extremum} rank between the ends than at the {estimand} end, "
        "paired by seed"
    )
    assert component.estimate is not None
    assert (component.estimate > 0) == (extremum == "best")
