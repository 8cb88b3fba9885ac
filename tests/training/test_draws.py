"""Each member of a pack has its own random draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from tcray.config.run import Run
from tcray.models.architecture import Architecture
from tcray.models.random_streams import RandomStreams
from tcray.training.draws import EpochDraws, Member
from tcray.training.packed_dataset import PackedDataset
from tests.factories import make_dataset
from tests.training.factories import run

FOLDED = PackedDataset.from_dataset(make_dataset(sizes=(60, 20, 20), folds=3))
LONG = PackedDataset.from_dataset(make_dataset(sizes=(2000, 20, 20)))


def members(packed: PackedDataset, runs: Sequence[Run]) -> list[Member]:
    """Return the members of these runs, one per fold."""
    return [
        Member(one.configuration, fold, RandomStreams.from_run(one, fold))
        for one in runs
        for fold in range(packed.folds)
    ]


def epoch(packed: PackedDataset, runs: Sequence[Run], number: int = 1) -> EpochDraws:
    """Return the draws of an epoch of a pack of these runs."""
    architecture = Architecture.from_configuration(runs[0].configuration, packed.modalities)
    return EpochDraws(members(packed, runs), architecture, packed, number, torch.float32)


def visited(packed: PackedDataset, drawn: EpochDraws) -> list[list[int]]:
    """Return the rows that each member trains on, in order, without padding."""
    batches = [drawn.batch(step) for step in range(drawn.steps)]
    count = len(batches[0].index)
    return [[int(i) for b in batches for i in b.index[k][b.row_mask[k] > 0]] for k in range(count)]


def test_every_member_sees_each_example_of_its_train_split_once() -> None:
    """An epoch is a permutation of the fold's own rows, and another one each epoch, also for a partial last batch."""
    first, second = (visited(FOLDED, epoch(FOLDED, [run(batch_size=20)], number)) for number in (1, 2))
    for fold, train in enumerate(FOLDED.splits["train"].indices):
        expected = sorted(int(i) + fold * FOLDED.examples for i in train)
        assert sorted(first[fold]) == sorted(second[fold]) == expected
        assert first[fold] != second[fold] != expected


def test_a_fold_with_fewer_rows_takes_fewer_steps() -> None:
    """A fold takes as many steps as its own rows need; later steps are all padding."""
    drawn = epoch(FOLDED, [run(batch_size=7)])
    sizes = [len(train) for train in FOLDED.splits["train"].indices]
    assert drawn.steps_of == [-(-size // 7) for size in sizes]
    assert len(set(drawn.steps_of)) > 1
    counted = torch.stack([drawn.batch(step).row_mask.sum(1) for step in range(drawn.steps)])
    assert counted.sum(0).tolist() == sizes
    assert counted.max() == 7


def test_equal_seeds_see_equal_orders_in_every_cell() -> None:
    """Rank, dropout and learning rate do not change the batches; another seed does."""
    mine, theirs, other = visited(LONG, epoch(LONG, [run(), run(rank=9, dropout=0.5, lr=0.1), run(seed=1)]))
    assert mine == theirs
    assert mine != other


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_keeps_units_at_its_rate(rate: float) -> None:
    """Units are kept at the rate within four standard errors, and kept units are scaled by 1/(1 - rate)."""
    batch = epoch(LONG, [run(dropout=rate), run()]).batch(0)
    for mask in batch.masks.values():
        assert mask[0].unique().tolist() == pytest.approx([0, 1 / (1 - rate)])
        kept = (mask[0] > 0).double()
        assert abs(kept.mean() - (1 - rate)) < 4 * (rate * (1 - rate) / kept.numel()) ** 0.5
        assert mask[1].unique().tolist() == [1]


def test_dropout_near_one_drops_nearly_everything() -> None:
    """A rate within 1/65536 of 1 does not wrap around to dropping nothing."""
    batch = epoch(LONG, [run(dropout=1 - 1e-7)]).batch(0)
    assert all((mask > 0).double().mean() < 0.01 for mask in batch.masks.values())


def test_modality_dropout_drops_rows_at_its_rate() -> None:
    """A rate of 0.3 drops three rows in ten, 1 drops all; unused modalities have no draws."""
    runs = [run(audio_dropout=0.3), run(audio_dropout=1.0), run(), run(audio_dropout=0.3, modalities=("text",))]
    drawn = epoch(LONG, runs)
    assert drawn.batch(0).modality_kept.keys() == {"audio"}
    kept = torch.cat([drawn.batch(step).modality_kept["audio"] for step in range(drawn.steps)], 1).double().mean(1)
    assert abs(kept[0] - 0.7) < 4 * (0.3 * 0.7 / (32 * drawn.steps)) ** 0.5
    assert kept[1:].tolist() == [0, 1, 1]


def test_prior_samples_are_standard_normal() -> None:
    """Samples are drawn only for the inverse multiquadric kernel, and are zero on padded latent units."""
    drawn = epoch(LONG, [run(conditioning="prior", prior_kernel="imq", latent_dim=10)])
    samples = torch.cat([drawn.batch(step).prior["text"] for step in range(drawn.steps)], 1).double()
    assert not samples[..., 10:].any()
    values = samples[..., :10].flatten().numpy()
    assert abs(values.mean()) < 4 * values.size**-0.5
    assert abs(np.square(values).mean() - 1) < 4 * (2 / values.size) ** 0.5
    assert epoch(LONG, [run(conditioning="prior")]).batch(0).prior == {}
