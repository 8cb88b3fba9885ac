from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tcray.claims.sweep_runs import DatasetRuns, SweepRuns
from tcray.config.sweep import Confirm, Sweep
from tcray.store.store import Store, SweepStore
from tests.claims.factories import (
    MOSI,
    MUSTARD,
    RunOutcome,
    SyntheticDataset,
    make_labels,
    make_predictions,
    make_recorded_store,
    make_run,
    make_store,
    make_sweep,
)

LABEL = make_labels(MOSI)
RANKS = {"rank": (2, 4, 12)}
SEEDS: dict[str, Any] = {"tune": {}, "search": None}
"""Options of a sweep whose unit is the seed."""


def load_runs(
    tmp_path: Path, sweep: Sweep, error: Mapping[tuple[int, int], float | None], **metrics: float
) -> DatasetRuns:
    """Return MOSI runs with this MAE by rank and seed; None stands for a failed run, a missing key for no run."""

    def outcome(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome | None:
        if (levels["rank"], seed) not in error:
            return None
        mae = error[levels["rank"], seed]
        state = "FAILED" if mae is None else "COMPLETE"
        return RunOutcome(make_predictions(LABEL, mae or 0.0), metrics=metrics, state=state)

    (dataset_runs,) = SweepRuns.load(make_recorded_store(tmp_path, sweep, SyntheticDataset.of(MOSI, outcome))).datasets
    return dataset_runs


def test_a_repeat_counts_as_the_mean_of_its_seeds(tmp_path: Path) -> None:
    """Two repeats of two seeds give two units, paired across cells."""
    maes = {(2, 0): 0.5, (2, 1): 0.7, (2, 2): 0.9, (2, 3): 1.1, (4, 0): 0.1, (4, 1): 0.3, (4, 2): 0.5, (4, 3): 0.7}
    dataset_runs = load_runs(tmp_path, make_sweep(factors={"rank": (2, 4)}, confirm=Confirm(seeds=2, repeats=2)), maes)
    paired = dataset_runs.paired_values("test.mae", ["mosi/rank=2", "mosi/rank=4"])
    assert paired.values == pytest.approx(np.array([[0.6, 0.2], [1.0, 0.6]]))
    assert (dataset_runs.unit, paired.units, paired.numbers, paired.runs, paired.seeds, paired.dropped) == (
        "repeat",
        2,
        (0, 1),
        2,
        4,
        0,
    )


def test_a_seed_is_a_unit_if_nothing_is_tuned(tmp_path: Path) -> None:
    """Three seeds of one configuration give three units."""
    maes = {(rank, seed): rank / 10 + seed for rank in (2, 4) for seed in range(3)}
    dataset_runs = load_runs(tmp_path, make_sweep(factors={"rank": (2, 4)}, confirm=Confirm(seeds=3), **SEEDS), maes)
    paired = dataset_runs.paired_values("test.mae", ["mosi/rank=4", "mosi/rank=2"])
    assert paired.values == pytest.approx(np.array([[0.4, 0.2], [1.4, 1.2], [2.4, 2.2]]))
    assert (dataset_runs.unit, paired.numbers, paired.runs) == ("seed", (0, 1, 2), 1)


def test_a_unit_that_lacks_a_cell_is_dropped(tmp_path: Path) -> None:
    """Seed 0 failed at rank 4 and seed 2 has no run at rank 2, so only seed 1 remains."""
    maes = {(2, 0): 1.0, (4, 0): None, (2, 1): 2.0, (4, 1): 3.0, (4, 2): 4.0}
    dataset_runs = load_runs(tmp_path, make_sweep(factors={"rank": (2, 4)}, confirm=Confirm(seeds=3), **SEEDS), maes)
    paired = dataset_runs.paired_values("test.mae", ["mosi/rank=2", "mosi/rank=4"])
    assert (paired.values.tolist(), paired.numbers, paired.dropped) == ([[2.0, 3.0]], (1,), 2)


def test_a_number_that_is_not_finite_drops_its_unit(tmp_path: Path) -> None:
    """If the correlation is undefined for one seed, the repeat of that seed is dropped."""
    maes = {(2, seed): 1.0 for seed in range(4)}
    sweep = make_sweep(factors={"rank": (2,)}, confirm=Confirm(seeds=2, repeats=2))

    def outcome(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome:
        return RunOutcome(make_predictions(LABEL, 1.0), metrics={"test.r": math.nan if seed == 3 else 0.5})

    (dataset_runs,) = SweepRuns.load(make_recorded_store(tmp_path, sweep, SyntheticDataset.of(MOSI, outcome))).datasets
    paired = dataset_runs.paired_values("test.r", ["mosi/rank=2"])
    assert (paired.values.tolist(), paired.dropped, len(maes)) == ([[0.5]], 1, 4)


def test_the_gap_is_test_loss_minus_train_loss_at_the_last_epoch(tmp_path: Path) -> None:
    """The gap is 1.5 - 0.25; if one of the two losses is missing, there is no unit."""
    sweep = make_sweep(factors={"rank": (2,)}, confirm=Confirm(seeds=1), **SEEDS)
    both = load_runs(tmp_path / "both", sweep, {(2, 0): 1.0}, **{"last.test.loss": 1.5, "train.loss": 0.25})
    one = load_runs(tmp_path / "one", sweep, {(2, 0): 1.0}, **{"train.loss": 0.25})
    assert [dataset_runs.paired_values("gap", ["mosi/rank=2"]).values.tolist() for dataset_runs in (both, one)] == [
        [[1.25]],
        [],
    ]


def test_groups_average_to_the_units_metric(tmp_path: Path) -> None:
    """Pseudo-values of six videos average to the mean over the seeds of a repeat, for MAE, accuracy and r."""
    generator = np.random.default_rng(0)

    def outcome(levels: Mapping[str, Any], _: int, seed: int) -> RunOutcome:
        return RunOutcome(LABEL + generator.normal(0, levels["rank"], 60))

    sweep = make_sweep(factors={"rank": (2, 4)}, confirm=Confirm(seeds=2, repeats=3))
    (dataset_runs,) = SweepRuns.load(make_recorded_store(tmp_path, sweep, SyntheticDataset.of(MOSI, outcome))).datasets
    for metric in ("test.mae", "test.acc2", "test.r"):
        paired = dataset_runs.paired_values(metric, ["mosi/rank=2", "mosi/rank=4"], by_group=True)
        assert paired.by_group is not None
        assert paired.by_group.shape == (3, 2, 6)
        assert paired.by_group.mean(-1) == pytest.approx(paired.values)
        assert not paired.no_groups_reason


def test_the_mae_of_a_group_is_its_own(tmp_path: Path) -> None:
    """For groups of equal size the pseudo-values of MAE are the MAEs of the groups, here 1 to 6."""
    sweep = make_sweep(factors={"rank": (2,)}, confirm=Confirm(seeds=1), **SEEDS)
    errors = np.repeat(np.arange(1.0, 7.0), 10)
    planted = SyntheticDataset.of(MOSI, lambda *_: RunOutcome(make_predictions(LABEL, errors)))
    (dataset_runs,) = SweepRuns.load(make_recorded_store(tmp_path, sweep, planted)).datasets
    by_group = dataset_runs.paired_values("test.mae", ["mosi/rank=2"], by_group=True).by_group
    assert by_group is not None
    assert by_group[0, 0] == pytest.approx(np.arange(1.0, 7.0))


def test_a_single_group_has_no_pseudo_values(tmp_path: Path) -> None:
    """A test split of one video has no pseudo-values; the reason names the remedy."""
    sweep = make_sweep(factors={"rank": (2,)}, confirm=Confirm(seeds=2), **SEEDS)
    planted = replace(
        SyntheticDataset.of(MOSI, lambda *_: RunOutcome(make_predictions(LABEL, 1.0))), group=("video-00",) * 60
    )
    (dataset_runs,) = SweepRuns.load(make_recorded_store(tmp_path, sweep, planted)).datasets
    paired = dataset_runs.paired_values("test.mae", ["mosi/rank=2"], by_group=True)
    assert (paired.by_group, paired.units) == (None, 2)
    assert paired.no_groups_reason == (
        "The test split has one video, so the variation between videos is unknown: test on more."
    )


def test_a_metric_that_is_undefined_without_a_group_names_the_group(tmp_path: Path) -> None:
    """AUROC is undefined without the only group that has positives, so there are no pseudo-values."""
    sweep = make_sweep(factors={"rank": (2,)}, confirm=Confirm(seeds=2), datasets=("memes",), **SEEDS)
    card = replace(MUSTARD, name="memes", groups="speaker", primary_metric="auroc")
    label = (np.arange(60) < 5).astype(float)
    planted = replace(SyntheticDataset.of(card, lambda *_: RunOutcome(np.arange(60.0))), label=label)
    (dataset_runs,) = SweepRuns.load(make_recorded_store(tmp_path, sweep, planted)).datasets
    paired = dataset_runs.paired_values("test.auroc", ["memes/rank=2"], by_group=True)
    assert (paired.values.tolist(), paired.by_group) == ([[0.0], [0.0]], None)
    assert paired.no_groups_reason == (
        "The variation between speakers is unknown because auroc of unit 0 (from 0) without group 'speaker-00' is "
        "undefined: test on more speakers."
    )


def test_without_predictions_there_are_no_pseudo_values(tmp_path: Path) -> None:
    """A run without stored predictions still has its metrics."""
    sweep = make_sweep(factors={"rank": (2,)}, confirm=Confirm(seeds=2), **SEEDS)
    bare = make_store(tmp_path, [make_run({"test.mae": 1.0}, seed=seed, rank=2) for seed in (0, 1)], sweep=sweep)
    (dataset_runs,) = SweepRuns.load(bare).datasets
    paired = dataset_runs.paired_values("test.mae", ["mosi/rank=2"], by_group=True)
    assert (paired.values.tolist(), paired.by_group) == ([[1.0], [1.0]], None)
    assert paired.no_groups_reason == (
        "Predictions are missing, so the variation between videos is unknown: run the sweep again."
    )


def test_the_variance_between_seeds_is_subtracted_from_that_of_repeats(tmp_path: Path) -> None:
    """Repeat means 1 and 3 have variance 2, seeds 0.5: the components are 2 - 0.5 / 2 and 0.5."""
    maes = {(2, 0): 0.5, (2, 1): 1.5, (2, 2): 2.5, (2, 3): 3.5}
    dataset_runs = load_runs(tmp_path, make_sweep(factors={"rank": (2,)}, confirm=Confirm(seeds=2, repeats=2)), maes)
    paired = dataset_runs.paired_values("test.mae", ["mosi/rank=2"])
    assert (paired.sd_repeats, paired.sd_seeds) == pytest.approx((math.sqrt(1.75), math.sqrt(0.5)))


def test_if_the_seed_is_the_unit_only_seeds_have_a_standard_deviation(tmp_path: Path) -> None:
    """Seeds with values 1 and 3 have a standard deviation of √2; a single seed has none."""
    sweep = make_sweep(factors={"rank": (2,)}, confirm=Confirm(seeds=2), **SEEDS)
    two, one = (
        load_runs(tmp_path / "two", sweep, {(2, 0): 1.0, (2, 1): 3.0}),
        load_runs(tmp_path / "one", sweep, {(2, 0): 1.0}),
    )
    paired_by_modality = [dataset_runs.paired_values("test.mae", ["mosi/rank=2"]) for dataset_runs in (two, one)]
    assert [(p.sd_repeats, p.sd_seeds) for p in paired_by_modality] == [
        (None, pytest.approx(math.sqrt(2))),
        (None, None),
    ]


def test_levels_strata_and_cells_are_those_with_runs(tmp_path: Path) -> None:
    """Ranks are sorted, strata keep the order of the file, and a stratum lists only ranks that have runs in it."""
    sweep = make_sweep(factors={"rank": (12, 2), "conditioning": ("none", "jwae")}, confirm=Confirm(seeds=1), **SEEDS)

    def outcome(levels: Mapping[str, Any], *_: int) -> RunOutcome | None:
        return None if levels == {"rank": 12, "conditioning": "jwae"} else RunOutcome(make_predictions(LABEL, 1.0))

    (dataset_runs,) = SweepRuns.load(make_recorded_store(tmp_path, sweep, SyntheticDataset.of(MOSI, outcome))).datasets
    none, jwae = ({"conditioning": arm} for arm in ("none", "jwae"))
    assert [dataset_runs.levels("rank"), dataset_runs.levels("rank", jwae)] == [[2, 12], [2]]
    assert dataset_runs.strata("rank") == [none, jwae]
    assert dataset_runs.strata("rank", "conditioning") == [{}]
    assert dataset_runs.cells_along("rank", none) == (
        (2, 12),
        ["mosi/rank=2,conditioning=none", "mosi/rank=12,conditioning=none"],
    )
    assert dataset_runs.cells_along("rank", jwae) == ((2,), ["mosi/rank=2,conditioning=jwae"])
    assert dataset_runs.cell({"rank": 12, **jwae}) is None


def test_datasets_are_kept_apart(tmp_path: Path) -> None:
    """Each dataset has its own runs, source, primary metric and group noun."""
    sweep = make_sweep(factors={"rank": (2,)}, confirm=Confirm(seeds=1), datasets=("mosi", "mustard"), **SEEDS)
    store = make_recorded_store(
        tmp_path,
        sweep,
        SyntheticDataset.of(MOSI, lambda *_: RunOutcome(make_predictions(LABEL, 1.0))),
        SyntheticDataset.of(MUSTARD, lambda *_: RunOutcome(make_labels(MUSTARD) - 0.5)),
    )
    mosi, mustard = SweepRuns.load(store).datasets
    assert [len(s.runs) for s in (mosi, mustard)] == [1, 1]
    assert [(s.dataset, s.source, s.primary.name, s.group_noun) for s in (mosi, mustard)] == [
        ("mosi", "real", "mae", "video"),
        ("mustard", "twin", "f1", "example"),
    ]


def copy_sweep(store: SweepStore, number: int, **changes: Any) -> SweepStore:
    """Return a copy of the sweep in the same store, started on day `number`."""
    other = Store(store.filesystem).sweep(f"small-{number}")
    manifest = store.read_manifest()
    sweep = {**manifest["sweep"], **changes.pop("sweep", {})}
    fields = {"sweep_id": other.sweep_id, "started_at": f"2026-01-{number:02d}T00:00:00+00:00", "sweep": sweep}
    other.write_manifest({**manifest, **fields, **changes})
    return other


def test_a_second_look_with_other_confirm_runs_halves_alpha(tmp_path: Path) -> None:
    """A second sweep that differs only in its confirm runs is tested at 2.5 %, the first still at 5 %."""
    first = make_store(tmp_path, [], sweep=make_sweep())
    second = copy_sweep(first, 2, sweep={"confirm": {"seeds": 9, "repeats": 3}})
    assert [(e.looks, e.alpha) for e in map(SweepRuns.load, (first, second))] == [(1, 0.05), (2, 0.025)]


def test_repeating_the_same_confirm_runs_is_not_a_second_look(tmp_path: Path) -> None:
    """A restarted sweep trains the same seeds and adds no data."""
    first = make_store(tmp_path, [], sweep=make_sweep())
    assert SweepRuns.load(copy_sweep(first, 2)).looks == 1


def test_a_different_sweep_is_not_a_second_look(tmp_path: Path) -> None:
    """Other levels, data or engines make a different sweep; a reworded question or other claims do not."""
    first = make_store(tmp_path, [], sweep=make_sweep())
    copy_sweep(first, 2, sweep={"factors": [["rank", [1, 2]]]})
    copy_sweep(first, 3, cards=[{**MOSI.document(), "fingerprint": "other"}])
    copy_sweep(first, 4, engine="other")
    wording = {"question": "In other words?", "claims": ["rank-generalisation"]}
    reworded = copy_sweep(first, 5, sweep={**wording, "confirm": {"seeds": 9, "repeats": 3}})
    assert SweepRuns.load(reworded).looks == 2
