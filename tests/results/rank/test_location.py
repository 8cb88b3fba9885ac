from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tcray.claims.sweep_runs import SweepRuns
from tcray.claims.verdicts import ComponentTest
from tcray.config.sweep import Confirm
from tcray.results.rank.extremum import FactorCurve
from tcray.results.rank.location import Region, measure_location
from tcray.statistics.mean import Interval
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
MAE = {1: 1.0, 2: 0.8, 3: 0.7, 6: 0.9, 16: 1.1}


def measure_location_of(
    folder: Path, ranks: tuple[int, ...], region: Region, by_group: Mapping[int, Any] | None = None
) -> ComponentTest:
    """Return the component on the location of the best MAE for six seeds; `by_group` (6,) is added per video."""

    def outcome(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome:
        rank = levels["rank"]
        error = MAE[rank] + float(np.random.default_rng([rank, seed]).normal(0, 0.02))
        return RunOutcome(make_predictions(LABEL, error + np.repeat((by_group or {}).get(rank, np.zeros(6)), 10)))

    sweep = make_sweep(factors={"rank": ranks}, tune={}, search=None, confirm=Confirm(seeds=6))
    (dataset_runs,) = SweepRuns.load(make_recorded_store(folder, sweep, SyntheticDataset.of(MOSI, outcome))).datasets
    curve = FactorCurve.measure(dataset_runs, {}, "rank", extremum="best", alpha=0.05)
    return measure_location(curve, "rank-generalisation", "optimum-2-to-4", region)


def test_p_values_are_the_largest_over_excluded_levels(tmp_path: Path) -> None:
    """The p-value of a region is the largest of the levels outside it; that of its opposite, of the levels inside."""
    component = measure_location_of(tmp_path, tuple(MAE), Region(2, 4))
    p_values = dict(zip(MAE, component.details["p_retraining"], strict=True))
    people = dict(zip(MAE, component.details["p_people"], strict=True))
    both = {rank: max(p_values[rank], people[rank]) for rank in MAE}
    assert component.p_supports == max(both[rank] for rank in (1, 6, 16))
    assert component.p_opposes == max(both[rank] for rank in (2, 3))
    assert (component.estimate, component.details["optimum_set"]) == (3.0, [3])
    assert (component.ci_retraining, component.ci_people) == (Interval(3.0, 3.0), Interval(3.0, 3.0))


def test_a_level_that_groups_disagree_on_is_not_excluded_over_people(tmp_path: Path) -> None:
    """If half of the videos are far better at rank 6 and half far worse, rank 6 is not excluded over people."""
    split = {6: np.array([-0.6, 0.6, -0.6, 0.6, -0.6, 0.6])}
    component = measure_location_of(tmp_path, tuple(MAE), Region(2, 4), split)
    assert component.ci_retraining == Interval(3.0, 3.0)
    assert component.ci_people == Interval(3.0, 6.0)
    assert component.details["optimum_set"] == [3, 6]
    assert component.p_supports is not None
    assert component.p_supports > 0.05
    assert component.sentences["inconclusive"].startswith(
        "It is open whether the rank at which test MAE is best lies within 2 to 4"
    )


@pytest.mark.parametrize(
    ("ranks", "reason"),
    [
        ((1, 6, 16), "The sweep has no rank inside 2 to 4: add one to the factor."),
        ((2, 3, 1), ""),
    ],
)
def test_a_region_needs_levels_on_either_side(ranks: tuple[int, ...], reason: str, tmp_path: Path) -> None:
    """The component is not testable if no level lies inside, or none outside."""
    assert measure_location_of(tmp_path, ranks, Region(2, 4)).reason == reason


def test_a_region_with_every_level_is_not_testable(tmp_path: Path) -> None:
    """The region from 1 to 16 contains every rank of the sweep."""
    component = measure_location_of(tmp_path, (1, 3, 16), Region(1, 16))
    assert component.reason == "The sweep has no rank outside 1 to 16: add one to the factor."


def test_a_region_includes_both_ends() -> None:
    """The region `0.3 to 0.5` contains 0.3 and 0.5."""
    region = Region(0.3, 0.5)
    assert [region.contains(value) for value in (0.2, 0.3, 0.4, 0.5, 0.6)] == [False, True, True, True, False]
    assert str(region) == "0.3 to 0.5"
